"""One direction of a TCP session: from its source to its target, by the mover that pays.

    open ----(source's FIN read)----> ended ----(all delivered)----> closed
      |                                                                ^
      +-------(target failed: there is nobody to deliver to)-----------+

Copying serves small messages; a channel whose reads keep filling the buffer is bulk and moves over to
splicing, and back when its reads have become small again.
"""

from typing import Final

from l4d.handover.record import Way, error_number, error_of
from l4d.linux.sockets import Socket
from l4d.movers.copy import BUFFER_SIZE, CopyMover
from l4d.movers.machinery import Machinery
from l4d.movers.mover import Mover
from l4d.movers.splice import NoPipeError, SpliceMover
from l4d.terms import Relay

ROUNDS: Final = 4
"""Reads in one event at the most, so that one busy session does not starve the others."""

BULK_READS: Final = 3
"""So many reads in a row that filled the buffer make a channel bulk."""

SMALL_READS: Final = 16
"""So many spliced reads in a row that a copy would have taken at once make it small again."""


class Channel:
    """One direction. `source` and `target` are sockets; errors are kept where they happened."""

    __slots__ = (
        "_columns",
        "_machinery",
        "_more",
        "_mover",
        "_policy",
        "_row",
        "_streak",
        "cut",
        "ended",
        "fin_passed",
        "hung_up",
        "moved",
        "source",
        "source_error",
        "target",
        "target_error",
    )

    def __init__(
        self,
        source: Socket,
        target: Socket,
        machinery: Machinery,
        policy: Relay,
        row: memoryview,
        columns: tuple[int, int],
    ) -> None:
        """Bytes that the target has taken are counted in *columns* of *row*: the listener's and the server's."""
        self.source = source
        self.target = target
        self.moved = 0
        self.ended = False  # no more will be read: the source's end was seen, or it failed, or we stopped
        self.cut = False  # we stopped reading before the source's end
        self.hung_up = False  # the source's connection is over on both sides, or was reset
        self.fin_passed = False  # the target was told that no more will come
        self.source_error: OSError | None = None
        self.target_error: OSError | None = None
        self._row = row
        self._columns = columns
        self._more = False
        self._machinery = machinery
        self._policy = policy
        self._streak = 0  # reads in a row that speak for another mover; 0 also says that this one copies
        self._mover: Mover = CopyMover(source, target, machinery.buffer)
        if policy is Relay.SPLICE:
            self._to_splicing()

    @property
    def blocked(self) -> bool:
        """Whether bytes wait for the target."""
        return self._mover.pending > 0

    @property
    def flowing(self) -> bool:
        """Whether it goes on as before: not ended, not failed, and nothing waits for the target."""
        return not (self.ended or self._mover.pending or self.target_error)

    @property
    def bulk(self) -> bool:
        """Whether its reads of late were so large that more is about to come; also where splicing is an order."""
        return 0 < self._streak <= SMALL_READS

    @property
    def closed(self) -> bool:
        """Whether nothing more will pass here."""
        return self.target_error is not None or (self.ended and not self._mover.pending)

    def pass_on(self) -> bool:
        """The ordinary event: one read, passed on whole. False: it was not ordinary; `pump`, and look closer."""
        mover = self._mover
        try:
            taken = mover.move()
        except BlockingIOError:
            return True
        except (OSError, NoPipeError) as error:
            self._note(error)
            return False
        if mover.pending or self._streak or not 0 < taken < mover.room:
            self._look_closer(taken)
            return False
        listener, server = self._columns  # _count, without the call: this is done for every read
        self.moved += taken
        row = self._row
        row[listener] += taken
        row[server] += taken
        return True

    def pump(self, *, to_end: bool = False) -> None:
        """Move what can be moved, within bounds, until the source has nothing more or the target is full.

        With *to_end* the source is known to have ended: a read that was not full is followed by another one.
        """
        if self._mover.pending:
            self._drain()
        self._more = True
        self.go_on(to_end=to_end)

    def go_on(self, *, to_end: bool = False) -> None:
        """After a `pass_on` that was not ordinary: move what more there is, within bounds."""
        rounds = ROUNDS
        while rounds and self._more and not (self._mover.pending or self.ended or self.target_error):
            rounds -= 1
            if self.pass_on() and not to_end:
                return

    def _look_closer(self, taken: int) -> None:
        """After a move that was not ordinary: is it the end, is there more, is it time for another mover?"""
        mover = self._mover
        if not taken:
            self.ended = True
            return
        self._count(taken - mover.pending)
        self._more = taken >= mover.room
        self._watch_reads(taken)

    def _count(self, given: int) -> None:
        listener, server = self._columns
        self.moved += given
        row = self._row
        row[listener] += given
        row[server] += given

    def _drain(self) -> None:
        try:
            self._count(self._mover.drain())
        except OSError as error:
            self.give_up(error)

    def _note(self, error: Exception) -> None:
        """A move has failed: whose fault it was is told by whether the mover holds something."""
        if isinstance(error, OSError):
            if self._mover.pending:
                self.give_up(error)
            else:
                self.source_error = error
                self.ended = True
        else:
            self._to_copying()
            self._more = True

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

    def hand_over(self) -> tuple[Way, bytes]:
        """Its facts, and the bytes that wait for the target. It is of no use here any more."""
        held = self._mover.release()
        way = Way(
            self.moved,
            len(held),
            self.ended,
            self.cut,
            self.hung_up,
            self.fin_passed,
            error_number(self.source_error),
            error_number(self.target_error),
        )
        return way, held

    def resume(self, way: Way, held: bytes) -> None:
        """Go on where another worker's channel has left off. It begins by copying."""
        self.moved = way.moved
        self.ended = way.ended
        self.cut = way.cut
        self.hung_up = way.hung_up
        self.fin_passed = way.fin_passed
        self.source_error = error_of(way.source_error)
        self.target_error = error_of(way.target_error)
        if held:
            mover = CopyMover(self.source, self.target, self._machinery.buffer)
            mover.take_up(held)
            self._mover, self._streak = mover, 0

    def _watch_reads(self, taken: int) -> None:
        """Change the mover when the reads of a while say so."""
        if self._policy is Relay.COPY:
            return
        if isinstance(self._mover, CopyMover):
            self._streak = self._streak + 1 if self._more else 0
            if self._streak >= BULK_READS and not self._mover.pending:
                self._to_splicing()
            return
        self._streak = self._streak + 1 if taken < BUFFER_SIZE else 1
        if self._streak > SMALL_READS and self._policy is Relay.AUTO and not self._mover.pending:
            self._to_copying()

    def _to_splicing(self) -> None:
        self._mover = SpliceMover(self.source, self.target, self._machinery.pipes)
        self._streak = 1

    def _to_copying(self) -> None:
        self._mover = CopyMover(self.source, self.target, self._machinery.buffer)
        self._streak = 0
