"""Rounds that alternate: every candidate once a round, each round beginning with the next one.

What disturbs a machine for a while then meets all of them alike, and a ratio taken within a round leaves it out.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from bench.programs import BenchError
from bench.scenario import Contender, Sample

T = TypeVar("T")


def rotated(things: Sequence[T], by: int) -> list[T]:
    """The same, from another one on."""
    start = by % len(things) if things else 0
    return [*things[start:], *things[:start]]


def alternate(
    contenders: Sequence[Contender], rounds: int, note: Callable[[str], None]
) -> dict[Contender, list[Sample | None]]:
    """The samples of each, one a round; None where a measurement failed, and *note* is told why."""
    samples: dict[Contender, list[Sample | None]] = {contender: [] for contender in contenders}
    for number in range(rounds):
        for contender in rotated(contenders, number):
            samples[contender].append(_attempt(contender, note))
    return samples


def _attempt(contender: Contender, note: Callable[[str], None]) -> Sample | None:
    try:
        return contender.measure()
    except (BenchError, OSError, ValueError, KeyError) as error:
        at = f" at {contender.point}" if contender.point else ""
        note(f"{contender.candidate}{at}: {error or type(error).__name__}")
        return None
