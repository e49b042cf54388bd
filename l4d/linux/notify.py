"""Telling the service manager how we are, as sd_notify(3) does: one datagram to the socket it has named, if it has.

Only the main process is heard (NotifyAccess=main). Nothing is ever raised: a manager that does not listen is no reason
to stop.
"""

import contextlib
import os
import socket
import time

VARIABLE = "NOTIFY_SOCKET"


def ready() -> None:
    """The start is over, or a reload, however it went."""
    _tell("READY=1")


def reloading() -> None:
    """A reload begins; the time lets the manager tell its end from that of an earlier one."""
    _tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")


def stopping() -> None:
    _tell("STOPPING=1")


def main_pid(pid: int) -> None:
    """From here on *pid* is the main process, and is heard instead of us."""
    _tell(f"MAINPID={pid}")


def _tell(*lines: str) -> None:
    path = os.environ.get(VARIABLE, "")
    if path[:1] not in {"/", "@"}:
        return
    address = "\0" + path[1:] if path[0] == "@" else path
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as sock:
        sock.sendto("\n".join(lines).encode(), address)
