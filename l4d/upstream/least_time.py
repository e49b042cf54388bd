"""least_time: the server with the lowest moving average of connect time, times its live sessions, for its weight.

Each worker measures for itself how soon a server answers (`Server.connect_time`); the sessions are those of all
workers. A server not measured yet is tried first, but for one session: until that one is answered, it comes last. So
a newcomer that does not answer at all is not given every client until connect_timeout has passed, and servers that
are all new are chosen by their sessions.
"""

from collections.abc import Sequence
from typing import Final

from l4d.upstream.least import Measure
from l4d.upstream.outlook import load_of
from l4d.upstream.server import Server

NOT_ANSWERED: Final = 1e9
"""Stands for the connect time, in seconds, of a server that is being tried for the first time."""


def time_for_weight(servers: Sequence[Server], loads: Sequence[int], now: float) -> list[float]:
    """The scores for `Least`: the connect time, times the sessions there would be, for each unit of weight."""
    return [
        (server.connect_time(now) or _unknown(server)) * (load + 1) / server.weight
        for server, load in zip(servers, loads, strict=True)
    ]


def _unknown(server: Server) -> float:
    """What counts as the connect time of a server that this worker has not measured."""
    tally = server.tally
    return NOT_ANSWERED if tally.row[tally.sessions] else 0.0


def _words(server: Server, load: int, now: float) -> str:
    seconds = server.connect_time(now)
    measured = f"answers in {seconds * 1000:.3g} ms" if seconds else "not measured yet"
    return f"{measured}, {load_of(server, load)}"


TIME: Final = Measure(time_for_weight, "lowest connect time, times sessions, for its weight", _words)
