"""What master and child say to each other, over a SOCK_SEQPACKET pair: one word a message.

    worker -> master    ready      all is built, nobody is served yet
                        moved      every UDP flow is with a successor; its clients are still heard, and passed on
                        quiet      nothing new is taken any more
                        vacant     no flow is left on the sockets of addresses that are gone
                        shed       the sockets of slots that were given up are closed here
    master -> worker    take_over  with a descriptor: the link (handover/link.py) from a worker of the last generation
                        begin      take clients from here on
                        hand_over SLOT SLOTS  with a descriptor: the link to the worker in this slot of so many
                        drain      a successor has your sockets: take nothing new; what is not handed over may finish
                        steered    new datagrams come to the successors' sockets: read what is queued, and no more
                        shed       no client is steered to slots that were given up: take who is queued there, close
                        access N   with a descriptor: the reopened file of the Nth access log
                        finish     drain, without a successor: a UDP flow still hears its client
    control -> master   ready      everything is imported, nothing is done yet
                        looked     every server was checked once, every name was asked for once
                        ask NUMBER WORD  the operator wants it: reload, reopen, quit
    master -> control   go         the last control process is gone: begin
                        answer NUMBER JSON  what was asked for is begun, or why it cannot be: a list of texts
                        changes JSON  what has happened since the start (stats/changes.py)
    master -> both      stop       end every session now, leave
                        log        with a descriptor: the reopened log file

The end of the master's side means that it is gone; the child stops.
"""

import contextlib
import json
import socket
from collections.abc import Sequence

from l4d.linux import messages

READY = b"ready"
MOVED = b"moved"
QUIET = b"quiet"
VACANT = b"vacant"
SHED = b"shed"
LOOKED = b"looked"
ASK = b"ask"
BEGIN = b"begin"
TAKE_OVER = b"take_over"
HAND_OVER = b"hand_over"
STEERED = b"steered"
GO = b"go"
ANSWER = b"answer"
CHANGES = b"changes"
DRAIN = b"drain"
FINISH = b"finish"
STOP = b"stop"
LOG = b"log"
ACCESS = b"access"

RELOAD = "reload"
REOPEN = "reopen"
QUIT = "quit"

LONGEST = 65536
MOST_TOLD = 60000
"""Bytes of an answer; of more problems than that the first ones are told."""

LINK_BUFFER = 1 << 20
"""Bytes that a link should hold while its other end is busy."""

_WITH_DESCRIPTOR = frozenset({TAKE_OVER, HAND_OVER, LOG, ACCESS})


def has_descriptor(word: bytes) -> bool:
    """Whether *word* is one with a descriptor; it comes without where the process has no number left for that."""
    return word.partition(b" ")[0] in _WITH_DESCRIPTOR


def hand_over(slot: int, slots: int) -> bytes:
    """The word `hand_over` for the successor in *slot* of *slots*."""
    return b"%b %d %d" % (HAND_OVER, slot, slots)


def successor(word: bytes) -> tuple[int, int]:
    """Slot and number of slots of the successor that the word `hand_over` speaks of."""
    _word, slot, slots = word.split()
    return int(slot), int(slots)


def access(number: int) -> bytes:
    """The word `access` for the log of this *number*."""
    return b"%b %d" % (ACCESS, number)


def access_log(word: bytes) -> int:
    """The number of the log that the word `access` speaks of."""
    return int(word.split()[1])


def ask(number: int, what: str) -> bytes:
    """The word `ask`."""
    return b"%b %d %b" % (ASK, number, what.encode())


def asked(word: bytes) -> tuple[int, str]:
    """The number, and what is wanted, of the word `ask`."""
    _word, number, what = word.split()
    return int(number), what.decode()


def answer(number: int, problems: Sequence[str]) -> bytes:
    """The word `answer`: what was asked for is begun, or, with *problems*, is not."""
    told = list(problems)
    while len(encoded := json.dumps(told).encode()) > MOST_TOLD:
        told = [f"{told[0][:1000]}..."] if len(told) == 1 else told[: len(told) // 2]
    return b"%b %d %b" % (ANSWER, number, encoded)


def answered(word: bytes) -> tuple[int, list[str]]:
    """The number, and the problems, of the word `answer`."""
    _word, number, problems = word.split(b" ", 2)
    return int(number), json.loads(problems)


def changes(encoded: bytes) -> bytes:
    """The word `changes`."""
    return b"%b %b" % (CHANGES, encoded)


def details(word: bytes) -> bytes:
    """What follows the first blank of *word*."""
    return word.partition(b" ")[2]


def link(fd: int) -> socket.socket:
    """The link that came with the words `take_over` and `hand_over`."""
    return socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, 0, fd)


def link_pair() -> tuple[socket.socket, socket.socket]:
    """The two ends of a link."""
    ends = pair()
    for end in ends:  # a datagram and its head must fit in, many times; the kernel grants what it can
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, LINK_BUFFER)
    return ends


def pair() -> tuple[socket.socket, socket.socket]:
    """The master's and the child's end."""
    return messages.pair()


def say(sock: socket.socket, word: bytes, *descriptors: int) -> None:
    """Send one word. One who is gone does not hear it; that is told elsewhere."""
    with contextlib.suppress(OSError):
        messages.send(sock, word, descriptors)


def hear(sock: socket.socket) -> tuple[bytes, list[int]] | None:
    """One word with the descriptors that came with it; an empty word is the other side's end; None: nothing came."""
    received = messages.receive(sock, LONGEST)
    return None if received is None else (received.data, received.descriptors)
