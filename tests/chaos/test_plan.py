"""What is planned."""

import pytest

from tests.chaos.options import Options, parse
from tests.chaos.plan import What, chosen, plan


def test_a_seed_plans_the_same_each_time_and_another_one_plans_something_else() -> None:
    assert plan(7, 60, list(What)) == plan(7, 60, list(What))
    assert plan(7, 60, list(What)) != plan(8, 60, list(What))


@pytest.mark.parametrize("seconds", [1, 20, 300])
def test_everything_comes_in_order_and_in_time_however_short_it_is(seconds: float) -> None:
    for seed in range(50):
        planned = plan(seed, seconds, list(What))
        assert {each.what for each in planned} == set(What)
        assert planned == sorted(planned, key=lambda each: each.at)
        assert planned[-1].at < max(seconds, 1.7 * seconds)


def test_a_longer_run_has_more_events() -> None:
    assert len(plan(7, 300, list(What))) > 10 * len(plan(7, 20, list(What)))


def test_workers_are_one_to_eight_and_processes_stand_still_for_a_tenth_of_a_second_to_three() -> None:
    planned = plan(7, 3600, list(What))
    assert {each.which for each in planned if each.what is What.HUP_WORKERS} == set(range(1, 9))
    stops = [each.seconds for each in planned if each.what is What.STOP_WORKER]
    assert 0.1 <= min(stops) < 0.2
    assert 2.9 < max(stops) <= 3.0


def test_a_word_leaves_out_all_that_have_it_in_their_name() -> None:
    assert What.HUP_WORKERS not in chosen(["hup"])
    assert set(What) - set(chosen(["workers"])) == {What.HUP_WORKERS}
    assert set(What) - set(chosen(["kill-worker", "usr2"])) == {What.KILL_WORKER, What.USR2}


def test_without_events_nothing_is_planned() -> None:
    assert plan(7, 20, []) == []


def test_options_are_read() -> None:
    given = parse(["--minutes", "5", "--seed", "7", "--without", "hup,usr2,workers"])
    assert given == Options(seconds=300, seed=7, without=("hup", "usr2", "workers"))


@pytest.mark.parametrize("without", ["nonsense", "hup,usr2,kill,stop"])
def test_options_that_make_no_sense_are_refused(without: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        parse(["--without", without])
    assert refused.value.code == 2
    assert capsys.readouterr().err
