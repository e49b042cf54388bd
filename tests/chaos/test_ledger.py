"""The whole account: what is told by all, put together."""

from tests.chaos.event import Event
from tests.chaos.facts import Broken, Fact, Flow, Ready, Segment, Tally, Wrong, facts_in, line_of
from tests.chaos.ledger import Account, Difference, account
from tests.chaos.plan import What

WORKER = Event(110.0, What.KILL_WORKER, 100, sessions=frozenset({(7000, 50001)}), flows=frozenset({5001}))
BROKEN = Broken("long", 1, 7000, begun=105.0, ended=110.1, how="reset", port=50001, server=200)
FLOW = Flow(
    number=9,
    sent=[109.0, 109.9, 110.2],
    segments=[Segment(5001, 200, 0, 0, 109.1, 109.0), Segment(5002, 200, 2, 2, 110.3, 110.2)],
    lost=[1],
    doubled=[],
    disordered=[],
    longest_wait=0.1,
    longest_at=109.1,
)
WHOLE = Tally("long", {"begun": 3, "whole": 3, "broken": 0})
ONE_BROKEN = Tally("long", {"begun": 3, "whole": 2, "broken": 1})


def close(facts: list[Fact], *events: Event) -> Account:
    return account(100.0, events, facts, ["long"])


def test_a_run_in_which_nothing_is_missing_has_no_differences() -> None:
    assert close([Ready("long"), WHOLE]) == Account(tallies={"long": WHOLE.counts})


def test_what_is_explained_is_counted_by_event() -> None:
    made = close([ONE_BROKEN, BROKEN, FLOW], WORKER)
    assert not made.differences
    [(event, ended)] = made.explained
    assert event is WORKER
    assert dict(ended) == {"long": 1, "flows": 1, "datagrams": 1}


def test_what_nothing_explains_is_named_with_its_time() -> None:
    made = close([ONE_BROKEN, BROKEN, FLOW])
    assert made.differences[0] == Difference(
        "long", "session 1 (port 50001, begun at 5.000, server pid 200): reset", BROKEN.ended - 100.0
    )
    assert [each.kind for each in made.differences] == ["long", "flows", "flows"]


def test_a_wrong_byte_is_a_difference_whoever_died() -> None:
    made = close([WHOLE, Wrong("long", "byte 5 is another one", 110.0)], WORKER)
    assert made.differences == [Difference("long", "byte 5 is another one", 10.0)]


def test_a_generator_that_says_nothing_is_a_difference() -> None:
    assert close([]).differences == [Difference("long", "it has not said what came of it")]


def test_numbers_that_do_not_add_up_are_a_difference() -> None:
    assert len(close([Tally("long", {"begun": 3, "whole": 2, "broken": 0})]).differences) == 1
    assert len(close([ONE_BROKEN]).differences) == 1, "the broken one was not reported"
    assert len(close([WHOLE, BROKEN], WORKER).differences) == 1, "a broken one was not counted"


def test_flows_are_summed() -> None:
    made = close([WHOLE, FLOW, FLOW], WORKER)
    assert made.tallies["flows"] == {
        "clients": 2,
        "flows": 4,
        "datagrams": 6,
        "back": 4,
        "lost": 2,
        "longest_wait": 0.1,
        "longest_at": 109.1,
    }


def test_what_is_said_is_read_again_and_half_a_line_is_not() -> None:
    facts: list[Fact] = [Ready("long"), WHOLE, BROKEN, FLOW, Wrong("long", "byte 5", 1.0)]
    lines = [line_of(fact) for fact in facts]
    assert list(facts_in([*lines, lines[0][:-5]])) == facts
