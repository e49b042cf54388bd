"""The next program, as the running master sees it: from its start until it is l4d, or is gone with all its processes.

started --(will, more)--> has the will --(room)--> has control --(ready)--> could serve --(go)--> is l4d
   |                        |                         |                       |
   +------------------------+-------------------------+-----------------------+--> given up --> gone
"""

import os
import signal
from typing import Protocol

from l4d.log.log import Log
from l4d.loop.loop import Loop
from l4d.master import between, will
from l4d.master.between import number
from l4d.master.estate import Estate
from l4d.master.inheritance import bequeath
from l4d.master.program import Program
from l4d.master.strangers import Strangers


class Parent(Protocol):
    """Who is told."""

    @property
    def log(self) -> Log:
        """Where to log."""
        ...

    def room_wanted(self) -> None:
        """Its control is ready: let ours leave, then call `tell_room`."""
        ...

    def successor_ready(self) -> None:
        """It could serve; call `go`, and it does."""
        ...

    def successor_failed(self, why: str) -> None:
        """It was given up: nothing of it is left, and the estate is ours alone again."""
        ...

    def stop_wanted(self) -> None:
        """It is l4d, and is to stop at once."""
        ...

    def relink_wanted(self, slot: int) -> None:
        """The worker of *slot* is another one: `tell` it of its elders, then call `tell_linked`."""
        ...


class Successor:
    """The heirs of our workers, too: `tell` reaches the worker that has a slot from now on."""

    def __init__(self, loop: Loop, estate: Estate, parent: Parent) -> None:
        """Start it. Raises StartError or OSError: it cannot be run, and all is as it was."""
        self.slots = 0
        self.version = ""
        self.is_l4d = False
        self.log = parent.log
        self._estate = estate
        self._parent = parent
        self._why = ""  # it was given up
        self._failed = False  # and nothing of it is left
        ours, theirs = between.pair()
        try:
            self._program = Program(loop, self, theirs)
        except BaseException:
            ours.close()
            raise
        finally:
            theirs.close()
        self._will, self._descriptors = bequeath(estate)
        self._strangers = Strangers(loop, estate, self._will.board.taken, self._fail_if_gone)
        self._end = between.End(loop, ours, self._heed())

    def _heed(self) -> dict[bytes, between.Heed]:
        return {
            between.WILL: lambda _details, _fds: self._send_will(),
            between.MORE: lambda _details, _fds: self._send_more(),
            between.BORN: self._on_born,
            between.ROOM: lambda _details, _fds: self._on_room(),
            between.READY: lambda details, _fds: self._on_ready(details),
            between.FAILED: lambda details, _fds: self.give_up(details.decode(errors="replace")),
            between.RELINK: lambda details, _fds: self._parent.relink_wanted(number(details)),
            between.STOP: lambda _details, _fds: self._on_stop(),
        }

    @property
    def pid(self) -> int:
        return self._program.pid

    # What it is told

    def tell(self, slot: int, word: bytes, *descriptors: int) -> None:
        """Say one word to the worker in *slot*."""
        self._end.say(between.TELL, b"%d %b" % (slot, word), descriptors)

    def tell_room(self) -> None:
        """Our control has left."""
        self._end.say(between.ROOMY)

    def tell_linked(self, slot: int) -> None:
        """The worker in *slot* knows its elders, and may begin."""
        self._end.say(between.LINKED, b"%d" % slot)

    def tell_quiet(self) -> None:
        """Our workers take nothing new any more."""
        self._end.say(between.QUIET)

    def go(self) -> None:
        """It is l4d from here on. Of our processes that end it is told; it folds their rows."""
        self.is_l4d = True
        self._estate.board.keeper = lambda row: self._end.say(between.GONE, b"%d" % row)
        self._end.say(between.GO)
        self._program.close_output()
        self._strangers.forget()

    def close(self) -> None:
        """Say nothing more: for it, we are gone."""
        self._end.close()

    def signal(self, which: signal.Signals) -> None:
        """Pass on a signal that was meant for l4d."""
        self._program.signal(which)

    def give_up(self, why: str) -> None:
        """Kill it and all its processes. When they are gone, the parent is told."""
        if self.is_l4d or self._why:
            return
        self._why = why
        self._program.signal(signal.SIGKILL)
        self._strangers.kill()
        self._fail_if_gone()

    # What it says

    def _send_will(self) -> None:
        try:
            document = os.memfd_create("l4d-will")
        except OSError as error:
            self.give_up(f"it cannot be told what it is to take over: {error.strerror}")
            return
        with open(document, "wb") as file:
            file.write(will.encode(self._will))
            file.flush()
            self._end.say(between.WILL, b"", (document, 2))

    def _send_more(self) -> None:
        part = self._descriptors[: between.MOST_DESCRIPTORS]
        self._descriptors = self._descriptors[between.MOST_DESCRIPTORS :]
        self._end.say(between.MORE, b"", tuple(part))

    def _on_born(self, details: bytes, descriptors: list[int]) -> None:
        if self.is_l4d:
            return
        row, _, columns = details.partition(b" ")
        self._strangers.write(number(row), number(columns))
        if not descriptors:
            self.give_up("there are too few descriptors to look after its processes")
        while descriptors:
            self._strangers.born(descriptors.pop())
        if self._why:
            self._strangers.kill()

    def _on_room(self) -> None:
        if not self._why:
            self._parent.room_wanted()

    def _on_ready(self, details: bytes) -> None:
        if not self._why and not self.is_l4d:
            slots, _, version = details.partition(b" ")
            self.slots, self.version = number(slots), version.decode(errors="replace")
            if self.slots > 0:
                self._parent.successor_ready()
            else:
                self.give_up("the next program has no workers")

    def _on_stop(self) -> None:
        if self.is_l4d:
            self._parent.stop_wanted()

    def program_ended(self, words: str) -> None:
        """Its end; once it is l4d, that is no business of ours but to be logged."""
        if self.is_l4d:
            self.log.error(f"pid {self.pid}, which is l4d now, {words}")
            return
        self._end.read()  # its last words
        self.give_up(f"the next program (pid {self.pid}) {words}")
        self._fail_if_gone()

    def _fail_if_gone(self) -> None:
        if self._failed or not self._why or self._program.alive or self._strangers.alive:
            return
        self._failed = True
        self._end.close()
        self._strangers.clear_up()
        self._parent.successor_failed(self._why)
