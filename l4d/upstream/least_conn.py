"""least_conn: the server with the fewest live sessions for its weight, over all workers.

The sessions are read from the board at each choice, those other workers have just given included. A pool without any
sessions is used in turn, whatever the weights are: it is the sessions that are shared by weight, not the choices.
"""

from collections.abc import Sequence
from typing import Final

from l4d.upstream.least import Measure
from l4d.upstream.outlook import load_of
from l4d.upstream.server import Server


def sessions_for_weight(servers: Sequence[Server], loads: Sequence[int], now: float) -> list[float]:  # noqa: ARG001
    """The scores for `Least`: the live sessions for each unit of weight."""
    return [load / server.weight for server, load in zip(servers, loads, strict=True)]


def _words(server: Server, load: int, now: float) -> str:  # noqa: ARG001 - Measure
    return load_of(server, load)


SESSIONS: Final = Measure(sessions_for_weight, "fewest sessions for its weight", _words)
