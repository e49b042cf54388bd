"""What can be asked of the benchmark."""

import argparse
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.programs import BenchError
from bench.scenario import Scenario

_EPILOG = """
examples:
  --only bulk,pingpong --rounds 3
  --quick --places loopback
  --beside 'old=env PYTHONPATH=/path/to/another/checkout python3 -m l4d'
  --beside 'copy=python3 -m l4d --set listeners.work0.relay=copy'
"""


@dataclass(frozen=True, slots=True)
class Options:
    scenarios: list[Scenario]
    places: list[str]
    candidates: list[str]
    command: list[str]  # starts l4d
    beside: dict[str, list[str]]  # other l4ds, by name
    rounds: int
    growth_rounds: int
    seconds: float
    quick: bool
    pin: str
    json: Path | None
    chart: Path | None


def parse(arguments: Sequence[str], scenarios: Sequence[Scenario]) -> Options:
    """Raises BenchError, or SystemExit as argparse does."""
    parser = argparse.ArgumentParser(
        prog="bench",
        description="Measure l4d beside nginx, HAProxy and the direct path.",
        epilog=_EPILOG + "\nscenarios: " + ", ".join(each.name for each in scenarios),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--only", default="", metavar="A,B", help="only scenarios whose name begins so")
    add("--skip", default="", metavar="A,B", help="all but those")
    add("--places", default="loopback,namespaces", metavar="A,B", help="loopback, namespaces (as root)")
    add("--candidates", default="", metavar="A,B", help="only these beside l4d and the direct path")
    add(
        "--rounds",
        type=int,
        default=0,
        help="5, with --quick 2; across namespaces half as many; growth has 2, with --quick 1",
    )
    add("--seconds", type=float, default=0.0, help="each candidate works so long in a round: 1, with --quick 0.3")
    add("--quick", action="store_true", help="about two minutes; good for seeing that it works")
    add("--pin", default="", metavar="CPUS", help="keep the proxy to these CPUs and all else to the others")
    add("--l4d", default="", metavar="COMMAND", help="how l4d is started; this checkout when not given")
    add("--beside", action="append", default=[], metavar="NAME=COMMAND", help="another l4d to measure; repeatable")
    add("--json", type=Path, metavar="FILE", help="write everything there")
    add("--chart", type=Path, metavar="FILE", help="draw the ratios there, as SVG")
    given = parser.parse_args(arguments)
    return Options(
        scenarios=_chosen(scenarios, _words(given.only), _words(given.skip)),
        places=_words(given.places),
        candidates=_words(given.candidates),
        command=shlex.split(given.l4d) or [sys.executable, "-m", "l4d"],
        beside=dict(_named(each) for each in given.beside),
        rounds=given.rounds or (2 if given.quick else 5),
        growth_rounds=min(given.rounds or 2, 1 if given.quick else 2),
        seconds=given.seconds or (0.3 if given.quick else 1.0),
        quick=given.quick,
        pin=given.pin,
        json=given.json,
        chart=given.chart,
    )


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]


def _named(text: str) -> tuple[str, list[str]]:
    name, equals, command = text.partition("=")
    if not equals or not command:
        raise BenchError(f"--beside wants NAME=COMMAND, not {text!r}")
    return name, shlex.split(command)


def _chosen(scenarios: Sequence[Scenario], only: Sequence[str], skip: Sequence[str]) -> list[Scenario]:
    unknown = [word for word in (*only, *skip) if not any(each.name.startswith(word) for each in scenarios)]
    if unknown:
        known = ", ".join(each.name for each in scenarios)
        raise BenchError(f"no such scenario: {', '.join(unknown)}; there are {known}")
    wanted = [each for each in scenarios if not only or each.name.startswith(tuple(only))]
    return [each for each in wanted if not skip or not each.name.startswith(tuple(skip))]
