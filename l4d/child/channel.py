"""What master and child say to each other, over a SOCK_SEQPACKET pair: one word a message.

    worker -> master    ready      all is built, nobody is served yet
                        quiet      nothing new is taken any more
    master -> worker    begin      take clients from here on
                        drain      a successor has your sockets: take nothing new, let what lives finish, leave
                        finish     the same without a successor: a UDP flow still hears its client
    control -> master   ready      everything is imported, nothing is done yet
                        looked     every server was checked once, every name was asked for once
    master -> control   go         the last control process is gone: begin
    master -> both      stop       end every session now, leave
                        log        with a descriptor: the reopened log file

The end of the master's side means that it is gone; the child stops.
"""

import contextlib
import os
import socket

READY = b"ready"
QUIET = b"quiet"
LOOKED = b"looked"
BEGIN = b"begin"
GO = b"go"
DRAIN = b"drain"
FINISH = b"finish"
STOP = b"stop"
LOG = b"log"

LONGEST = 64


def pair() -> tuple[socket.socket, socket.socket]:
    """The master's and the child's end."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    theirs.setblocking(False)
    return ours, theirs


def say(sock: socket.socket, word: bytes, *descriptors: int) -> None:
    """Send one word. One who is gone does not hear it; that is told elsewhere."""
    with contextlib.suppress(OSError):
        socket.send_fds(sock, [word], list(descriptors))


def hear(sock: socket.socket) -> tuple[bytes, list[int]] | None:
    """One word with the descriptors that came with it; an empty word is the other side's end; None: nothing came."""
    try:
        word, descriptors, _flags, _address = socket.recv_fds(sock, LONGEST, 4)
    except BlockingIOError:
        return None
    except ConnectionError:
        return b"", []
    for fd in descriptors:
        os.set_inheritable(fd, False)
    return word, descriptors
