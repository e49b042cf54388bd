"""The giving end of one link: a chunk of sessions at a time, each taken, or to go on here.

not ready ----(hello)----> idle <----> a chunk is under way ----(the link breaks)----> what was under way comes back

While a chunk is under way nobody knows whose its sessions are: they may be taken already. So a link that is of no more
use is closed only when the answer has come, or the other end is gone, and then its copies of the sessions with it.
"""

import os
import socket
from collections.abc import Sequence
from typing import Protocol

from l4d.handover import record
from l4d.handover.link import Link, Message, check_version
from l4d.handover.parcel import Parcel
from l4d.handover.record import Json, RecordError
from l4d.linux.messages import close_all
from l4d.log.log import Log
from l4d.loop.loop import IN, OUT, Loop


class Parent(Protocol):
    """Whose links they are."""

    def ready(self, outgoing: "Outgoing") -> None:
        """No chunk is under way, and there is room for one."""
        ...

    def taken(self, parcel: Parcel) -> None:
        """It lives there now."""
        ...

    def came_back(self, parcel: Parcel, *, refused: bool) -> None:
        """It is to go on here; *refused*: the other side will not take it another time either."""
        ...

    def unclogged(self) -> None:
        """There is room in the link again, or one link less."""
        ...


class Outgoing:
    """One link to a worker of the next generation."""

    def __init__(self, loop: Loop, log: Log, parent: Parent, sock: socket.socket, slot: int) -> None:
        self.slot = slot
        self.room = 0
        """So many descriptors the other side has room for."""
        self.tcp: dict[str, str] = {}
        """Its TCP listeners, with their upstreams."""
        self.broken = False
        self._ready = False
        self._parting = False
        self._loop = loop
        self._log = log
        self._parent = parent
        self._link = Link(sock)
        self._under_way: list[Parcel] = []
        self._memory = -1
        self._asking = False
        loop.watch(sock.fileno(), IN, self._on_link)

    @property
    def idle(self) -> bool:
        """Whether a chunk can be sent."""
        return self._ready and not self._asking and not self._parting

    @property
    def busy(self) -> bool:
        """Whether sessions are under way."""
        return bool(self._under_way)

    @property
    def clogged(self) -> bool:
        return self._link.clogged

    def send(self, parcels: list[Parcel]) -> None:
        """Send a chunk; an empty one asks whether there is room again. Only when `idle`."""
        held = b"".join(part for parcel in parcels for part in (parcel.up, parcel.down))
        descriptors = [sock.fileno() for parcel in parcels for sock in parcel.sockets]
        self._under_way = parcels
        self._asking = True
        if held:
            try:
                self._memory = _memory_of(held)
            except OSError as error:  # out of descriptors, say: another time
                self._log.seldom("handing over", f"handing sessions over: {error.strerror}")
                self._finish(0, set(), refused=False)
                return
            descriptors.append(self._memory)
        try:
            self._link.send({"sessions": [record.told(parcel.record) for parcel in parcels]}, b"", descriptors)
        except OSError as error:  # gone, which is told as an event too; or too many descriptors in flight (unix(7))
            self._log.seldom("handing over", f"handing sessions over: {error.strerror}")
            self._finish(0, set(), refused=False)
            return
        self._watch_clogged()

    def say(self, head: Json, body: bytes = b"", descriptors: Sequence[int] = ()) -> None:
        """Send a message; if the link is broken, that is told as an event."""
        if self.broken:
            return
        try:
            self._link.send(head, body, descriptors)
        except OSError:
            return
        self._watch_clogged()

    def _watch_clogged(self) -> None:
        if self._link.clogged:
            self._loop.want(self._link.fileno(), IN | OUT, self._on_link)

    def _on_link(self, mask: int) -> None:
        try:
            # First all that it has said: of one who is gone now, too, or what it has taken would go on here as well.
            while not self.broken and (message := self._link.receive()) is not None:
                self._hear(message)
            if mask & OUT and not self.broken:
                self._flush()
        except RecordError as error:
            self._log.error(f"handing sessions over: {error}; they stay here")
            self.say({"refused": str(error)})
            self.lose()
        except OSError:
            self.lose()

    def _flush(self) -> None:
        self._link.flush()
        if not self._link.clogged:
            self._loop.want(self._link.fileno(), IN, self._on_link)
            self._parent.unclogged()

    def _hear(self, message: Message) -> None:
        """Raises RecordError."""
        head = message.head
        close_all(message.descriptors)  # none is due
        if "refused" in head and "taken" not in head:
            raise RecordError(f"the other worker says: {head['refused']!r:.200}")
        if "version" in head:
            check_version(head)
        self.room = _number(head, "room")
        if "version" in head:
            self.tcp.update(head["tcp"] if isinstance(head.get("tcp"), dict) else {})
            self._ready = True
        else:
            self._finish(_number(head, "taken"), _numbers(head, "refused"), refused=True)
        if self._parting:
            self.part()
        elif self.idle:
            self._parent.ready(self)

    def _finish(self, taken: int, back: set[int], *, refused: bool) -> None:
        """The chunk was answered: of the first so many, those in *back* were not taken.

        *refused*: nor will they be another time; those behind may be.
        """
        parcels, self._under_way = self._under_way, []
        self._asking = False
        self._forget_memory()
        for number, parcel in enumerate(parcels):
            if number < taken and number not in back:
                self._parent.taken(parcel)
            else:
                self._parent.came_back(parcel, refused=refused and number < taken)

    def _forget_memory(self) -> None:
        if self._memory >= 0:
            os.close(self._memory)
            self._memory = -1

    def part(self) -> None:
        """No more is sent: close the link, when what is under way has been answered."""
        self._parting = True
        if not self._asking:
            self.lose()

    def lose(self) -> None:
        """The link is of no use any more; what was under way comes back."""
        if self.broken:
            return
        self.broken = True
        self._ready = False
        self._loop.forget(self._link.fileno())
        self._loop.at_end(self._link.close)
        self._finish(0, set(), refused=False)
        self._parent.unclogged()


def _number(head: Json, name: str) -> int:
    value = head.get(name)
    if type(value) is not int:
        raise RecordError(f"an answer says no {name}")
    return value


def _numbers(head: Json, name: str) -> set[int]:
    value = head.get(name, [])
    if not isinstance(value, list) or not all(type(one) is int for one in value):
        raise RecordError(f"an answer says no {name}")
    return set(value)


def _memory_of(data: bytes) -> int:
    """A descriptor of memory that holds *data*. Raises OSError."""
    fd = os.memfd_create("l4d-handover")
    try:
        at = 0
        while at < len(data):
            at += os.write(fd, data[at:])
    except OSError:
        os.close(fd)
        raise
    return fd
