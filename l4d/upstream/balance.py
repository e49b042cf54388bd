"""The verbs of a balancing algorithm, and which file has which algorithm."""

import random
from collections.abc import Callable, Collection, Sequence
from typing import Protocol

from l4d.terms import Balance
from l4d.upstream.first import First
from l4d.upstream.hashing import Hashing
from l4d.upstream.least import Least
from l4d.upstream.least_conn import SESSIONS
from l4d.upstream.least_time import TIME
from l4d.upstream.outlook import Outlook
from l4d.upstream.random_two import RandomTwo
from l4d.upstream.round_robin import RoundRobin
from l4d.upstream.server import Server


class Balancer(Protocol):
    """Chooses among the members of a pool that may be chosen."""

    def fill(self, members: Sequence[Server]) -> None:
        """From now on these are the members, with the weights they have now. Those who stay keep their turns."""
        ...

    def choose(self, tried: Collection[Server], key: int, now: float) -> Server | None:
        """A member that `takes` a session which has *tried* some; None if none does.

        *key* is the hash of what the session is balanced by, 0 where nothing is hashed; *now* is monotonic seconds.
        """
        ...

    def peek(self, key: int, now: float) -> Outlook | None:
        """Whom `choose` would give a session that has tried nobody; None if nobody. All stays as it is."""
        ...

    def passed_over(self, server: Server, now: float) -> str:
        """Why *server*, which takes sessions, is not the one whom a `peek` has named."""
        ...

    def work(self) -> bool:
        """Do a bounded piece of what filling has left to do; whether there is more of it."""
        ...


def make_balancer(balance: Balance, start: int, chance: random.Random) -> Balancer:
    """The balancer for an upstream. *start* is the worker's slot, so that workers do not all begin alike."""
    makers: dict[Balance, Callable[[], Balancer]] = {
        Balance.ROUND_ROBIN: lambda: RoundRobin(start),
        Balance.LEAST_CONN: lambda: Least(SESSIONS, start),
        Balance.RANDOM: lambda: RandomTwo(chance),
        Balance.HASH: Hashing,
        Balance.FIRST: First,
        Balance.LEAST_TIME: lambda: Least(TIME, start),
    }
    return makers[balance]()
