"""The ratios as a drawing: for every scenario a dot at the median, a whisker as far as the rounds went, and its bar.

To the right is better everywhere: where less is better (latency, memory), the ratio is turned round. The scale is
logarithmic, so that twice as good is as far to the right as half as good is to the left. Colours follow the reader's
light or dark page.

    python -m bench.chart RESULTS.json CHART.svg        draw again what was measured before
"""

import math
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from bench import results
from bench.results import Outcome, Range, Run, verdict
from bench.scenario import Against, Better

_WIDTH = 860
_LEFT, _RIGHT = 270, 120  # margins: titles, figures
_TOP, _ROW, _BOTTOM = 76, 34, 52
_MARKS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 20.0, 40.0)
_APART = 6  # half the way between two places in one row

_STYLE = """
  text { font: 13px system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; fill: #1f2328; }
  .title { font-size: 16px; font-weight: 600; }
  .quiet { fill: #656d76; font-size: 12px; }
  .grid { stroke: #d8dee4; }
  .one { stroke: #8c959f; }
  .bar { stroke: #9a6700; stroke-width: 2.5; }
  .met { stroke: #1a7f37; fill: #1a7f37; }
  .missed { stroke: #cf222e; fill: #cf222e; }
  .free { stroke: #57606a; fill: #57606a; }
  .whisker { stroke-width: 2; }
  .hollow { fill: #ffffff; }
  .ground { fill: #ffffff; }
  @media (prefers-color-scheme: dark) {
    text { fill: #e6edf3; }
    .quiet { fill: #8d96a0; }
    .grid { stroke: #30363d; }
    .one { stroke: #6e7681; }
    .bar { stroke: #d29922; }
    .met { stroke: #3fb950; fill: #3fb950; }
    .missed { stroke: #f85149; fill: #f85149; }
    .free { stroke: #8d96a0; fill: #8d96a0; }
    .hollow { fill: #0d1117; }
    .ground { fill: #0d1117; }
  }
"""


@dataclass(frozen=True, slots=True)
class Dot:
    """One scenario at one place. Right of 1 is better than the other."""

    place: str
    ratio: Range
    other: str
    met: bool | None  # none: there is no bar


@dataclass(frozen=True, slots=True)
class Row:
    title: str
    bar: float | None
    dots: list[Dot]


def write(run: Run, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(draw(run), encoding="utf-8")


def draw(run: Run) -> str:
    """The whole SVG."""
    rows = _rows(run.outcomes)
    places = list(dict.fromkeys(dot.place for row in rows for dot in row.dots))
    height = _TOP + _ROW * len(rows) + _BOTTOM
    scale = _Scale.of(rows)
    title = "l4d against the best of nginx and HAProxy"
    told = run.machine
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{title}">',
        f"<style>{_STYLE}</style>",
        f'<rect class="ground" width="{_WIDTH}" height="{height}" rx="6"/>',
        _text(20, 30, title, "title"),
        _text(
            20,
            50,
            "median and range of the rounds; to the right is better: what should be low is turned round",
            "quiet",
        ),
        *_legend(places),
        *_grid(scale, height),
        *(part for at, row in enumerate(rows) for part in _row(row, _TOP + _ROW * at + _ROW // 2, scale, places)),
        _text(20, height - 12, f"{told['kernel']}, {told['cpus']} CPUs, Python {told['python']}", "quiet"),
        "</svg>",
        "",
    ]
    return "\n".join(parts)


def _rows(outcomes: Sequence[Outcome]) -> list[Row]:
    rows: dict[str, Row] = {}
    for each in outcomes:
        held = verdict(each)
        if held is None or (each.grows and (each.bar is None or each.bar.against is not Against.ITSELF)):
            continue
        lower = each.better is Better.LOWER or bool(each.grows)
        limit = each.bar.limit if each.bar else None
        bar = 1 / limit if lower and limit else limit
        title = f"{each.operation}: many {each.grows} or few" if each.grows else each.title
        row = rows.setdefault(each.name, Row(title, bar, []))
        met = held.met if each.bar else None
        row.dots.append(Dot(each.place, held.ratio.inverse() if lower else held.ratio, held.other, met))
    return list(rows.values())


@dataclass(frozen=True, slots=True)
class _Scale:
    low: float
    high: float

    @staticmethod
    def of(rows: Sequence[Row]) -> "_Scale":
        ends = [end for row in rows for dot in row.dots for end in (dot.ratio.low, dot.ratio.high)]
        ends += [row.bar for row in rows if row.bar]
        return _Scale(min([*ends, 0.75]) * 0.93, max([*ends, 1.5]) * 1.07)

    def at(self, ratio: float) -> float:
        """Where it stands, from the left."""
        part = math.log(ratio / self.low) / math.log(self.high / self.low)
        return _LEFT + part * (_WIDTH - _LEFT - _RIGHT)


def _grid(scale: _Scale, height: int) -> Iterator[str]:
    foot = height - _BOTTOM
    for mark in _MARKS:
        if scale.low <= mark <= scale.high:
            x = scale.at(mark)
            kind = "one" if mark == 1 else "grid"
            yield f'<line class="{kind}" x1="{x:.1f}" x2="{x:.1f}" y1="{_TOP}" y2="{foot}"/>'
            yield _text(x, foot + 16, f"{mark:g}", "quiet", anchor="middle")


def _row(row: Row, y: int, scale: _Scale, places: Sequence[str]) -> Iterator[str]:
    yield _text(20, y + 4, row.title)
    if row.bar:
        x = scale.at(row.bar)
        yield f'<line class="bar" x1="{x:.1f}" x2="{x:.1f}" y1="{y - 12}" y2="{y + 12}"/>'
    for dot in row.dots:
        yield from _dot(dot, y + _shift(places.index(dot.place), len(places)), scale, hollow=dot.place != places[0])
    told = " | ".join(f"{dot.ratio.median:.2f}" for dot in row.dots)
    yield _text(_WIDTH - 20, y + 4, told, "quiet", anchor="end")


def _shift(number: int, count: int) -> float:
    return (number - (count - 1) / 2) * 2 * _APART


def _dot(dot: Dot, y: float, scale: _Scale, *, hollow: bool) -> Iterator[str]:
    kind = {True: "met", False: "missed", None: "free"}[dot.met]
    low, middle, high = (scale.at(each) for each in (dot.ratio.low, dot.ratio.median, dot.ratio.high))
    yield f"<g><title>{escape(f'{dot.place}: {dot.ratio.median:.2f} against {dot.other}')}</title>"
    yield f'<line class="whisker {kind}" x1="{low:.1f}" x2="{high:.1f}" y1="{y:.1f}" y2="{y:.1f}"/>'
    yield f'<circle class="{kind}" cx="{middle:.1f}" cy="{y:.1f}" r="5"/>'
    if hollow:
        yield f'<circle class="hollow" cx="{middle:.1f}" cy="{y:.1f}" r="2.6"/>'
    yield "</g>"


def _legend(places: Sequence[str]) -> Iterator[str]:
    x = _WIDTH - 20 - 130 * len(places) - 70
    for at, place in enumerate(places):
        yield f'<circle class="free" cx="{x + 5}" cy="26" r="5"/>'
        if at:
            yield f'<circle class="hollow" cx="{x + 5}" cy="26" r="2.6"/>'
        yield _text(x + 16, 30, place, "quiet")
        x += 130
    yield f'<line class="bar" x1="{x + 5}" x2="{x + 5}" y1="18" y2="34"/>'
    yield _text(x + 16, 30, "the bar", "quiet")


def _text(x: float, y: float, words: str, kind: str = "", anchor: str = "start") -> str:
    chosen = f' class="{kind}"' if kind else ""
    return f'<text{chosen} x="{x:.1f}" y="{y}" text-anchor="{anchor}">{escape(words)}</text>'


if __name__ == "__main__":
    write(results.read(Path(sys.argv[1])), Path(sys.argv[2]))
