"""Waiting for a condition, never for a while."""

import select
import socket
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

TIMEOUT = 10.0
"""The longest any step of a test may take before it counts as failed; never a time that is simply spent."""

_PAUSE = 0.005


def wait_until(what: str, condition: Callable[[], T], timeout: float = TIMEOUT) -> T:
    """What *condition* gives, as soon as that is true. *what* finishes the sentence "waited in vain until ..."."""
    deadline = time.monotonic() + timeout
    while not (result := condition()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout:g} s in vain until {what}")
        time.sleep(_PAUSE)
    return result


def is_readable(sock: socket.socket | int) -> bool:
    """Whether it has something to read or accept, an end or an error included, without waiting."""
    poll = select.poll()
    poll.register(sock, select.POLLIN)
    return bool(poll.poll(0))
