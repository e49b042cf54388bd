"""What is noted of a flow."""

from tests.chaos.facts import Segment
from tests.chaos.trace import Trace


def test_answers_by_one_port_are_one_segment() -> None:
    trace = Trace(1)
    for number in range(4):
        trace.send(float(number))
    trace.hear(0, 5001, 200, 0.5)
    trace.hear(1, 5001, 200, 1.75)
    trace.hear(3, 5002, 200, 3.5)
    report = trace.report()
    assert report.segments == [Segment(5001, 200, 0, 1, 0.5, 1.0), Segment(5002, 200, 3, 3, 3.5, 3.0)]
    assert report.lost == [2]
    assert (report.longest_wait, report.longest_at) == (0.75, 1.75)


def test_it_is_answered_once_an_answer_has_come() -> None:
    trace = Trace(1)
    trace.send(0.0)
    before = trace.is_answered
    trace.hear(0, 5001, 200, 0.5)
    assert (before, trace.is_answered) == (False, True)


def test_it_knows_what_was_sent() -> None:
    trace = Trace(1)
    trace.send(0.0)
    assert trace.knows(0)
    assert not trace.knows(1)
