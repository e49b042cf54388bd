"""How a child settles in. What cannot be undone is done in a process of its own."""

import os
import resource
import signal
import socket
from collections.abc import Callable
from dataclasses import replace
from typing import cast

import pytest

from l4d.child import settle
from l4d.child.assignment import Assignment, Identity
from l4d.stats import catalogue
from l4d.terms import Level
from tests.kit.processes import title
from tests.kit.rights import NOBODY, needs_root
from tests.unit.making import CONTROL, Lines, Row, config_of


def assignment_of(row: Row, **changes: object) -> Assignment:
    nothing = cast(socket.socket, None)
    made = Assignment(
        7, config_of(), None, row.board, row.columns, row.number, CONTROL, nothing, Lines(), os.getpid(), detached=False
    )
    return replace(made, **changes)  # type: ignore[arg-type]


def in_a_child(act: Callable[[], object]) -> str:
    """What *act* gives, or raises, in a child of this process."""
    reader, writer = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            answer = str(act())
        except OSError as error:
            answer = f"{type(error).__name__}: {error.strerror}"
        os.write(writer, answer.encode())
        os._exit(0)
    os.close(writer)
    os.waitpid(pid, 0)
    with os.fdopen(reader) as said:
        return said.read()


def test_the_log_says_who_speaks_and_counts_on_the_childs_row_what_was_lost() -> None:
    row = Row()
    sink = Lines()
    log = settle.make_log(assignment_of(row, sink=sink), "worker 3")
    log.info("hello")
    assert (log.who, sink.taken) == ("worker 3 generation 7", [(Level.INFO, "hello")])
    sink.broken = True
    log.error("nobody")
    log.error("hears")
    dropped = row.columns.of(catalogue.LOG_LINES_DROPPED)
    assert row.row[dropped] == 2
    assert row.said[dropped] == 0


def test_the_log_is_as_loud_as_the_file_says() -> None:
    config = config_of()
    quiet = replace(config, log=replace(config.log, level=Level.ERROR))
    sink = Lines()
    settle.make_log(assignment_of(Row(), sink=sink, config=quiet), "control").warning("not wanted")
    assert sink.taken == []


def test_settled_it_has_its_title_and_gains_no_rights() -> None:
    assignment = assignment_of(Row())

    def act() -> str:
        settle.settle(assignment, "worker process")
        with open("/proc/self/status") as status:
            [line] = [line for line in status if line.startswith("NoNewPrivs:")]
        return f"{title(os.getpid())}, {line.split()[1]}"

    assert in_a_child(act) == "l4d: worker process, 1"


def test_it_dies_with_its_master() -> None:
    """The master, here a child, is born and dies after its own child has settled in."""
    reader, writer = os.pipe()
    master = os.fork()
    if master == 0:
        assignment = assignment_of(Row())
        settled, told = os.pipe()
        if os.fork() == 0:
            signal.signal(signal.SIGTERM, lambda _number, _frame: os.write(writer, b"terminated") and os._exit(0))
            settle.settle(assignment, "worker process")
            os.write(told, b"!")
            while True:
                signal.pause()
        os.read(settled, 1)
        os._exit(0)
    os.waitpid(master, 0)
    os.close(writer)
    assert os.read(reader, 100) == b"terminated"
    os.close(reader)


def test_a_child_whose_master_is_gone_already_says_so() -> None:
    assignment = assignment_of(Row(), master=1 << 22)
    assert in_a_child(lambda: settle.settle(assignment, "worker process")) == "ProcessLookupError: the master is gone"


@pytest.mark.parametrize("wanted", [100, 0])
def test_it_may_have_as_many_descriptors_as_the_file_says(wanted: int) -> None:
    config = config_of()
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    assignment = assignment_of(Row(), config=replace(config, main=replace(config.main, rlimit_nofile=wanted)))

    def act() -> object:
        settle.settle(assignment, "worker process")
        return resource.getrlimit(resource.RLIMIT_NOFILE)

    assert in_a_child(act) == str((wanted, before[1]) if wanted else before)


@needs_root
def test_it_becomes_whom_the_file_names_for_good() -> None:
    assignment = assignment_of(Row(), identity=Identity(NOBODY, NOBODY))

    def act() -> object:
        settle.settle(assignment, "worker process")
        return os.getresuid(), os.getresgid(), os.getgroups()

    assert in_a_child(act) == str(((NOBODY,) * 3, (NOBODY,) * 3, []))


@pytest.mark.parametrize(("detached", "error", "terminal", "log"), [
    (False, "stderr", False, False),
    (True, "stderr", True, True),
    (True, "/var/log/l4d", True, False),
])  # fmt: skip
def test_only_a_daemon_leaves_the_terminal_and_the_log_with_it(
    detached: bool, error: str, terminal: bool, log: bool
) -> None:
    config = config_of()
    sink = Lines()
    changes = {"sink": sink, "detached": detached, "config": replace(config, log=replace(config.log, error=error))}
    assignment = assignment_of(Row(), **changes)

    def act() -> object:
        settle.leave_terminal(assignment)
        return [os.readlink(f"/proc/self/fd/{fd}") == os.devnull for fd in (1, 2)], hasattr(sink, "reopened")

    here = [os.readlink(f"/proc/self/fd/{fd}") == os.devnull for fd in (1, 2)]
    assert in_a_child(act) == str(([True, True] if terminal else here, log))
