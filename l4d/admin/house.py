"""What the admin API stands in: all it is told by, and whom it can ask to do something. Control makes it.

Nothing here knows of HTTP, and the API knows of nothing else.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from l4d.address import Address
from l4d.config.model import Config
from l4d.log.log import Log
from l4d.session.filter import Filter
from l4d.stats.changes import Changes
from l4d.stats.history import History
from l4d.stats.numbers import Numbers
from l4d.stats.wish import Wish

Facts: TypeAlias = dict[str, Any]
"""What is told of a session, or a server."""


class Servers(Protocol):
    """Who keeps what is known, and wished, of servers."""

    def judged_at(self, upstream: str, server: str) -> float:
        """When its verdict became what it is, in monotonic seconds; 0: it never was another one."""
        ...

    def reason(self, upstream: str, server: str) -> str | None:
        """Why its last failed check did; None: none is known of."""
        ...

    def wish(self, upstream: str, server: str, change: Wish, by: str) -> None:
        """Do as the operator wishes. *by* says in the log who that is. Raises KeyError: there is no such server."""
        ...


class Listing(Protocol):
    """Sessions, the oldest first; `total` is how many there are, told or not; pids of workers that are `silent`."""

    @property
    def sessions(self) -> Sequence[Facts]: ...
    @property
    def total(self) -> int: ...
    @property
    def silent(self) -> Sequence[int]: ...


class Killed(Protocol):
    """How many sessions were ended."""

    @property
    def number(self) -> int: ...
    @property
    def silent(self) -> Sequence[int]: ...


class Explained(Protocol):
    """Which server a client would get, and what there is to say of each."""

    @property
    def upstream(self) -> str: ...
    @property
    def balance(self) -> str: ...
    @property
    def certain(self) -> bool: ...
    @property
    def answers(self) -> Sequence[Facts]: ...
    @property
    def servers(self) -> Sequence[Facts]: ...
    @property
    def silent(self) -> Sequence[int]: ...


class Inquiries(Protocol):
    """Who asks the workers."""

    async def sessions(self, wanted: Filter, limit: int) -> Listing:
        """At most *limit* of those that are meant."""
        ...

    async def kill(self, wanted: Filter) -> Killed:
        """End those that are meant."""
        ...

    async def explain(self, listener: str, client: str) -> Explained:
        """Raises ValueError with what is wrong."""
        ...

    async def newest_ends(self, limit: int) -> Sequence[Facts]:
        """The sessions that were over last, the newest first."""
        ...


class Master(Protocol):
    """Who can change the whole."""

    async def ask(self, what: str) -> Sequence[str]:
        """Have it do one of the words of child/channel.py: why it cannot; nothing, if it is begun."""
        ...


@dataclass(frozen=True, slots=True)
class House:
    """One control process's."""

    config: Config
    bound: Mapping[str, Sequence[Address]]  # where each listener can be reached
    numbers: Numbers
    control_row: int
    master_pid: int
    log: Log
    changes: Callable[[], Changes]
    history: History
    servers: Servers
    inquiries: Inquiries
    master: Master
