"""One run: every scenario that was asked for, at every place."""

import os
import resource
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext

from bench import candidates, machine
from bench.candidates import Candidate
from bench.options import Options
from bench.places import LOOPBACK, Place, Ports, Where, namespaces
from bench.programs import BenchError, find_program
from bench.results import Outcome, Run, Series, outcome
from bench.rounds import alternate
from bench.scenario import Scenario
from bench.stage import Settings, Stage

PLACES: dict[str, Callable[[], AbstractContextManager[Place]]] = {
    "loopback": lambda: nullcontext(LOOPBACK),
    "namespaces": namespaces,
}


def run(options: Options, say: Callable[[str], None]) -> Run:
    """Measure. What could not be measured is said, and stands in the notes."""
    unknown = [place for place in options.places if place not in PLACES]
    if unknown:
        raise BenchError(f"no such place: {', '.join(unknown)}; there are {', '.join(PLACES)}")
    _raise_descriptors()
    settings = _settings(options)
    result = Run(machine.describe(options.command), _told(options))

    def note(text: str) -> None:
        if text not in result.notes:
            result.notes.append(text)
            say(f"  ! {text}")

    chosen = candidates.choose(candidates.all_candidates(options.command, options.beside), options.candidates)
    for each in chosen:
        if each.missing:
            note(each.missing)
    able = [each for each in chosen if not each.missing]
    ports = Ports()
    for name in options.places:
        try:
            with PLACES[name]() as place:
                for scenario in options.scenarios:
                    if name in scenario.places:
                        result.outcomes += _play(scenario, place, able, settings, ports, say, note)
        except BenchError as error:
            note(str(error))
    return result


def _play(
    scenario: Scenario,
    place: Place,
    able: Sequence[Candidate],
    settings: Settings,
    ports: Ports,
    say: Callable[[str], None],
    note: Callable[[str], None],
) -> list[Outcome]:
    """One scenario at one place: its outcome, or none."""
    missing = [program for program in scenario.needs if find_program(program) is None]
    if missing:
        note(f"{scenario.name}: {', '.join(missing)} is not installed: left out")
        return []
    since = time.monotonic()
    rounds = settings.growth_rounds if scenario.grows else settings.rounds
    rounds = min((rounds + 1) // 2 if place.namespaces else rounds, scenario.most_rounds)
    say(f"{scenario.name} {place.title}, {rounds} rounds")

    def remark(text: str) -> None:
        note(f"{scenario.name} {place.title}: {text}")

    fit = [each for each in able if scenario.protocol in each.protocols]
    try:
        with Stage(place, settings, ports, say, remark) as stage:
            samples = alternate(scenario.prepare(stage, fit), rounds, remark)
    except (BenchError, OSError) as error:
        remark(f"{error}: left out")
        return []
    say(f"  {time.monotonic() - since:.0f} s")
    return [outcome(scenario, place.name, [Series(who.candidate, who.point, found) for who, found in samples.items()])]


def _settings(options: Options) -> Settings:
    pin: dict[Where, str] = {}
    if options.pin:
        proxy = _cpus(options.pin)
        others = sorted(os.sched_getaffinity(0) - proxy)
        if not others:
            raise BenchError("--pin leaves no CPU to the load makers and servers")
        rest = ",".join(map(str, others))
        pin = {Where.CLIENT: rest, Where.PROXY: options.pin, Where.SERVER: rest}
    warm_up = min(0.3, options.seconds / 2)
    return Settings(options.rounds, options.growth_rounds, options.seconds, warm_up, options.quick, pin)


def _cpus(text: str) -> set[int]:
    try:
        return {int(word) for word in text.split(",")}
    except ValueError:
        raise BenchError(f"--pin wants the numbers of CPUs, as 0,1, not {text!r}") from None


def _raise_descriptors() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def _told(options: Options) -> dict[str, object]:
    names = ("rounds", "growth_rounds", "seconds", "quick", "pin")
    return {name: getattr(options, name) for name in names}
