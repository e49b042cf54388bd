"""The one verb of a balancing algorithm, and which file has which algorithm."""

from collections.abc import Sequence
from typing import Protocol

from l4d.terms import Balance
from l4d.upstream.round_robin import RoundRobin
from l4d.upstream.server import Server


class Balancer(Protocol):
    """Chooses among servers that may all be chosen."""

    def choose(self, candidates: Sequence[Server]) -> Server:
        """One of *candidates*, of which there is at least one."""
        ...


def make_balancer(balance: Balance, start: int) -> Balancer:
    """The balancer for an upstream. *start* is the worker's slot, so that workers do not all begin alike."""
    assert balance is Balance.ROUND_ROBIN
    return RoundRobin(start)
