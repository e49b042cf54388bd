"""What an agent's line comes to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from l4d.health.agent import heard
from l4d.health.probe import Answer
from l4d.terms import ServerState

READY, DRAIN, MAINT = ServerState.READY, ServerState.DRAIN, ServerState.MAINT


@pytest.mark.parametrize(
    ("line", "answer"),
    [
        (b"up", Answer(well=True, why="says up", definite=True)),
        (b"UP", Answer(well=True, why="says up", definite=True)),
        (b"down", Answer(well=False, why="says down", definite=True)),
        (b"fail", Answer(well=False, why="says fail", definite=True)),
        (b"failed#", Answer(well=False, why="says failed", definite=True)),
        (b"stopped #for the\tnight, #2", Answer(well=False, why="says stopped: for the night, #2", definite=True)),
        (b"up #though slow", Answer(well=True, why="says up", definite=True)),
        (b"ready", Answer(well=True, state=READY)),
        (b"drain", Answer(well=True, state=DRAIN)),
        (b"maint", Answer(well=True, state=MAINT)),
        (b"75%", Answer(well=True, percent=75)),
        (b"0%", Answer(well=True, percent=0)),
        (b"99999%", Answer(well=True, percent=1000)),
        (b"maxconn:30", Answer(well=True)),
        (b" ready\t, 50%,up ,maxconn:3", Answer(well=True, why="says up", definite=True, state=READY, percent=50)),
        (b"drain down", Answer(well=False, why="says down", definite=True, state=DRAIN)),
        (b"something 10% else", Answer(well=True, percent=10)),
        (b"down up", Answer(well=True, why="says up", definite=True)),
    ],
)
def test_the_words_are_haproxys(line: bytes, answer: Answer) -> None:
    assert heard(line) == answer


@pytest.mark.parametrize("line", [b"", b" ", b"#up", b"-5%", b"50", b"uptime 3 days", "\u0665%".encode(), b"\xff\xfe"])
def test_a_line_without_a_word_that_is_known_is_a_failed_check(line: bytes) -> None:
    answer = heard(line)
    assert not answer.well
    assert not answer.definite
    assert answer.why.startswith("no word is known of '")


@given(st.binary(max_size=1024))
def test_any_line_comes_to_something(line: bytes) -> None:
    answer = heard(line)
    assert answer.why.isprintable()
    assert len(answer.why) <= 200
    assert answer.percent is None or 0 <= answer.percent <= 1000
