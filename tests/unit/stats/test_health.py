"""Whether l4d itself is well."""

from typing import Any

import pytest

from l4d.stats.health import about_to_serve, judge
from l4d.stats.process import Process
from l4d.terms import WorkerState

NOW = 5000.0


def process(slot: int, **changes: Any) -> Process:
    """A worker of two, or control (slot -1), that is well."""
    known = {"generation": 3, "state": WorkerState.SERVING, "heartbeat": NOW - 0.4, "slots": 2, **changes}
    return Process(row=slot + 5, pid=100 + slot, slot=slot, **known)


WELL = [process(-1), process(0), process(1)]


def test_all_is_well_when_every_slot_has_a_worker_that_turns_and_takes_clients() -> None:
    health = judge(WELL, NOW, {0: 0.0, 1: 0.01})
    assert (health.healthy, health.problems) == (True, ())
    assert judge(WELL[1:], NOW, {}).healthy, "not every l4d has a control process"


def test_without_workers_nobody_serves() -> None:
    health = judge([process(-1), process(0, state=WorkerState.LEAVING)], NOW, {})
    assert (health.healthy, health.problems) == (False, ("no worker serves",))


@pytest.mark.parametrize("state", [WorkerState.STARTING, WorkerState.LEAVING])
def test_a_slot_whose_worker_does_not_serve_is_told(state: WorkerState) -> None:
    assert judge([process(0), process(1, state=state)], NOW, {}).problems == ("worker 1 does not serve",)
    assert judge([process(0)], NOW, {}).problems == ("worker 1 does not serve",)


def test_at_a_reload_the_last_worker_serves_until_the_next_one_does() -> None:
    changing = [
        process(0, state=WorkerState.LEAVING),
        process(1),
        process(0, generation=4),
        process(1, generation=4, state=WorkerState.STARTING),
    ]
    assert judge(changing, NOW, {}).healthy


def test_a_slot_in_which_somebody_served_a_moment_ago_is_not_missed_yet() -> None:
    between = [
        process(0, state=WorkerState.LEAVING),
        process(1, state=WorkerState.LEAVING),
        process(0, generation=4, state=WorkerState.STARTING),
        process(1, generation=4, state=WorkerState.STARTING),
    ]
    assert judge(between, NOW, {}, {0, 1}).healthy
    assert judge([process(0)], NOW, {}, {0, 1}).healthy, "it has died, and is replaced at once"
    assert judge([process(0)], NOW, {}, {0}).problems == ("worker 1 does not serve",)


def test_workers_that_start_beside_others_are_about_to_serve() -> None:
    starting = [process(0, generation=4, state=WorkerState.STARTING), process(-1)]
    assert about_to_serve([*starting, process(0, state=WorkerState.LEAVING)]) == {0}
    assert about_to_serve([*starting, process(1, generation=4)]) == {0}
    assert about_to_serve(starting) == set(), "it has yet to serve at all"


def test_when_all_leave_and_nobody_follows_it_is_told_at_once() -> None:
    leaving = [process(slot, state=WorkerState.LEAVING) for slot in range(2)]
    assert judge([process(-1, state=WorkerState.STARTING), *leaving], NOW, {}, {0, 1}).problems == ("no worker serves",)


def test_slots_that_a_reload_has_given_up_are_not_missed() -> None:
    leaving = [process(slot, slots=4, state=WorkerState.LEAVING) for slot in range(4)]
    assert judge([*leaving, process(0, generation=4), process(1, generation=4)], NOW, {}).healthy


def test_of_two_in_a_slot_the_newer_one_counts() -> None:
    silent = process(0, generation=2, heartbeat=NOW - 60)
    assert judge([silent, *WELL], NOW, {}).healthy
    assert judge([*WELL, silent], NOW, {}).healthy


def test_a_process_that_does_not_turn_is_told() -> None:
    health = judge([process(-1, heartbeat=NOW - 3), process(0), process(1, heartbeat=NOW - 2.75)], NOW, {})
    assert health.failures == (
        "worker 1 (pid 101) has not been heard of for 2.8 s",
        "control (pid 99) has not been heard of for 3.0 s",
    )


def test_a_worker_that_has_no_room_is_told() -> None:
    health = judge([process(0, state=WorkerState.FULL), process(1)], NOW, {})
    assert health.failures == ("worker 0 (pid 100) has no room for another session (max_sessions, rlimit_nofile)",)


def test_slow_turns_are_told_and_everybody_is_served_yet() -> None:
    health = judge(WELL, NOW, {1: 0.25, 0: 0.02})
    assert health.healthy
    assert health.problems == (
        "worker 0: 2% of its turns took longer than 50 ms",
        "worker 1: 25% of its turns took longer than 50 ms",
    )
