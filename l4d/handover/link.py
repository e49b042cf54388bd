"""A link: one end of the SOCK_SEQPACKET pair over which a worker hands its sessions to one of the next generation.

A message is a JSON object; behind a newline there may be the bytes of a datagram, and with it may come descriptors.

    taker -> giver  {"version": 1, "room": 9000, "tcp": {...}}  room for so many descriptors; TCP listeners, upstreams
    giver -> taker  {"version": 1, "listeners": [{...}]}        settings of its listeners (settings.py)
                    {"sessions": [...]}                         a chunk: records (record.py), with their descriptors in
                                                                order, and a memfd if bytes are on their way
    taker -> giver  {"taken": 24, "refused": [], "room": 8952}  all of it lives here now, but for what is refused
    giver -> taker  {"datagram": {...}}                         of a client whose flow is the taker's
                    {"switched": true}                          the UDP sockets are the taker's to read
    either          {"refused": "why"}                          it cannot work with the other; each goes on alone

One chunk is under way at a time: descriptors in flight count against the sender's limit (unix(7)), and whatever was not
taken goes on where it was. Only when the giver hears that a chunk was taken does it close its own copies.
"""

import json
import socket
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final, TypeVar

from l4d.handover.record import VERSION, Json, RecordError
from l4d.linux import messages

T = TypeVar("T")

LONGEST: Final = 192 << 10
"""Bytes of a message: within the least send buffer a machine has by default."""

MOST_LISTENERS: Final = 200
"""That one message tells of: with what is told of each, and long names, far from being too long."""


@dataclass(slots=True)
class Message:
    """What was received. *whole*: every descriptor has come that was sent; else this process has no number for it."""

    head: Json
    body: bytes
    descriptors: list[int]
    whole: bool


class Link:
    """Messages wait here when the other end is slow. Whoever sees `clogged` should make no more of them."""

    def __init__(self, sock: socket.socket) -> None:
        """*sock* is non-blocking, and the link's from here on."""
        self._sock = sock
        self._unsent: deque[tuple[bytes, Sequence[int]]] = deque()

    def fileno(self) -> int:
        return self._sock.fileno()

    @property
    def clogged(self) -> bool:
        """Whether anything waits to be sent: `flush` when the descriptor can be written."""
        return bool(self._unsent)

    def send(self, head: Json, body: bytes = b"", descriptors: Sequence[int] = ()) -> None:
        """Send a message, now or when there is room, with *descriptors*, open until then.

        Raises OSError: the other end is gone, or the kernel lacks something; then the message is not sent.
        """
        text = json.dumps(head, separators=(",", ":")).encode()
        self._unsent.append((text + b"\n" + body if body else text, descriptors))
        if len(self._unsent) == 1:
            try:
                self.flush()
            except OSError:
                self._unsent.clear()
                raise

    def flush(self) -> None:
        """Send what waits, as far as there is room. Raises OSError: the other end is gone."""
        while self._unsent:
            data, descriptors = self._unsent[0]
            try:
                messages.send(self._sock, data, descriptors)
            except BlockingIOError:
                return
            self._unsent.popleft()

    def receive(self) -> Message | None:
        """The next message, None if there is none now. Raises RecordError, or OSError when the other end is gone."""
        received = messages.receive(self._sock, LONGEST + 1)
        if received is None:
            return None
        data, descriptors, flags = received
        if not data:
            raise ConnectionResetError(None, "the other end is gone")
        try:
            text, _newline, body = data.partition(b"\n")
            head = json.loads(text)
            if flags & socket.MSG_TRUNC or not isinstance(head, dict):
                raise ValueError
        except (ValueError, RecursionError):
            messages.close_all(descriptors)
            raise RecordError("a message is not of a kind that is known") from None
        return Message(head, body, descriptors, not flags & socket.MSG_CTRUNC)

    def close(self) -> None:
        """What waits is not sent any more."""
        self._unsent.clear()
        self._sock.close()


def portions(listeners: Sequence[T]) -> Iterator[Sequence[T]]:
    """As many as one message tells of; one portion with none in it, if there are none."""
    for begin in range(0, max(1, len(listeners)), MOST_LISTENERS):
        yield listeners[begin : begin + MOST_LISTENERS]


def check_version(head: Json) -> None:
    """Raises RecordError: the other end speaks a version that is not known here."""
    version = head.get("version")
    if type(version) is not int or not 1 <= version <= VERSION:
        raise RecordError(f"version {version!r:.20} of the handover is not known; this l4d knows {VERSION}")
