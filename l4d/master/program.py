"""The program now on disk, started beside us at an upgrade with the command line that started us."""

import os
import signal
import socket
import sys
from typing import Protocol

from l4d.errors import StartError
from l4d.linux.process import describe_end
from l4d.log.log import Log
from l4d.loop.loop import IN, Loop

VARIABLE = "L4D_UPGRADE"
"""In its environment: the number of the descriptor over which the running master speaks to it."""

MOST_LINES = 100
"""So many lines that it writes to standard error are logged; a program that says more says nothing."""


class Parent(Protocol):
    """Who is told."""

    @property
    def log(self) -> Log:
        """Where to log."""
        ...

    def program_ended(self, words: str) -> None:
        """It is gone, as *words* say."""
        ...


class Program:
    """A child of ours that is to be the next master."""

    def __init__(self, loop: Loop, parent: Parent, theirs: socket.socket) -> None:
        """Start it with *theirs*, its end of a pair. Raises StartError: it cannot be run."""
        self._loop = loop
        self._parent = parent
        self._begun = b""  # a line whose end has not come
        self._lines = 0
        self._output, writer = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
        os.set_blocking(writer, True)
        try:
            self.pid, self._pidfd = _start(theirs, writer)
        except StartError:
            os.close(self._output)
            raise
        finally:
            os.close(writer)
        loop.watch(self._output, IN, lambda _mask: self.read_output())
        loop.watch(self._pidfd, IN, lambda _mask: self._on_exit())

    @property
    def alive(self) -> bool:
        return self._pidfd >= 0

    def signal(self, number: signal.Signals) -> None:
        if self.alive:
            signal.pidfd_send_signal(self._pidfd, number)

    def read_output(self) -> None:
        """Log what it has written to standard error so far."""
        while self._output >= 0:
            try:
                data = os.read(self._output, 65536)
            except BlockingIOError:
                return
            *lines, self._begun = (self._begun + data).split(b"\n")
            for line in lines if data else [self._begun]:
                self._pass_on(line)
            if not data:
                self.close_output()

    def close_output(self) -> None:
        """It speaks for itself from here on, or not at all."""
        if self._output >= 0:
            self._loop.forget(self._output)
            os.close(self._output)
            self._output = -1

    def _pass_on(self, line: bytes) -> None:
        self._lines += 1
        if line and self._lines <= MOST_LINES:
            text = line.decode(errors="replace")
            self._parent.log.warning(f"the next program says: {text}")

    def _on_exit(self) -> None:
        _pid, status = os.waitpid(self.pid, 0)
        self._loop.forget(self._pidfd)
        os.close(self._pidfd)
        self._pidfd = -1
        self.read_output()
        self.close_output()
        self._parent.program_ended(describe_end(status))


def _start(theirs: socket.socket, stderr: int) -> tuple[int, int]:
    """Its pid and a descriptor for it. Raises StartError, and then there is no child."""
    path, line = command_line()
    theirs.set_inheritable(True)  # all else that is ours is closed by the exec
    try:
        pid = os.posix_spawn(
            path,
            line,
            os.environ | {VARIABLE: f"{theirs.fileno()}"},
            file_actions=[(os.POSIX_SPAWN_DUP2, stderr, 2)],
            setsigmask=(),
            setsigdef=[number for number in signal.Signals if number not in {signal.SIGKILL, signal.SIGSTOP}],
        )
    except OSError as error:
        raise StartError(f"{path} cannot be run: {error.strerror}") from None
    try:
        return pid, os.pidfd_open(pid)
    except OSError as error:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise StartError(f"{path}: {error.strerror}") from None


def command_line() -> tuple[str, list[str]]:
    """What to run, and its arguments: the script that we are, if it is one, else our interpreter with what it was told.

    A script names its interpreter itself, and so may choose another one than ours.
    """
    script = sys.argv[0]
    if os.path.isfile(script) and os.access(script, os.X_OK):
        return script, list(sys.argv)
    return sys.executable, [sys.executable, *sys.orig_argv[1:]]
