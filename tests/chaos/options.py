"""What can be asked of a run."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

from tests.chaos.plan import chosen, words


@dataclass(frozen=True, slots=True)
class Options:
    seconds: float = 120.0  # with events; a run takes some 20 more
    seed: int = 1
    without: tuple[str, ...] = ()
    sessions: int = 200
    flows: int = 200
    rate: int = 100  # new connections a second


def parse(arguments: Sequence[str]) -> Options:
    """Raises SystemExit as argparse does."""
    usual = Options()
    parser = argparse.ArgumentParser(
        prog="chaos", description="Let everything happen to a running l4d, and account for every byte and datagram."
    )
    add = parser.add_argument
    add("--minutes", type=float, default=usual.seconds / 60, help="how long events go on; default: %(default)g")
    add("--seed", type=int, default=usual.seed, help="the same seed plans the same events; default: %(default)s")
    add("--without", default="", metavar="A,B", help=f"leave out these events: {', '.join(sorted(words()))}")
    add("--sessions", type=int, default=usual.sessions, help="long TCP sessions; default: %(default)s")
    add("--flows", type=int, default=usual.flows, help="UDP clients; default: %(default)s")
    add("--rate", type=int, default=usual.rate, help="new TCP connections a second; default: %(default)s")
    given = parser.parse_args(arguments)
    without = tuple(word for word in given.without.split(",") if word)
    if unknown := set(without) - words():
        parser.error(f"no such events: {', '.join(sorted(unknown))}; there are {', '.join(sorted(words()))}")
    if not chosen(without):
        parser.error("no event is left")
    return Options(given.minutes * 60, given.seed, without, given.sessions, given.flows, given.rate)
