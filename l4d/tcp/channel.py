"""One direction of a TCP session: from its source to its target, by the mover that pays.

    open ----(source's FIN read)----> ended ----(all delivered)----> closed
      |                                                                ^
      +-------(target failed: there is nobody to deliver to)-----------+

Copying serves small messages; a channel whose reads keep filling the buffer is bulk and moves over to
splicing, and back when its reads have become small again.
"""

import socket

from l4d.movers.copy import CopyMover
from l4d.movers.machinery import Machinery
from l4d.movers.mover import Mover
from l4d.movers.splice import NoPipeError, SpliceMover
from l4d.terms import Relay

ROUNDS = 4
"""Reads in one event at the most, so that one busy session does not starve the others."""

BULK_READS = 3
"""So many reads in a row that filled the buffer make a channel bulk."""

SMALL_READS = 16
"""So many spliced reads in a row that a copy would have taken at once make it small again."""


class Channel:
    """One direction. `source` and `target` are sockets; errors are kept where they happened."""

    __slots__ = (
        "_machinery",
        "_mover",
        "_policy",
        "_streak",
        "cut",
        "ended",
        "fin_passed",
        "moved",
        "source",
        "source_error",
        "target",
        "target_error",
    )

    def __init__(self, source: socket.socket, target: socket.socket, machinery: Machinery, policy: Relay) -> None:
        self.source = source
        self.target = target
        self.moved = 0
        self.ended = False  # no more will be read: the source's end was seen, or it failed, or we stopped
        self.cut = False  # we stopped reading before the source's end
        self.fin_passed = False  # the target was told that no more will come
        self.source_error: OSError | None = None
        self.target_error: OSError | None = None
        self._machinery = machinery
        self._policy = policy
        self._streak = 0
        self._mover: Mover = CopyMover(source, target, machinery.buffer)
        if policy is Relay.SPLICE:
            self._to_splicing()

    @property
    def steady(self) -> bool:
        """Whether all is as at the start: reading, and nothing waits."""
        return not (self.ended or self._mover.pending or self.target_error)

    @property
    def blocked(self) -> bool:
        """Whether bytes wait for the target."""
        return self._mover.pending > 0

    @property
    def closed(self) -> bool:
        """Whether nothing more will pass here."""
        return self.target_error is not None or (self.ended and not self._mover.pending)

    def pump(self) -> int:
        """Move what can be moved now, within bounds: how many bytes the target took.

        Returns as soon as the source has nothing more or the target is full.
        """
        before = self.moved
        if self._mover.pending:
            self._drain()
        rounds = ROUNDS
        while rounds and not self._mover.pending and not self.ended and self.target_error is None:
            rounds -= 1
            if not self._move_once():
                break
        return self.moved - before

    def _move_once(self) -> bool:
        """Fill and drain: whether it is worth trying again at once."""
        mover = self._mover
        try:
            taken = mover.fill()
        except BlockingIOError:
            return False
        except NoPipeError:
            self._to_copying()
            return True
        except OSError as error:
            self.source_error = error
            self.ended = True
            return False
        if not taken:
            self.ended = True
            return False
        self._drain()
        full = taken >= mover.room
        if full or self._streak:
            self._watch_reads(taken, full=full)
        return full

    def _drain(self) -> None:
        try:
            self.moved += self._mover.drain()
        except OSError as error:
            self.give_up(error)

    def give_up(self, error: OSError) -> None:
        """The target takes nothing any more: what waits for it is lost, and nothing more is read for it."""
        self.target_error = error
        self._mover.leave()

    def stop_reading(self) -> None:
        """Deliver what was taken, and take no more."""
        self.cut = not self.ended
        self.ended = True

    def leave(self) -> None:
        """Give back what the mover holds."""
        self._mover.leave()

    def _watch_reads(self, taken: int, *, full: bool) -> None:
        """Change the mover when the reads of a while say so."""
        if self._policy is Relay.COPY:
            return
        if isinstance(self._mover, CopyMover):
            self._streak = self._streak + 1 if full else 0
            if self._streak >= BULK_READS and not self._mover.pending:
                self._to_splicing()
            return
        self._streak = self._streak + 1 if taken < CopyMover.room else 1
        if self._streak > SMALL_READS and self._policy is Relay.AUTO and not self._mover.pending:
            self._to_copying()

    def _to_splicing(self) -> None:
        self._mover = SpliceMover(self.source, self.target, self._machinery.pipes)
        self._streak = 1

    def _to_copying(self) -> None:
        self._mover = CopyMover(self.source, self.target, self._machinery.buffer)
        self._streak = 0
