"""The check of type exec: a server of which a program of the operator's says so, by exit status 0, is well.

The program leads a process group of its own; whatever is left of that when the program has ended, or is too late, is
killed. Its end comes through a pidfd (pidfd_open(2)), so no signal handler is needed. Starting it holds up the loop
for as long as fork and exec take. Should this process be killed, the program is, too; what that has started is not.
"""

import asyncio
import os
import signal
import subprocess
from contextlib import suppress
from functools import partial
from typing import Final

from l4d.address import Unix
from l4d.config.model import Check
from l4d.health.lack import NotAskedError, lack_in
from l4d.health.probe import Answer, Target
from l4d.health.words import one_line, reason
from l4d.linux.process import PROGRAMS, allow_data, describe_end, die_with_parent

_MOST_KEPT: Final = 1024
_CHUNK: Final = 16 << 10

_MOST_READ: Final = 1 << 20
"""The most bytes that are taken of what a program says. One that says more than this is sent SIGPIPE."""


class ExecProbe:
    """Runs the program once for each ask. Its first line, on either output, is the reason."""

    def __init__(self, check: Check) -> None:
        self._command = check.command

    async def ask(self, target: Target) -> Answer:
        """See Probe. A program that cannot be started is a failed check, unless it is no process that can be."""
        try:
            run = _Run(self._command, _environment(target))
        except (OSError, ValueError) as error:
            why = one_line(f"cannot run {self._command[0]}: {reason(error)}")
            if lack_in(error) or isinstance(error, BlockingIOError):  # fork(2): too many processes
                raise NotAskedError(why) from error
            return Answer(well=False, why=why)
        try:
            await run.over.wait()
        finally:
            run.kill()
            await run.over.wait()  # a moment, SIGKILL is not to be refused
        return Answer(well=run.status == 0, why=run.first_line() or describe_end(run.status))


def _environment(target: Target) -> dict[str, str]:
    """Where the server is, and little else: what we were started with may have secrets."""
    address = target.address
    if isinstance(address, Unix):
        where = {"L4D_PATH": address.path}
    else:
        where = {"L4D_ADDRESS": address.host, "L4D_PORT": str(address.port)}
    return {"PATH": PROGRAMS, "L4D_UPSTREAM": target.upstream, "L4D_SERVER": target.server, **where}


def _wait_status(code: int) -> int:
    """What waitpid(2) would have said, of a returncode of subprocess: there a signal's number is negative."""
    return code << 8 if code >= 0 else -code


class _Run:
    """The program at work. Once `over` is set it has been waited for, and its descriptors are closed."""

    def __init__(self, command: tuple[str, ...], environment: dict[str, str]) -> None:
        """Raises OSError when it cannot be started, ValueError when an argument has a zero in it."""
        self.over = asyncio.Event()
        self.status = 0
        self._loop = asyncio.get_running_loop()
        self._kept = b""
        self._read_so_far = 0
        self._process, self._output = _start(command, environment)
        try:
            self._ending = os.pidfd_open(self._process.pid)
        except OSError:
            self.kill()
            self._process.wait()
            os.close(self._output)
            raise
        self._loop.add_reader(self._output, self._read)
        self._loop.add_reader(self._ending, self._end)

    def kill(self) -> None:
        """The program, and all of its group. Nothing, once it is over."""
        if self._process.returncode is None:  # until it is waited for, its number is nobody else's
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)

    def first_line(self) -> str:
        line = self._kept.strip().partition(b"\n")[0]
        return one_line(line.decode("utf-8", "replace"))

    def _read(self) -> None:
        """Take what it says, and keep the beginning, so that it never waits for a reader."""
        try:
            data = os.read(self._output, _CHUNK)
        except BlockingIOError:
            return
        self._kept += data[: _MOST_KEPT - len(self._kept)]
        self._read_so_far += len(data)
        if not data or self._read_so_far >= _MOST_READ:  # the one may go on for long, the other is not to
            self._stop_reading()

    def _stop_reading(self) -> None:
        if self._output >= 0:
            self._loop.remove_reader(self._output)
            os.close(self._output)
            self._output = -1

    def _end(self) -> None:
        """It has ended: what it said last, its status, and no more of it."""
        if self._output >= 0:
            self._read()
        self._stop_reading()
        self.kill()
        self.status = _wait_status(self._process.wait())
        self._loop.remove_reader(self._ending)
        os.close(self._ending)
        self.over.set()


def _start(command: tuple[str, ...], environment: dict[str, str]) -> tuple["subprocess.Popen[bytes]", int]:
    """The process, and the end of a pipe that has what it says, to be read without waiting."""
    output, writing = os.pipe()
    try:
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=writing,
            stderr=writing,
            start_new_session=True,
            # Nothing else can ask for the signal in time. There is one thread here, so no lock is held by another one.
            preexec_fn=partial(_settle, os.getpid()),  # noqa: PLW1509
        )
    except BaseException:
        os.close(output)
        raise
    finally:
        os.close(writing)
    os.set_blocking(output, False)
    return process, output


def _settle(parent: int) -> None:
    """In the child, before it is the program: it is killed when we are, and has the memory that control has not."""
    if not die_with_parent(parent, by=signal.SIGKILL):
        os.kill(os.getpid(), signal.SIGKILL)
    allow_data()
