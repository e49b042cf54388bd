"""What every balancer promises, whatever it balances by."""

import random
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from l4d.address import Inet
from l4d.terms import Balance
from l4d.upstream.balance import Balancer, make_balancer
from l4d.upstream.server import Server
from tests.unit.making import Row

ROW = Row()
SERVERS = [ROW.server(name=f"server-{n}", address=Inet(f"10.0.0.{n}", 80), weight=1 + n % 3) for n in range(6)]
EQUAL = [ROW.server(name=f"equal-{n}", address=Inet(f"10.0.1.{n}", 80)) for n in range(5)]

NOW = 1000.0

every_balance = pytest.mark.parametrize("balance", Balance)
every_weighted_balance = pytest.mark.parametrize("balance", [one for one in Balance if one is not Balance.FIRST])

servers = st.sets(st.sampled_from(SERVERS))


class Step(NamedTuple):
    """Who the members are from here on, how much of the work is done, and one choice among those who may be chosen."""

    members: set[Server]
    pieces: int
    tried: set[Server]
    full: set[Server]
    on_probation: set[Server]
    key: int


steps = st.lists(
    st.builds(Step, servers, st.integers(0, 3), servers, servers, servers, st.integers(0, 2**64 - 1)), max_size=12
)


def in_order(of: set[Server]) -> list[Server]:
    return [server for server in SERVERS if server in of]


def made(balance: Balance, members: Sequence[Server], start: int = 0) -> Balancer:
    """A balancer with these members that has no more to do."""
    balancer = make_balancer(balance, start, random.Random(start))
    balancer.fill(members)
    while balancer.work():
        pass
    return balancer


def take_step(balancer: Balancer, step: Step) -> Server | None:
    """Do what the step says; the choice."""
    balancer.fill(in_order(step.members))
    for _ in range(step.pieces):
        balancer.work()
    for server in SERVERS:
        server.max_sessions = 1 if server in step.full else 0
        server.on_probation, server.trying = server in step.on_probation, 1
    return balancer.choose(step.tried, step.key, NOW)


@pytest.fixture(autouse=True)
def _one_session_each() -> Iterator[None]:
    """Every server has one session, so that it is full if it may have no more; afterwards it is as before."""
    for server in SERVERS + EQUAL:
        server.take()
    yield
    for server in SERVERS + EQUAL:
        server.max_sessions, server.on_probation, server.trying = 0, False, 0
        server.give_back()


@every_balance
@settings(deadline=None, max_examples=50)
@given(walk=steps, start=st.integers(0, 20))
def test_the_chosen_one_is_a_member_that_takes_the_session_and_none_is_chosen_only_if_nobody_does(
    balance: Balance, walk: list[Step], start: int
) -> None:
    balancer = make_balancer(balance, start, random.Random(start))
    for step in walk:
        server = take_step(balancer, step)
        able = step.members - step.tried - step.full - step.on_probation
        assert server in able if able else server is None


@every_balance
@settings(deadline=None, max_examples=20)
@given(walk=steps, start=st.integers(0, 20))
def test_two_that_are_asked_the_same_answer_the_same(balance: Balance, walk: list[Step], start: int) -> None:
    one, other = (make_balancer(balance, start, random.Random(start)) for _ in range(2))
    for step in walk:
        assert take_step(one, step) is take_step(other, step)


@every_balance
@settings(deadline=None, max_examples=50)
@given(walk=steps, start=st.integers(0, 20))
def test_who_is_told_to_be_next_is_next_and_telling_it_changes_nothing(
    balance: Balance, walk: list[Step], start: int
) -> None:
    asked, other = (make_balancer(balance, start, random.Random(start)) for _ in range(2))
    for step in walk:
        untried = step._replace(tried=set())
        other_choice = take_step(other, untried)
        asked.fill(in_order(step.members))
        for _ in range(step.pieces):
            asked.work()
        outlook = asked.peek(step.key, NOW)
        assert asked.peek(step.key, NOW) == outlook
        assert (outlook is None) == (other_choice is None)
        assert all(asked.passed_over(server, NOW) for server in step.members)
        choice = asked.choose((), step.key, NOW)
        assert choice is other_choice
        if outlook is not None:
            assert outlook.why
            assert outlook.server is choice if outlook.certain else outlook.server is None
        assert [server.load() for server in SERVERS] == [1] * len(SERVERS)


@every_balance
def test_of_the_only_member_it_is_certain_that_it_is_next(balance: Balance) -> None:
    outlook = made(balance, SERVERS[1:2]).peek(7, NOW)
    assert outlook is not None
    assert (outlook.server, outlook.certain) == (SERVERS[1], True)


@every_balance
def test_without_members_nobody_is_chosen(balance: Balance) -> None:
    balancer = make_balancer(balance, 0, random.Random(0))
    assert balancer.choose((), 0, NOW) is None
    balancer.fill(SERVERS)
    balancer.fill([])
    assert balancer.choose((), 0, NOW) is None
    assert not balancer.work()


@every_balance
def test_the_only_member_is_always_chosen(balance: Balance) -> None:
    balancer = made(balance, SERVERS[1:2], start=5)
    assert all(balancer.choose((), key, NOW) is SERVERS[1] for key in range(10))


@every_weighted_balance
@pytest.mark.parametrize("start", range(4))
def test_every_member_gets_something(balance: Balance, start: int) -> None:
    assert chosen(made(balance, SERVERS, start), 600, live=100).keys() == set(SERVERS)


@every_weighted_balance
def test_who_comes_gets_something_and_who_has_left_nothing_once_the_work_is_done(balance: Balance) -> None:
    balancer = made(balance, SERVERS[:4])
    balancer.fill(SERVERS[2:])
    while balancer.work():
        pass
    assert chosen(balancer, 600, live=100).keys() == set(SERVERS[2:])


@every_balance
def test_what_it_is_given_is_left_as_it_is(balance: Balance) -> None:
    members, tried = list(SERVERS), {SERVERS[0]}
    made(balance, members).choose(tried, 1, NOW)
    assert (members, tried) == (SERVERS, {SERVERS[0]})


def chosen(balancer: Balancer, times: int, live: int) -> Counter[Server]:
    """Who is chosen how often, while the last *live* sessions are there and those before are over."""
    keys, sessions, counts = random.Random(7), deque[Server](), Counter[Server]()
    for _ in range(times):
        server = balancer.choose((), keys.getrandbits(64), NOW)
        assert server is not None
        assert server.take()
        counts[server] += 1
        sessions.append(server)
        if len(sessions) > live:
            sessions.popleft().give_back()
    for server in sessions:
        server.give_back()
    return counts


@pytest.fixture
def measured() -> Callable[[Sequence[Server]], Sequence[Server]]:
    """Gives servers of which it is known that they answer equally soon."""

    def measure(of: Sequence[Server]) -> Sequence[Server]:
        for server in of:
            server.answered_in(0.001, NOW)
        return of

    return measure


@every_weighted_balance
def test_twice_the_weight_is_about_twice_the_sessions(
    balance: Balance, measured: Callable[[Sequence[Server]], Sequence[Server]]
) -> None:
    counts = chosen(made(balance, measured(SERVERS)), 12_000, live=600)
    for server in SERVERS:
        assert 0.9 < counts[server] / (1000 * server.weight) < 1.1


DRAWN = 0.03
"""How far a share of a fifth may be off over 100,000 independent draws: four times sqrt(0.2 * 0.8 / 100,000) / 0.2,
and some."""


@pytest.mark.parametrize(
    ("balance", "live", "within"),
    [
        (Balance.ROUND_ROBIN, 0, 0.01),
        (Balance.LEAST_CONN, 0, 0.01),
        (Balance.LEAST_CONN, 500, 0.01),
        (Balance.LEAST_TIME, 500, 0.01),
        (Balance.RANDOM, 500, 0.01),
        (Balance.RANDOM, 0, DRAWN),
        (Balance.HASH, 0, DRAWN),
    ],
)
def test_equal_servers_get_equal_shares_of_100_000_sessions(
    balance: Balance, live: int, within: float, measured: Callable[[Sequence[Server]], Sequence[Server]]
) -> None:
    counts = chosen(made(balance, measured(EQUAL)), 100_000, live)
    assert all(abs(counts[server] / 20_000 - 1) <= within for server in EQUAL)
