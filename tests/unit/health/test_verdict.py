"""When results make a server up or down."""

from hypothesis import given
from hypothesis import strategies as st

from l4d.health.probe import Answer
from l4d.health.verdict import Judge
from l4d.stats.standing import Verdict

GOOD = Answer(well=True)
BAD = Answer(well=False, why="connection refused")


def test_the_first_result_decides_when_nothing_is_known() -> None:
    judge = Judge(Verdict.UNKNOWN, fall=3, rise=2)
    assert judge.hear(BAD) == "the check failed: connection refused"
    assert judge.verdict is Verdict.DOWN

    judge = Judge(Verdict.UNKNOWN, fall=3, rise=2)
    assert judge.hear(GOOD) == "the check was good"
    assert judge.verdict is Verdict.UP


def test_fall_failures_in_a_row_make_a_server_down() -> None:
    judge = Judge(Verdict.UP, fall=3, rise=2)
    assert [judge.hear(answer) for answer in (BAD, BAD, GOOD, BAD, BAD)] == [""] * 5
    assert judge.hear(BAD) == "3 checks failed, the last: connection refused"
    assert judge.verdict is Verdict.DOWN


def test_rise_good_ones_in_a_row_make_it_up() -> None:
    judge = Judge(Verdict.DOWN, fall=3, rise=2)
    assert [judge.hear(answer) for answer in (GOOD, BAD, GOOD)] == [""] * 3
    assert judge.hear(GOOD) == "2 checks were good"
    assert judge.verdict is Verdict.UP


def test_a_definite_answer_counts_at_once() -> None:
    judge = Judge(Verdict.UP, fall=3, rise=2)
    assert judge.hear(Answer(well=False, why="is a replica", definite=True)) == "is a replica"
    assert judge.hear(Answer(well=True, why="is a primary", definite=True)) == "is a primary"
    assert judge.verdict is Verdict.UP


def test_what_is_known_already_is_not_told_again() -> None:
    judge = Judge(Verdict.UP, fall=1, rise=1)
    assert judge.hear(Answer(well=True, why="is a primary", definite=True)) == ""


ANSWERS = st.builds(Answer, well=st.booleans(), why=st.just("why"), definite=st.integers(0, 9).map(lambda n: n == 0))


@given(st.sampled_from(Verdict), st.integers(1, 5), st.integers(1, 5), st.lists(ANSWERS, max_size=60))
def test_it_judges_like_one_who_keeps_every_result(known: Verdict, fall: int, rise: int, answers: list[Answer]) -> None:
    judge = Judge(known, fall, rise)
    expected, since = known, list[Answer]()
    for answer in answers:
        since.append(answer)
        says = Verdict.UP if answer.well else Verdict.DOWN
        times = rise if answer.well else fall
        alike = [one.well for one in since[-times:]] == [answer.well] * times
        changes = says is not expected and (expected is Verdict.UNKNOWN or answer.definite or alike)

        assert bool(judge.hear(answer)) is changes
        if changes:
            expected, since = says, []
        assert judge.verdict is expected
