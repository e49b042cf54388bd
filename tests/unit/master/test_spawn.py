"""Forking a child: what it has, what it has not, and what is left behind when there is none."""

import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NoReturn

import pytest

from l4d.child import channel
from l4d.child.assignment import Assignment
from l4d.control import process as control
from l4d.control.assignment import ControlAssignment
from l4d.linux import calls
from l4d.master.generation import Child, Generation
from l4d.master.prepare import Prepared, prepare
from l4d.master.spawn import Spawner
from l4d.stats import catalogue
from l4d.stats.changes import Changes
from l4d.stats.columns import Columns
from l4d.worker import process as worker
from l4d.worker.assignment import WorkerAssignment
from tests.kit.processes import children, own_descriptors
from tests.unit.config.helpers import loaded
from tests.unit.making import OwnBoard
from tests.unit.master.test_prepare import config


@pytest.fixture
def prepared(tmp_path: Path) -> Iterator[Prepared]:
    made = prepare(loaded(tmp_path, config(tmp_path)), {}, {}, "")
    yield made
    made.drop()


@pytest.fixture
def spawner() -> Iterator[Spawner]:
    board = OwnBoard(rows=8, columns=512)
    with calls.listen() as inquiries:
        yield Spawner(board, Columns(512), board.take_row(), inquiries, Changes(), detached=False)


def generation(prepared: Prepared) -> Generation:
    return Generation(3, prepared, frozenset())


def say(assignment: Assignment, text: str) -> NoReturn:
    """A child's whole life, for the test."""
    channel.say(assignment.channel, text.encode()[: channel.LONGEST])
    os._exit(0)


def heard(ours: socket.socket) -> str:
    ours.setblocking(True)
    answer = channel.hear(ours)
    assert answer is not None
    return answer[0].decode()


def bury(pid: int, pidfd: int, ours: socket.socket) -> int:
    ours.close()
    os.close(pidfd)
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def bury_child(child: Child) -> int:
    return bury(child.pid, child.pidfd, child.channel)


def test_a_worker_has_its_row_its_slot_and_the_sockets_of_that_slot_alone(
    prepared: Prepared, spawner: Spawner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def main(assignment: WorkerAssignment) -> NoReturn:
        [[sock]] = assignment.sockets.values()
        say(
            assignment,
            f"{assignment.row} {assignment.control_row} {assignment.slot} {assignment.generation} {sock.fileno()}",
        )

    monkeypatch.setattr(worker, "main", main)
    before = own_descriptors()
    child = spawner.worker(generation(prepared), 1)
    wanted = prepared.plan.of_slot(1)["pg"][0].fileno()
    assert heard(child.channel) == f"2 1 1 3 {wanted}"
    assert (child.slot, child.row, child.ready) == (1, 2, False)
    assert abs(child.born - time.monotonic()) < 10
    assert bury_child(child) == 0
    assert own_descriptors() == before


def test_a_child_has_no_descriptor_that_is_the_masters_alone(
    prepared: Prepared, spawner: Spawner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def main(assignment: ControlAssignment) -> NoReturn:
        has = {int(name) for name in os.listdir("/proc/self/fd")}
        has -= {min(set(range(100)) - has), 0, 1, 2}
        mine = {assignment.channel.fileno(), assignment.sink.fd, *assignment.board.descriptors}
        mine.add(assignment.inquiries.fileno())
        others = {fd for fd in has - mine if os.path.exists(f"/proc/self/fd/{fd}")}
        say(assignment, f"{sorted(others)} {mine <= has}")

    monkeypatch.setattr(control, "main", main)
    pid, pidfd, ours = spawner.control(3, prepared)
    assert heard(ours) == "[] True"
    assert bury(pid, pidfd, ours) == 0


def test_a_worker_has_the_access_logs(tmp_path: Path, spawner: Spawner, monkeypatch: pytest.MonkeyPatch) -> None:
    def main(assignment: WorkerAssignment) -> NoReturn:
        [(target, outlet)] = assignment.access.items()
        say(assignment, f"{target.endswith('/all')} {outlet.put([b'a line'])}")

    monkeypatch.setattr(worker, "main", main)
    logging = config(tmp_path).replace("[listeners.pg]", f"access = '{tmp_path}/all'\n[listeners.pg]")
    made = prepare(loaded(tmp_path, logging), {}, {}, "")
    child = spawner.worker(generation(made), 0)
    assert heard(child.channel) == "True Taken(lines=1, lost=0)"
    assert bury_child(child) == 0
    assert (tmp_path / "all").read_bytes() == b"a line"
    made.drop()


def test_control_writes_the_row_that_all_control_processes_have(
    prepared: Prepared, spawner: Spawner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        control, "main", lambda assignment: say(assignment, f"{assignment.row} {assignment.control_row}")
    )
    for _ in range(2):
        pid, pidfd, ours = spawner.control(3, prepared)
        assert heard(ours) == "1 1"
        bury(pid, pidfd, ours)


def test_the_heart_of_control_is_heard_in_seconds(
    prepared: Prepared, spawner: Spawner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def main(assignment: Assignment) -> NoReturn:
        assignment.board.row(assignment.row)[assignment.columns.of(catalogue.HEARTBEAT)] = 12_345
        os._exit(0)

    monkeypatch.setattr(control, "main", main)
    assert spawner.control_heartbeat() == 0
    assert bury(*spawner.control(3, prepared)) == 0
    assert spawner.control_heartbeat() == 12.345


def test_a_child_that_raises_is_no_second_master(
    prepared: Prepared, spawner: Spawner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def main(_assignment: Assignment) -> NoReturn:
        raise KeyError

    monkeypatch.setattr(control, "main", main)
    assert bury(*spawner.control(3, prepared)) == 1


def test_no_signal_reaches_a_child_before_it_has_handlers_of_its_own(
    prepared: Prepared, spawner: Spawner, monkeypatch: pytest.MonkeyPatch
) -> None:
    def main(assignment: Assignment) -> NoReturn:
        os.kill(os.getpid(), signal.SIGTERM)
        say(assignment, str(signal.SIGTERM in signal.sigpending()))

    monkeypatch.setattr(control, "main", main)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    pid, pidfd, ours = spawner.control(3, prepared)
    assert heard(ours) == "True"
    assert bury(pid, pidfd, ours) == 0
    assert signal.pthread_sigmask(signal.SIG_BLOCK, ()) == mask


def refusing(*_args: object) -> NoReturn:
    raise BlockingIOError(11, "no more processes")


@pytest.mark.parametrize("what", ["fork", "pair", "pidfd"])
def test_where_there_can_be_no_child_nothing_is_left_of_it(
    prepared: Prepared, spawner: Spawner, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    place, name = {"fork": (os, "fork"), "pair": (channel, "pair"), "pidfd": (os, "pidfd_open")}[what]
    monkeypatch.setattr(control, "main", lambda _assignment: time.sleep(1000))
    monkeypatch.setattr(worker, "main", lambda _assignment: time.sleep(1000))
    monkeypatch.setattr(place, name, refusing)
    before, rows, family = own_descriptors(), spawner.board.rows_used, children(os.getpid())
    births: list[Callable[[], object]] = [
        lambda: spawner.worker(generation(prepared), 0),
        lambda: spawner.control(3, prepared),
    ]
    for birth in births:
        with pytest.raises(BlockingIOError):
            birth()
    assert own_descriptors() == before
    assert spawner.board.rows_used == rows
    assert children(os.getpid()) == family
