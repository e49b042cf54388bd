"""The control process from its fork to its end. The test forks it, and is its master."""

import asyncio
import os
import resource
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from l4d.child import channel
from l4d.child.assignment import Assignment
from l4d.config import model
from l4d.control import process
from l4d.control.assignment import ControlAssignment
from l4d.control.control import Control
from l4d.linux import calls
from l4d.linux.signals import Signals
from l4d.log.log import Log
from l4d.log.sinks import DescriptorSink, open_file
from l4d.stats.changes import Changes
from l4d.stats.columns import Columns
from l4d.terms import CheckType, Level
from tests.kit.processes import title
from tests.kit.wait import wait_until
from tests.unit.control.making import COLUMNS
from tests.unit.making import CHECKED, CONTROL, NO_CHECK, Lines, OwnBoard, Row, config_of, upstream

UNHEEDED = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH)


class Born:
    """A control process."""

    def __init__(self, stack: ExitStack, log: Path, config: model.Config, master: int, early: int) -> None:
        self._log = log
        row = Row(OwnBoard(rows=8, columns=COLUMNS), Columns(COLUMNS))
        self.channel, theirs = channel.pair()
        stack.callback(self.channel.close)
        sink = DescriptorSink(open_file(str(log)))
        stack.callback(sink.close)
        common = Assignment(
            1, config, None, row.board, row.columns, CONTROL, CONTROL, theirs, sink, master, detached=False
        )
        assignment = ControlAssignment.of(common, stack.enter_context(calls.listen()), (), {}, Changes())
        self.pid = os.fork()
        if self.pid == 0:
            self.channel.close()
            if early:
                signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
                os.kill(os.getpid(), early)
            process.main(assignment)
        theirs.close()

    def wait_ready(self) -> None:
        wait_until("it is ready", lambda: (channel.hear(self.channel) or (b"",))[0] == channel.READY)

    def limits(self, name: str) -> list[str]:
        """The soft and the hard limit."""
        [line] = [line for line in Path(f"/proc/{self.pid}/limits").read_text().splitlines() if line.startswith(name)]
        return line.removeprefix(name).split()[:2]

    def end(self) -> int:
        """Its exit status; less than 0: by a signal."""
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])

    @property
    def log(self) -> str:
        return self._log.read_text()


@pytest.fixture
def stack() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def born(stack: ExitStack, folder: Path, config: model.Upstream | None = None, master: int = 0, early: int = 0) -> Born:
    """*early*: this signal comes before the process has handlers of its own, and is blocked, as the master has it."""
    return Born(stack, folder / "log", config_of(config or upstream(check=NO_CHECK)), master or os.getpid(), early)


def test_it_says_ready_and_leaves_when_told_to(stack: ExitStack, tmp_path: Path) -> None:
    control = born(stack, tmp_path)
    control.wait_ready()
    assert title(control.pid) == "l4d: control process"
    channel.say(control.channel, channel.STOP)
    assert control.end() == 0
    assert control.log == ""


def test_it_leaves_with_its_master(stack: ExitStack, tmp_path: Path) -> None:
    control = born(stack, tmp_path)
    control.wait_ready()
    control.channel.close()
    assert control.end() == 0


def test_what_a_terminal_sends_is_the_masters_to_decide(stack: ExitStack, tmp_path: Path) -> None:
    control = born(stack, tmp_path)
    control.wait_ready()
    for number in UNHEEDED:
        os.kill(control.pid, number)
        # One at a time: pytest's faulthandler has all handlers run on a small stack, too small for some at a time.
        wait_until("it has been heard", lambda: is_waiting(control.pid))
    channel.say(control.channel, channel.STOP)
    assert control.end() == 0
    assert control.log == ""


@pytest.mark.parametrize("number", [*UNHEEDED, signal.SIGTERM])
def test_a_signal_that_comes_while_it_starts_is_for_nobody(
    stack: ExitStack, tmp_path: Path, capfd: pytest.CaptureFixture[str], number: int
) -> None:
    """Nor is it told to the master's loop, whose descriptors are closed in a child, or mean something else there."""
    signals = Signals(())
    stack.callback(signals.close)
    control = born(stack, tmp_path, early=number)
    control.wait_ready()
    channel.say(control.channel, channel.STOP)
    assert control.end() == 0
    assert signals.read() == []
    assert (control.log, capfd.readouterr().err) == ("", "")


def test_sigterm_ends_it(stack: ExitStack, tmp_path: Path) -> None:
    control = born(stack, tmp_path)
    control.wait_ready()
    os.kill(control.pid, signal.SIGTERM)
    assert control.end() == 0


def test_born_to_a_master_that_is_gone_it_does_not_stay(stack: ExitStack, tmp_path: Path) -> None:
    control = born(stack, tmp_path, master=1 << 22)
    assert control.end() == 1
    assert "error control generation 1: cannot work: the master is gone" in control.log


def test_a_password_that_has_gone_since_the_start_keeps_nothing_else_from_being_done(
    stack: ExitStack, tmp_path: Path
) -> None:
    """The master has read it, or it would not have come to this."""
    secret = tmp_path / "secret"
    control = born(stack, tmp_path, upstream(check=replace(CHECKED, type=CheckType.REDIS, password_file=str(secret))))
    control.wait_ready()
    channel.say(control.channel, channel.STOP)
    assert control.end() == 0
    (line,) = control.log.splitlines()
    assert line.endswith(
        f" error control generation 1: upstreams.db.check.password_file: {secret}: no such file or directory"
    )


def test_a_program_that_a_check_runs_heeds_the_signals_that_control_does_not(
    stack: ExitStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a process ignores its programs ignore too (execve(2)); a handler is no such thing."""
    monkeypatch.setattr(Control, "run", run_a_program)
    assert born(stack, tmp_path).end() == 0


async def run_a_program(_control: Control) -> int:
    """The exit status of a control process: whether a program it runs ignores none of UNHEEDED."""
    status = await asyncio.to_thread(subprocess.check_output, ["cat", "/proc/self/status"])
    (ignored,) = [int(line.split()[1], 16) for line in status.splitlines() if line.startswith(b"SigIgn:")]
    return any(ignored >> (number - 1) & 1 for number in UNHEEDED)


def test_of_what_the_libraries_of_databases_look_for_nothing_is_left(
    stack: ExitStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGHOST", "elsewhere")
    monkeypatch.setenv("PGSSLMODE", "require")
    monkeypatch.setattr(Control, "run", look_around)
    assert born(stack, tmp_path).end() == 0


async def look_around(_control: Control) -> int:
    """The exit status of a control process: whether it has variables of PostgreSQL's, or a home."""
    return any(name.startswith("PG") for name in os.environ) or Path.home().exists()


def test_its_exit_status_is_what_its_work_came_to(
    stack: ExitStack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def run(_control: Control) -> int:
        return 7

    monkeypatch.setattr(Control, "run", run)
    assert born(stack, tmp_path).end() == 7


def is_waiting(pid: int) -> bool:
    """Whether the process sleeps, and no signal is on its way to it."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    return status["State"].split()[0] == "S" and not int(status["ShdPnd"], 16) | int(status["SigPnd"], 16)


def test_it_may_have_so_much_memory_and_no_more(stack: ExitStack, tmp_path: Path) -> None:
    control = born(stack, tmp_path)
    control.wait_ready()
    hard = resource.getrlimit(resource.RLIMIT_DATA)[1]
    soft = str(process.MOST_DATA)
    assert control.limits("Max data size") == [soft, "unlimited" if hard == resource.RLIM_INFINITY else str(hard)]
    channel.say(control.channel, channel.STOP)
    assert control.end() == 0


def test_what_can_be_raised_nowhere_is_told_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    class Odd:
        def __del__(self) -> None:
            raise KeyError("of some\nlibrary")

        def __repr__(self) -> str:
            return "<odd>"

    sink = Lines()
    monkeypatch.setattr(sys, "unraisablehook", partial(process._tell_unraisable, Log(sink, Level.INFO, "control")))
    del (odd := [Odd()])[:]
    assert odd == []
    [line] = sink.texts
    assert "__del__" in line
    assert "KeyError('of some\\nlibrary')" in line
    assert "\n" not in line
