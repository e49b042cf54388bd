"""The running master, as the next program sees it: until it says `go` all is its own; then it leaves."""

from typing import Protocol

from l4d import __version__
from l4d.child import channel
from l4d.loop.loop import Loop
from l4d.master import between
from l4d.master.bequest import Bequest
from l4d.master.between import number
from l4d.master.generation import Generation
from l4d.master.generations import Generations
from l4d.master.handover import PATIENCE
from l4d.master.timers import Timers

DEATH_TIMEOUT = 1.0
"""Processes whose master was killed are gone after so many seconds."""


class Parent(Protocol):
    """Who is told."""

    def predecessor_lost(self) -> None:
        """It is gone, and we are not l4d: there is nothing to do here."""
        ...

    def predecessor_settled(self) -> None:
        """Its workers take nothing new any more, or are not waited for."""
        ...

    def predecessor_gone(self) -> None:
        """Nothing of it is left."""
        ...


class Predecessor:
    """The elders of our first generation are its workers."""

    def __init__(self, loop: Loop, timers: Timers, bequest: Bequest, generations: Generations, parent: Parent) -> None:
        self.settled = False
        """Whether its workers take nothing new any more; another generation may begin."""
        self._timers = timers
        self._estate = bequest.estate
        self._generations = generations
        self._parent = parent
        self._rows = bequest.estate.board.taken - {bequest.estate.control_row}
        self._linking: set[int] = set()  # slots whose worker waits
        self._end = between.End(
            loop,
            bequest.sock,
            {
                between.ROOMY: lambda _details, _fds: generations.steward.have_room(),
                between.GO: lambda _details, _fds: self._on_go(),
                between.TELL: self._on_tell,
                between.LINKED: lambda details, _fds: self._on_linked(number(details)),
                between.QUIET: lambda _details, _fds: self._on_quiet(),
                between.GONE: lambda details, _fds: self._on_gone(number(details)),
                b"": lambda _details, _fds: self._on_end(),
            },
        )

    # As the elders

    def born(self, row: int, pidfd: int) -> None:
        """Tell who writes on the board beside its own."""
        self._end.say(between.BORN, b"%d %d" % (row, self._estate.columns.used), (pidfd,))

    def make_room(self) -> None:
        """Ask that its control leaves."""
        self._end.say(between.ROOM)

    def arrived(self, generation: Generation) -> None:
        """Ask for the word to go."""
        self._end.say(between.READY, b"%d %b" % (len(generation.slots), __version__.encode()))

    def relink(self, slot: int) -> None:
        """Ask for the links to its workers; without it there are none."""
        self._linking.add(slot)
        if self._end.open:
            self._end.say(between.RELINK, b"%d" % slot)
        else:
            self._on_linked(slot)

    def stop(self) -> None:
        """We are to stop at once: what it has left is part of that, if we are l4d."""
        if self._estate.ours:
            self._end.say(between.STOP)

    # What it says

    def _on_go(self) -> None:
        self._generations.commit()
        self._estate.take()
        self._estate.note_commit(self._estate.last_number)
        self._timers.after(PATIENCE, self._settle)

    def _on_quiet(self) -> None:
        self._generations.elders_quiet()
        self._settle()

    def _settle(self) -> None:
        if not self.settled:
            self.settled = True
            self._parent.predecessor_settled()

    def _on_tell(self, details: bytes, descriptors: list[int]) -> None:
        slot, _, word = details.partition(b" ")
        self._generations.tell(number(slot), word, *descriptors)

    def _on_linked(self, slot: int) -> None:
        self._linking.discard(slot)
        self._generations.tell(slot, channel.BEGIN)

    def _on_gone(self, row: int) -> None:
        if row in self._rows:
            self._rows.remove(row)
            self._retire(row)

    def _on_end(self) -> None:
        """Ordinarily all its processes have ended before it; if it was killed, they end now."""
        for slot in list(self._linking):
            self._on_linked(slot)
        if not self._estate.ours:
            self._parent.predecessor_lost()
            return
        if not self.settled:
            self._generations.elders_lost()
        if self._rows:
            self._timers.after(DEATH_TIMEOUT, self._close)
        else:
            self._close()

    def _close(self) -> None:
        for row in self._rows:
            self._retire(row)
        self._estate.inherited = frozenset()
        self._generations.elders_gone()
        self._parent.predecessor_gone()

    def _retire(self, row: int) -> None:
        columns = self._estate.columns
        self._estate.board.retire_row(row, columns.counters(), columns.used)
