"""Smooth weighted round robin: in every round each server is chosen as often as its weight says, evenly spread.

The rule is nginx's (ngx_stream_upstream_round_robin.c): each choice adds every candidate's weight to its
credit, takes the one with the most, and subtracts the sum of the weights from it. With weights 5, 1, 1 that gives
a a b a c a a. Credits sum to zero at any time, so candidates that come and go unbalance nothing for long.
"""

from collections.abc import Sequence

from l4d.upstream.server import Server


class RoundRobin:
    """Turns, by weight."""

    def __init__(self, start: int = 0) -> None:
        """The first *start* turns are taken by nobody: worker k begins at the k-th server."""
        self._credit: dict[Server, int] = {}
        self._skip = start

    def choose(self, candidates: Sequence[Server]) -> Server:
        for _ in range(self._skip % len(candidates)):
            self._turn(candidates)
        self._skip = 0
        return self._turn(candidates)

    def _turn(self, candidates: Sequence[Server]) -> Server:
        credit = self._credit
        total = 0
        best, most = candidates[0], None
        for server in candidates:
            weight = server.weight
            total += weight
            credit[server] = now = credit.get(server, 0) + weight
            if most is None or now > most:
                best, most = server, now
        credit[best] -= total
        return best
