"""The check of type exec: what a program is given, and what is taken from it."""

import asyncio
import os
import resource
import signal
import sys
from pathlib import Path

import pytest

from l4d.address import Inet, Unix
from l4d.linux.process import limit_data
from l4d.terms import CheckType
from tests.health.asking import ask, ask_once, run
from tests.kit.processes import is_alive, of_session
from tests.kit.scripted import until
from tests.kit.wait import wait_until

EXEC = CheckType.EXEC
WHERE = Inet("192.0.2.1", 80)


def sh(text: str) -> tuple[str, ...]:
    return ("sh", "-c", text)


def test_the_exit_status_decides_and_the_first_line_is_the_reason() -> None:
    well = ask_once(EXEC, WHERE, command=sh("echo all fine; echo more"))
    assert (well.well, well.why, well.definite) == (True, "all fine", False)
    ill = ask_once(EXEC, WHERE, command=sh("printf '\\n disk \\033[31mfull\\n' >&2; exit 2"))
    assert (ill.well, ill.why) == (False, "disk \\x1b[31mfull")


def test_one_that_says_nothing_is_spoken_for() -> None:
    assert ask_once(EXEC, WHERE, command=sh("exit 3")).why == "exited with status 3"
    assert ask_once(EXEC, WHERE, command=sh("kill -TERM $$")).why == "was killed by SIGTERM"


def test_it_is_told_where_the_server_is_and_nothing_that_we_know(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "hunter2")
    told = "$L4D_UPSTREAM/$L4D_SERVER $L4D_ADDRESS $L4D_PORT $L4D_PATH."
    assert ask_once(EXEC, Inet("2001:db8::1", 80), command=sh(f"echo {told}")).why == "web/one 2001:db8::1 80 ."
    assert ask_once(EXEC, Unix("/run/x"), command=sh(f"echo {told}")).why == "web/one /run/x."
    names = "import os; print(sorted(name for name in os.environ if not name.startswith('LC_')))"
    answer = ask_once(EXEC, WHERE, command=(sys.executable, "-c", names))
    assert answer.why == "['L4D_ADDRESS', 'L4D_PORT', 'L4D_SERVER', 'L4D_UPSTREAM', 'PATH']"


def test_it_inherits_nothing_and_reads_nothing() -> None:
    with open(os.devnull, "rb") as file:
        os.set_inheritable(file.fileno(), True)
        assert ask_once(EXEC, WHERE, command=sh("cat; ls /proc/$$/fd | tr '\\n' ' '")).why == "0 1 2"


@pytest.mark.parametrize("command", [("/nonexistent/check",), ("/etc/passwd",), ("true", "a\0b")])
def test_one_that_cannot_be_started_is_a_failed_check(command: tuple[str, ...]) -> None:
    answer = ask_once(EXEC, WHERE, command=command)
    assert not answer.well
    assert answer.why.startswith(f"cannot run {command[0]}: ")


def test_all_it_has_started_ends_with_it(tmp_path: Path) -> None:
    started = tmp_path / "started"
    assert ask_once(EXEC, WHERE, command=sh(f"sleep 600 & echo $! > {started}; echo done")).why == "done"
    pid = int(started.read_text())
    wait_until("the sleeper has ended", lambda: not is_alive(pid))


def test_all_it_has_started_ends_when_it_is_too_late(tmp_path: Path) -> None:
    async def conversation() -> None:
        started = tmp_path / "started"
        command = sh(f"trap '' TERM; sleep 600 & echo $$ > {started}.new; mv {started}.new {started}; sleep 600")
        task = asyncio.ensure_future(ask(EXEC, WHERE, command=command))
        await until("it has started", started.exists)
        leader = int(started.read_text())
        await until("its sleepers have, too", lambda: len(of_session(leader)) > 1)
        task.cancel()
        await asyncio.wait([task])
        await until("all have ended", lambda: not of_session(leader))

    run(conversation())


def test_one_that_closes_its_output_is_still_waited_for() -> None:
    assert ask_once(EXEC, WHERE, command=sh("exec >&- 2>&-; sleep 0.2; exit 4")).why == "exited with status 4"


def test_one_that_says_too_much_is_no_longer_heard() -> None:
    answer = ask_once(EXEC, WHERE, command=("yes", "I am well"))
    assert (answer.well, answer.why) == (False, "I am well")  # it was killed by SIGPIPE


def test_one_that_says_much_is_heard_to_the_end() -> None:
    answer = ask_once(EXEC, WHERE, command=sh("echo fine; head -c 500000 /dev/zero; exit 0"))
    assert (answer.well, answer.why) == (True, "fine")


def test_one_whose_start_we_do_not_outlive_is_killed(tmp_path: Path) -> None:
    """The test's child asks, and is killed while the program runs."""
    started = tmp_path / "started"
    child = os.fork()
    if child == 0:
        try:
            ask_once(EXEC, WHERE, command=sh(f"echo $$ > {started}.new; mv {started}.new {started}; exec sleep 600"))
        finally:
            os._exit(0)
    wait_until("it has started", started.exists)
    program = int(started.read_text())
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    wait_until("it has ended", lambda: not is_alive(program))


def test_it_may_have_more_memory_than_we() -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    limit_data(1 << 30)
    try:
        unlimited = "unlimited" if hard == resource.RLIM_INFINITY else str(hard >> 10)
        assert ask_once(EXEC, WHERE, command=sh("ulimit -d")).why == unlimited
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))
