"""The tables on the terminal."""

from collections.abc import Callable, Sequence

from bench.candidates import COMPILED, L4D
from bench.results import Outcome, Range, Run, Series, proxy_cost, ratio, value, verdict, whole_cost
from bench.scenario import Against, Better, Sample


def text(run: Run) -> str:
    """All of it."""
    parts = [_machine(run)]
    for place in dict.fromkeys(each.place for each in run.outcomes):
        here = [each for each in run.outcomes if each.place == place]
        plain = [each for each in here if not each.grows]
        if plain:
            costly = [each for each in plain if each.operation]
            parts += [_rates(place, plain), _compiled(place, plain), _costs(place, costly) if costly else ""]
        parts += [_growth(each) for each in here if each.grows]
    if run.notes:
        parts.append("\n".join(["Said on the way", *(f"  {note}" for note in run.notes)]))
    return "\n\n".join(part for part in parts if part)


def _machine(run: Run) -> str:
    told = run.machine
    asked = run.settings
    return (
        f"l4d {told['commit'][:12]}, Python {told['python']}, {told['kernel']}, {told['cpus']} x {told['cpu']}\n"
        f"{asked['rounds']} rounds of {asked['seconds']:g} s; medians, and ratios taken round by round: "
        "median [lowest - highest]"
    )


def _rates(place: str, outcomes: Sequence[Outcome]) -> str:
    names = _candidates(outcomes)
    rows = [["", "unit", *names, "l4d / ...", "ratio", "bar", ""]]
    for each in outcomes:
        medians = [_median(each.find(name), value) for name in names]
        rows.append([each.title, each.unit, *map(quantity, medians), *_verdict(each)])
    return _table(f"What each does, {place}", rows)


def _compiled(place: str, outcomes: Sequence[Outcome]) -> str:
    """How l4d with its data path compiled stands, where it was measured."""
    found = [each for each in outcomes if verdict(each, COMPILED)]
    rows = [["", f"{COMPILED} / ...", "ratio", "bar", ""], *([each.title, *_verdict(each, COMPILED)] for each in found)]
    return _table(f"With the data path compiled, {place}", rows) if found else ""


def _verdict(outcome: Outcome, mine: str = L4D) -> list[str]:
    held = verdict(outcome, mine)
    bar = outcome.bar
    at = ("at most" if outcome.better is Better.LOWER else "at least") if bar else ""
    limit = f"{at} {bar.limit:g}" if bar else ""
    if held is None:
        return ["", "", limit, ""]
    return [held.other, spread(held.ratio), limit, ("met" if held.met else "NOT met") if bar else ""]


def _costs(place: str, outcomes: Sequence[Outcome]) -> str:
    names = _candidates(outcomes)
    rows = [["", "of one", *(f"{name} u+s" if name != "direct" else "" for name in names), *names]]
    for each in outcomes:
        proxies = [_user_and_system(each.find(name)) if name != "direct" else "" for name in names]
        wholes = [duration(_median(each.find(name), whole_cost)) for name in names]
        rows.append([each.title, each.operation, *proxies, *wholes])
    return _table(f"What it costs in CPU time, {place}: of the proxy, user + system; then of the whole system", rows)


def _user_and_system(series: Series | None) -> str:
    user = _median(series, lambda sample: sample.proxy.user / sample.operations if sample.operations else 0.0)
    system = _median(series, lambda sample: sample.proxy.system / sample.operations if sample.operations else 0.0)
    return f"{duration(user)}+{duration(system)}" if user is not None and (user or system) else ""


def _growth(outcome: Outcome) -> str:
    names, points = outcome.candidates(), outcome.points()
    rows = [[outcome.grows, *(word for name in names for word in (f"{name} {outcome.unit}", "proxy", "x"))]]
    for point in points:
        row = [f"{int(point):,}"]
        for name in names:
            here, first = outcome.find(name, point), outcome.find(name, points[0])
            grown = ratio(here, first, proxy_cost)
            row += [quantity(_median(here, value)), duration(_median(here, proxy_cost)), spread(grown)]
        rows.append(row)
    title = f"How cost grows with {outcome.grows}: {outcome.title}, {outcome.place}; proxy: CPU time of one "
    lines = _table(f"{title}{outcome.operation}; x: as against {points[0]} {outcome.grows}", rows)
    held = verdict(outcome)
    if held is None or outcome.bar is None or outcome.bar.against is not Against.ITSELF:
        return lines
    met = "met" if held.met else "NOT met"
    return f"{lines}\n  {L4D} against {held.other}: {spread(held.ratio)}, bar: at most {outcome.bar.limit:g}, {met}"


def _candidates(outcomes: Sequence[Outcome]) -> list[str]:
    """In the order of the one that has most of them."""
    return list(dict.fromkeys(name for each in outcomes for name in each.candidates()))


def _median(series: Series | None, figure: Callable[[Sample], float]) -> float | None:
    return series.middle(figure) if series else None


def _table(title: str, rows: Sequence[Sequence[str]]) -> str:
    """Words to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) if not at else cell.rjust(width) for at, (cell, width) in enumerate(pairs))
        for pairs in (list(zip(row, widths, strict=True)) for row in rows)
    ]
    return "\n".join([title, *(f"  {line}".rstrip() for line in lines)])


def quantity(figure: float | None) -> str:
    """Three or four digits of it."""
    if figure is None:
        return ""
    return f"{figure:,.0f}" if abs(figure) >= 100 else f"{figure:.3g}"


def duration(seconds: float | None) -> str:
    """In the unit that suits it."""
    if not seconds:
        return ""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g}{unit}"
    return f"{seconds * 1e9:.3g}ns"


def spread(figures: Range | None) -> str:
    if figures is None:
        return ""
    return f"{figures.median:.2f} [{figures.low:.2f} - {figures.high:.2f}]"
