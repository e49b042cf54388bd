"""Taking over: sessions come over links from workers of the last generation, and are gone on with here.

    take_over ----> link: hello ----> chunks, datagrams ----> switched ----> the other end is gone
                                                                |
    begin: TCP clients are accepted at once                     +--> UDP sockets are read, once all links have switched

A chunk is taken in one go, before any event of its sockets is heard, and acknowledged: what the other side does not
hear of goes on there. One record that nobody here understands is refused, and goes on there too.
"""

import os
import select
import socket
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from l4d.access.capacity import TCP_DESCRIPTORS, UDP_DESCRIPTORS, Capacity
from l4d.handover import record, settings
from l4d.handover.link import Link, Message, check_version, portions
from l4d.handover.parcel import Parcel
from l4d.handover.record import Json, RecordError
from l4d.linux.messages import close_all
from l4d.linux.sockets import Socket
from l4d.log.log import Log
from l4d.loop.loop import IN, OUT, Loop
from l4d.stats import catalogue
from l4d.terms import Protocol
from l4d.udp import transfer as udp_transfer
from l4d.worker.assignment import WorkerAssignment
from l4d.worker.services import Services

PATIENCE = 15.0
"""UDP sockets are read after so many seconds, even if a worker of the last generation has not switched yet."""

BEREFT = 1.0
"""When a worker of the last generation is gone that has not switched, UDP sockets are read after so many seconds.

Another one may be born in its place, who has a link to us then: what waits in its sockets need not be ours.
"""

MOST_MESSAGES = 32
"""Heard in one event: of the datagrams of a flood there is no end, and sessions want their turn."""


class Incoming:
    """One link, and what came over it."""

    def __init__(self, link: Link, behind: "tuple[Incoming, ...]") -> None:
        """What comes over it is heard *behind* those, whose other ends are gone: it may be in the place of one."""
        self.link = link
        self.behind = behind
        self.switched = False
        self.taken: Counter[Protocol] = Counter()
        self.retired = 0

    @property
    def gone(self) -> bool:
        """Whether the other end is; what it has said may still be unheard."""
        poll = select.poll()
        poll.register(self.link.fileno(), 0)
        return bool(poll.poll(0))


class Taker:
    """All links from the last generation to one worker."""

    def __init__(
        self,
        assignment: WorkerAssignment,
        loop: Loop,
        log: Log,
        services: Services,
        capacity: Capacity,
        on_switched: Callable[[], None],
    ) -> None:
        """*on_switched* is called when the UDP sockets are ours to read."""
        self._loop = loop
        self._log = log
        self._services = services
        self._capacity = capacity
        self._on_switched = on_switched
        self._links: list[Incoming] = []
        self._patience = loop.queue(PATIENCE, Taker._lose_patience)
        self._bereft = loop.queue(BEREFT, self._switched)
        self._row = assignment.board.row(assignment.row)
        self._counted = {one: assignment.columns.of(catalogue.HANDED_OVER, one.value) for one in Protocol}

    @property
    def idle(self) -> bool:
        """Whether nothing can come any more."""
        return not self._links

    @property
    def waiting(self) -> bool:
        """Whether some worker of the last generation still reads the UDP sockets."""
        return bool(self._bereft) or any(not incoming.switched for incoming in self._links)

    def add(self, sock: socket.socket) -> None:
        """A link from a worker of the last generation."""
        if not self.waiting:
            self._patience.enter(self, self._loop.now)
        for replaced in list(self._bereft)[:1]:
            self._bereft.leave(replaced)
        incoming = Incoming(Link(sock), tuple(each for each in self._links if each.gone))
        self._links.append(incoming)
        upstreams = [(name, tcp.service.upstream.name) for name, tcp in self._services.tcp.items()]
        self._loop.watch(incoming.link.fileno(), IN, lambda mask: self._on_link(incoming, mask))
        for some in portions(upstreams):
            self._say(incoming, {"version": record.VERSION, "room": self._capacity.room, "tcp": dict(some)})

    def _on_link(self, incoming: Incoming, mask: int) -> None:
        if any(each in self._links for each in incoming.behind):
            return  # they have their turns, and come to their ends
        try:
            if mask & OUT:
                self._flush(incoming)
            for _ in range(MOST_MESSAGES):
                message = incoming.link.receive()
                if message is None:
                    return
                self._hear(incoming, message)
        except RecordError as error:
            self._log.error(f"taking sessions over: {error}")
            self._say(incoming, {"refused": str(error)})
            self._end(incoming)
            if not incoming.switched:
                self._switched(incoming)
        except OSError:  # it is gone, and has nothing left
            self._end(incoming)
            if not incoming.switched:
                self._bereft.enter(incoming, self._loop.now)

    def _flush(self, incoming: Incoming) -> None:
        incoming.link.flush()
        if not incoming.link.clogged:
            self._loop.want(incoming.link.fileno(), IN, lambda mask: self._on_link(incoming, mask))

    def _hear(self, incoming: Incoming, message: Message) -> None:
        head = message.head
        if "sessions" in head:
            self._take(incoming, message)
            return
        close_all(message.descriptors)  # none is due
        if "datagram" in head:
            udp_transfer.take(self._services.receivers, head["datagram"], message.body)
        elif "switched" in head:
            self._switched(incoming)
        elif "version" in head:
            check_version(head)
            self._retire(head.get("listeners"))
        elif "refused" in head:
            raise RecordError(f"the other worker says: {head['refused']!r:.200}")

    def _retire(self, listeners: Any) -> None:
        """What the file no longer has is told with its settings."""
        if not isinstance(listeners, list):
            raise RecordError("settings of listeners were to come")
        for plain in listeners:
            name = str(plain.get("name", "")) if isinstance(plain, dict) else ""
            try:
                self._services.retire(settings.understood(name, plain))
            except RecordError as error:  # a session of it, if there is one, is refused by itself
                self._log.debug(f"taking sessions over: {error}")

    def _switched(self, incoming: Incoming) -> None:
        incoming.switched = True
        if not self.waiting:
            self._patience.leave(self)
            self._on_switched()

    def _lose_patience(self) -> None:
        self._log.warning(f"a worker of the last generation has not handed its UDP clients over within {PATIENCE:g} s")
        self._on_switched()

    def _end(self, incoming: Incoming) -> None:
        """The other end has nothing left, or is gone."""
        self._links.remove(incoming)
        self._loop.forget(incoming.link.fileno())
        self._loop.at_end(incoming.link.close)
        if incoming.taken:
            words = " and ".join(f"{count} {one.value}" for one, count in sorted(incoming.taken.items(), key=str))
            retired = f"; retired, as the file no longer has their listener or server: {incoming.retired}"
            self._log.info(f"took over {words} sessions{retired if incoming.retired else ''}")

    def _say(self, incoming: Incoming, head: Json) -> None:
        try:
            incoming.link.send(head)
        except OSError:
            return  # its end is told as an event
        if incoming.link.clogged:
            self._loop.want(incoming.link.fileno(), IN | OUT, lambda mask: self._on_link(incoming, mask))

    # A chunk

    def _take(self, incoming: Incoming, message: Message) -> None:
        parcels = _unpack(message)
        if not message.whole:  # this process has no number left for some of the descriptors: another time
            _close(parcels)
            self._say(incoming, {"taken": 0, "refused": [], "room": 0})
            return
        refused = [number for number, parcel in enumerate(parcels) if not self._adopt(incoming, parcel)]
        _close(parcels[number] for number in refused)
        self._say(incoming, {"taken": len(parcels), "refused": refused, "room": self._capacity.room})

    def _adopt(self, incoming: Incoming, parcel: Parcel) -> bool:
        """Whether the session goes on here."""
        try:
            self._services.adopt(parcel)
        except RecordError as error:
            self._log.seldom("refused", f"a session stays with the worker of the last generation: {error}")
            return False
        except Exception:  # ours: this session is lost, the others of the chunk go on
            self._log.bug("taking a session over")
            self._drop(parcel)
            return True
        if parcel.descriptors:
            protocol = Protocol.UDP if parcel.record.bound else Protocol.TCP
            self._row[self._counted[protocol]] += 1
            incoming.taken[protocol] += 1
            incoming.retired += self._services.is_retired(parcel)
        return True

    def _drop(self, parcel: Parcel) -> None:
        for sock in parcel.sockets:
            self._loop.forget(sock.fileno())
            sock.close()


def _unpack(message: Message) -> list[Parcel]:
    """The parcels of a chunk. Raises RecordError; then nothing of it is left open."""
    descriptors = iter(message.descriptors)
    parcels: list[Parcel] = []
    try:
        for plain in _list(message.head["sessions"]):
            one = record.understood(plain)
            parcel = Parcel(one, [], _count(one))
            parcels.append(parcel)
            parcel.sockets.extend(_sockets(one, descriptors))
        if message.whole:
            _fill(parcels, next(descriptors, -1))
    except RecordError:
        _close(parcels)
        raise
    finally:
        close_all(descriptors)
    return parcels


def _close(parcels: Iterable[Parcel]) -> None:
    """They go on where they were: our copies of their descriptors are closed."""
    for parcel in parcels:
        for sock in parcel.sockets:
            sock.close()


def _list(plain: Any) -> list[Any]:
    if not isinstance(plain, list):
        raise RecordError("a chunk is a list of sessions")
    return plain


def _sockets(one: record.Record, descriptors: Iterator[int]) -> Iterator[Socket]:
    kind = socket.SOCK_DGRAM if one.bound else socket.SOCK_STREAM
    for family, fd in zip(one.families, descriptors, strict=False):
        try:
            yield socket.SocketType(family, kind, 0, fd)
        except OSError:
            os.close(fd)
            raise RecordError("a session has descriptors that are no sockets") from None


def _count(one: record.Record) -> int:
    """The descriptors a session counts for."""
    if one.kind == record.Kind.REFUSED.value:
        return 0
    return UDP_DESCRIPTORS if one.bound else TCP_DESCRIPTORS


def _fill(parcels: list[Parcel], memory: int) -> None:
    """Give each parcel its bytes that are on their way, out of the memory they came in; -1: none came."""
    try:
        size = os.fstat(memory).st_size if memory >= 0 else 0
        at = 0
        for parcel in parcels:
            up, down = parcel.record.up.pending, parcel.record.down.pending
            if at + up + down > size:
                raise RecordError("bytes that were on their way are missing")
            parcel.up = os.pread(memory, up, at) if up else b""
            parcel.down = os.pread(memory, down, at + up) if down else b""
            at += up + down
    finally:
        if memory >= 0:
            os.close(memory)
