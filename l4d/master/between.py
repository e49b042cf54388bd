"""What two masters say to each other at an upgrade, over a SOCK_SEQPACKET pair: one word a message, with its details.

    next -> last   will               send what you leave
                   more               the next descriptors of it
                   born ROW COLUMNS   with a descriptor of the process: it writes this row, and columns below that one
                   room               control is ready here: let yours leave
                   ready SLOTS VERSION  all could serve
                   failed TEXT        it cannot be, because of TEXT
                   relink SLOT        the worker of SLOT is another one, and waits to be told of its elders
                   stop               l4d stops: end every session now
    last -> next   will               with the document (master/will.py) and standard error
                   more               with the next descriptors
                   roomy              control has left
                   go                 you are l4d from here on
                   tell SLOT WORD     a word for the worker of SLOT, with its descriptors
                   linked SLOT        it was told of its elders
                   quiet              no worker of ours takes anything new any more
                   gone ROW           the process of this row is gone: fold it

The end of the other side means that it is gone. Before `go` the next one ends then, too; afterwards it goes on alone.
"""

import contextlib
import os
import socket
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeAlias

from l4d.linux import messages
from l4d.loop.loop import IN, OUT, Loop

WILL = b"will"
MORE = b"more"
BORN = b"born"
ROOM = b"room"
READY = b"ready"
FAILED = b"failed"
RELINK = b"relink"
STOP = b"stop"
ROOMY = b"roomy"
GO = b"go"
TELL = b"tell"
LINKED = b"linked"
QUIET = b"quiet"
GONE = b"gone"

LONGEST = 8192
MOST_DESCRIPTORS = 250
"""Of the will in one message. Both programs must have the same number here; the kernel takes a few more."""

Heard: TypeAlias = tuple[bytes, bytes, list[int]]
"""A word, its details, its descriptors. An empty word is the other side's end."""

Heed: TypeAlias = Callable[[bytes, list[int]], None]
"""What is done about a word, called with its details and descriptors."""


def pair() -> tuple[socket.socket, socket.socket]:
    """The last master's end and the next one's."""
    return messages.pair()


def say(sock: socket.socket, word: bytes, details: bytes = b"") -> None:
    """Send one word without a descriptor. One who is gone does not hear it."""
    with contextlib.suppress(OSError):
        messages.send(sock, _message(word, details))


def _message(word: bytes, details: bytes) -> bytes:
    return (b"%b %b" % (word, details) if details else word)[:LONGEST]


def hear(sock: socket.socket) -> Heard | None:
    """The next message; None: nothing came. The descriptors are the caller's."""
    received = messages.receive(sock, LONGEST)
    if received is None:
        return None
    word, _, details = received.data.partition(b" ")
    return word, details, received.descriptors


class End:
    """One side's end. What cannot be sent at once waits, in its order."""

    def __init__(self, loop: Loop, sock: socket.socket, heed: dict[bytes, Heed]) -> None:
        """*heed* has what is done about each word, called with its details and descriptors; `b""` is the end.

        The descriptors are closed when it was heeded, but for those that were taken out of the list.
        """
        self._loop = loop
        self._sock = sock
        self._heed = heed
        self._waiting: deque[tuple[bytes, list[int]]] = deque()
        self.open = True
        loop.watch(sock.fileno(), IN, self._on_event)

    def say(self, word: bytes, details: bytes = b"", descriptors: tuple[int, ...] = ()) -> None:
        """One who is gone does not hear it; that is told elsewhere."""
        if not self.open:
            return
        message = _message(word, details)
        if self._waiting or not self._sent(message, descriptors):
            self._waiting.append((message, _copies(descriptors)))
            self._loop.want(self._sock.fileno(), IN | OUT, self._on_event)

    def read(self) -> None:
        """Hear all that was said so far."""
        while self.open and (heard := hear(self._sock)) is not None:
            word, details, descriptors = heard
            if not word:
                self.close()
            try:
                if word in self._heed:  # else it is one of a later program
                    self._heed[word](details, descriptors)
            finally:
                messages.close_all(descriptors)

    def close(self) -> None:
        """Say and hear nothing more."""
        if not self.open:
            return
        self.open = False
        self._loop.forget(self._sock.fileno())
        self._sock.close()
        for _message, descriptors in self._waiting:
            messages.close_all(descriptors)
        self._waiting.clear()

    def _on_event(self, mask: int) -> None:
        if mask & OUT:
            self._send_waiting()
        self.read()

    def _send_waiting(self) -> None:
        while self._waiting:
            message, descriptors = self._waiting[0]
            if not self._sent(message, descriptors):
                return
            self._waiting.popleft()
            messages.close_all(descriptors)
        self._loop.want(self._sock.fileno(), IN, self._on_event)

    def _sent(self, message: bytes, descriptors: Sequence[int]) -> bool:
        """Whether there was room for it, or nobody is left to hear it."""
        try:
            messages.send(self._sock, message, descriptors)
        except BlockingIOError:
            return False
        except OSError:
            return True  # it is gone
        return True


def _copies(descriptors: Sequence[int]) -> list[int]:
    """Of all of them, or of none if there is no number left: whoever hears the word sees that they are missing."""
    copies: list[int] = []
    try:
        copies.extend(map(os.dup, descriptors))
    except OSError:
        messages.close_all(copies)
        return []
    return copies


def number(details: bytes) -> int:
    """The number that is all of *details*; -1: there is none, and nothing has that number."""
    with contextlib.suppress(ValueError):
        return int(details)
    return -1
