"""What workers did lately."""

from l4d.admin.recent import SECONDS, Recent
from l4d.stats.distribution import Distribution
from l4d.stats.picture import ProcessPicture
from l4d.terms import WorkerState


def worker(cpu: float, turns: int, pid: int = 7, slot: int = 0, *, serves: bool = True) -> ProcessPicture:
    state = WorkerState.SERVING if serves else WorkerState.LEAVING
    spent = Distribution((1.0,), (turns, 0), float(turns))
    return ProcessPicture(slot, 1, pid, state, 0.0, 0, cpu, spent, serves)


def test_what_was_used_is_told_since_the_first_look_that_is_kept() -> None:
    recent = Recent()
    for second in range(SECONDS + 5):
        recent.note([worker(second * 0.5, second * 10)], float(second))
    lately = recent.of(worker(20 * 0.5, 200), 20.0)
    assert lately.cpu_percent == 50
    assert lately.turns.count == (20 - 5) * 10


def test_of_one_that_is_new_all_is_told() -> None:
    recent = Recent()
    recent.note([worker(1.0, 100)], 1.0)
    lately = recent.of(worker(0.1, 3, pid=8), 2.0)
    assert (lately.cpu_percent, lately.turns.count) == (0, 3)
    assert recent.of(worker(1.0, 100), 1.0).turns.count == 100, "no time has passed"


def test_a_pid_that_is_another_process_now_has_used_nothing() -> None:
    recent = Recent()
    recent.note([worker(5.0, 100)], 1.0)
    assert recent.of(worker(0.1, 3), 2.0).cpu_percent == 0


def test_it_is_known_in_which_slots_a_worker_served_of_late() -> None:
    recent = Recent()
    recent.note([worker(1.0, 1), worker(1.0, 1, pid=8, slot=1)], 1.0)
    recent.note([worker(1.0, 1), worker(1.0, 1, pid=8, slot=1, serves=False)], 2.0)
    recent.note([], 3.0)
    assert [recent.serving_slots(since) for since in (0.5, 1.5, 2.5)] == [{0, 1}, {0}, set()]


def test_it_is_known_how_far_back_it_reaches() -> None:
    recent = Recent()
    assert not recent.reaches(10.0)
    recent.note([], 10.0)
    assert recent.reaches(10.0)
    assert not recent.reaches(9.0)
