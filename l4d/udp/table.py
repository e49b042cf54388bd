"""The flow table: which entry a client has, within a bound, the longest silent first to go.

Pure: no socket, no clock. Hearing, admitting and removing cost the same with ten flows and ten thousand.
"""

from collections.abc import Hashable
from typing import Any, Generic, TypeVar

from l4d.loop.deadlines import Deadlines

Key = TypeVar("Key", bound=Hashable)
Entry = TypeVar("Entry", bound=Hashable)


class FlowTable(Generic[Key, Entry]):
    """Entries by client. *idle* is the queue in which they wait to be silent too long."""

    def __init__(self, bound: int, idle: Deadlines[Any]) -> None:
        self.bound = bound
        self._entries: dict[Key, Entry] = {}
        self._idle = idle

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Key) -> Entry | None:
        """The client's entry."""
        return self._entries.get(key)

    @property
    def full(self) -> bool:
        return len(self._entries) >= self.bound

    def put(self, key: Key, entry: Entry) -> None:
        """The client has *entry* from now on, in the place of the one it had. A new client needs room: see `full`."""
        assert key in self._entries or not self.full
        self._entries[key] = entry

    def hear(self, entry: Entry, now: float) -> None:
        """The entry was heard of."""
        self._idle.enter(entry, now)

    def remove(self, key: Key, entry: Entry) -> None:
        """*entry* is over; the client may have another one by now, which stays."""
        self._idle.leave(entry)
        if self._entries.get(key) is entry:
            del self._entries[key]
