"""One server: may it be given a session now? Passive failures and sessions are counted over all workers together."""

from dataclasses import replace

import pytest

from l4d.address import SAME_PORT, Inet, Unix
from l4d.config.model import Upstream
from l4d.stats.standing import Standing, Verdict
from l4d.terms import Balance, CheckType, End, Role, ServerState
from l4d.upstream.place import Place
from l4d.upstream.server import MEMORY, SLOWEST_START, Server
from tests.unit.making import CHECKED, Row, is_told, member, upstream

ONCE = upstream(max_fails=1, fail_timeout=10.0)
THREE = upstream(max_fails=3, fail_timeout=10.0)


@pytest.fixture
def here() -> Row:
    return Row()


class Seen:
    """The same server as several workers see it, at moments the test names."""

    def __init__(self, row: Row, config: Upstream, workers: int = 2) -> None:
        self.rows = [row, *(row.another() for _ in range(workers - 1))]
        self.places: list[Place] = [each.place(config) for each in self.rows]
        self.at(0)

    @property
    def servers(self) -> list[Server]:
        return [place.server for place in self.places if place.server is not None]

    def at(self, now: float) -> list[tuple[float, bool]]:
        """Until when it is out and whether it is on probation, for each worker that looks at the board *now*."""
        for place in self.places:
            place.refresh(now)
        return [(server.out_until, server.on_probation) for server in self.servers]


def put_out(*servers: Server, at: float = 102) -> None:
    """Three dials of the first one's worker fail; the last one puts the server out."""
    assert [servers[0].failed(now) for now in (at - 2, at - 1, at)] == [False, False, True]


IN = (0.0, False)


# What the configuration and control say


def test_a_server_is_what_its_configuration_says(here: Row) -> None:
    server = here.server(upstream(name="db"), name="one", weight=5, backup=True, max_sessions=7)
    assert (server.name, server.label, server.weight, server.backup) == ("one", "db/one", 5, True)
    assert (server.max_sessions, server.open, server.down, server.timed) == (7, True, False, False)
    assert here.server(upstream(balance=Balance.LEAST_TIME)).timed


@pytest.mark.parametrize("state", [ServerState.DRAIN, ServerState.MAINT])
def test_one_that_is_not_to_have_new_sessions_is_closed(here: Row, state: ServerState) -> None:
    assert not here.server(state=state).open


def judged(row: Row, verdict: Verdict, config: Upstream, now: float = 50.0) -> Server:
    """The server when control has said *verdict*."""
    Standing(row.said, row.columns, "db", "one").judge(verdict, now)
    return row.server(config, now)


@pytest.mark.parametrize(
    ("verdict", "is_open", "down"),
    [(Verdict.UNKNOWN, True, False), (Verdict.UP, True, False), (Verdict.DOWN, False, True)],
)
def test_a_server_is_open_unless_its_checks_have_failed(here: Row, verdict: Verdict, is_open: bool, down: bool) -> None:
    server = judged(here, verdict, upstream())
    assert (server.open, server.down) == (is_open, down)


@pytest.mark.parametrize(
    ("down", "leaving", "end"),
    [(False, False, None), (True, False, End.SERVER_DOWN), (False, True, End.SERVER_REMOVED)],
)
def test_a_server_is_lost_when_it_is_down_or_leaves(here: Row, down: bool, leaving: bool, end: End | None) -> None:
    server = here.server()
    server.down, server.leaving = down, leaving
    assert server.lost is end


@pytest.mark.parametrize(("verdict", "is_open"), [(Verdict.UNKNOWN, False), (Verdict.UP, True), (Verdict.DOWN, False)])
def test_a_server_that_must_have_a_role_is_closed_until_its_role_is_known(
    here: Row, verdict: Verdict, is_open: bool
) -> None:
    """A replica that took a write for the primary would be worse than no server."""
    config = upstream(check=replace(CHECKED, type=CheckType.POSTGRES, role=Role.PRIMARY))
    server = judged(here, verdict, config)
    assert server.open is is_open
    assert server.down is (verdict is Verdict.DOWN)


def test_an_operator_who_wants_a_server_ready_cannot_make_it_up(here: Row) -> None:
    Standing(here.said, here.columns, "db", "one").wish_state(ServerState.READY, member())
    assert not judged(here, Verdict.DOWN, upstream()).open


# Slow start


def test_a_server_that_comes_back_gets_its_weight_little_by_little(here: Row) -> None:
    place = here.place(upstream(slow_start=20.0), weight=10)
    standing = Standing(here.said, here.columns, "db", "one")
    standing.judge(Verdict.DOWN, 50)
    standing.judge(Verdict.UP, 100)
    server = place.server
    assert server is not None
    weights = []
    for age in (0, 1, 10, 19, 20, 1000):
        place.refresh(100 + age)
        weights.append((server.weight, server.fading_in))
    assert weights == [
        (10 * SLOWEST_START, True),
        (0.5, True),
        (5.0, True),
        (9.5, True),
        (10.0, False),
        (10.0, False),
    ]


def test_a_server_that_never_was_away_has_its_whole_weight_at_once(here: Row) -> None:
    server = judged(here, Verdict.UP, upstream(slow_start=20.0))
    assert (server.weight, server.fading_in) == (1.0, False)


@pytest.mark.parametrize(("slow_start", "weight"), [(0.0, 1.0), (20.0, SLOWEST_START)])
def test_a_server_may_come_back_later_than_our_turn_began(here: Row, slow_start: float, weight: float) -> None:
    """Control writes while a worker's turn is under way, whose time is that of its beginning."""
    standing = Standing(here.said, here.columns, "db", "one")
    standing.judge(Verdict.DOWN, 50)
    standing.judge(Verdict.UP, 100.002)
    assert here.server(upstream(slow_start=slow_start), now=100.001).weight == weight


# Sessions


def test_sessions_are_counted_from_the_choice_and_over_all_workers(here: Row) -> None:
    one, other = Seen(here, upstream()).servers
    assert one.take()
    assert other.take()
    assert one.take()
    assert (one.load(), other.load()) == (3, 3)
    one.give_back()
    other.give_back()
    assert (one.load(), other.load()) == (1, 1)


def test_max_sessions_holds_over_all_workers(here: Row) -> None:
    one, other = (row.server(max_sessions=2) for row in (here, here.another()))
    assert (one.take(), other.take()) == (True, True)
    assert (one.is_full(), other.is_full()) == (True, True)
    assert (one.takes(()), other.takes(())) == (False, False)
    assert not one.take()
    assert one.load() == 2
    other.give_back()
    assert one.takes(())
    assert one.take()


def test_without_a_bound_a_server_is_never_full(here: Row) -> None:
    server = here.server()
    for _ in range(1000):
        assert server.take()
    assert not server.is_full()
    assert server.takes(())


def test_of_two_that_take_the_last_place_at_the_same_time_none_gets_past_the_bound(
    here: Row, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both have counted before either looks: both give it back, and the next look decides."""
    one, other = (row.server(max_sessions=1) for row in (here, here.another()))
    load = Server.load
    outcomes = []

    def counted_meanwhile(server: Server) -> int:
        monkeypatch.setattr(Server, "load", load)
        outcomes.append(other.take())
        return load(server)

    monkeypatch.setattr(Server, "load", counted_meanwhile)
    outcomes.append(one.take())
    assert outcomes == [False, True]  # the other one saw two; it was gone again when we looked
    assert one.load() == 1
    assert not other.take()


def test_a_session_that_leaves_a_bounded_server_tells_those_who_wait(here: Row) -> None:
    bounded, free = here.server(name="one", max_sessions=1), here.server(name="two")
    assert bounded.take()
    assert free.take()
    bounded.give_back()
    assert not is_told(here.board.gap_fd)  # nobody waits
    here.row[bounded.tally.queued] += 1
    free.give_back()
    assert not is_told(here.board.gap_fd)  # it was not for this one that they waited
    assert bounded.take()
    bounded.give_back()
    assert is_told(here.board.gap_fd)


def test_a_session_that_moves_to_another_worker_keeps_its_place_and_nobody_is_told_of_a_gap(here: Row) -> None:
    there = here.another()
    leaving, entering = (row.server(max_sessions=1) for row in (here, there))
    there.row[entering.tally.queued] = 1
    assert leaving.take()
    leaving.move()
    entering.arrive()
    assert not is_told(here.board.gap_fd)
    assert [here.row[leaving.tally.sessions], there.row[entering.tally.sessions]] == [0, 1]
    assert leaving.load() == entering.load() == 1
    assert not leaving.take()


def test_one_that_arrives_is_not_asked_whether_there_is_room(here: Row) -> None:
    server = here.server(max_sessions=1)
    assert server.take()
    server.arrive()
    assert server.load() == 2


def test_those_who_wait_may_be_in_another_worker(here: Row) -> None:
    there = here.another()
    ours, theirs = here.server(max_sessions=1), there.server(max_sessions=1)
    there.row[theirs.tally.queued] += 1
    assert ours.take()
    ours.give_back()
    assert is_told(here.board.gap_fd)


def test_one_that_was_tried_takes_no_further_dial_of_the_same_session(here: Row) -> None:
    server = here.server()
    assert server.takes(())
    assert not server.takes((server,))


# Failed dials


def test_max_fails_put_a_server_out_for_fail_timeout(here: Row) -> None:
    server = here.server(THREE)
    put_out(server)
    assert server.out_until == 112


def test_with_max_fails_of_0_a_server_is_never_out(here: Row) -> None:
    server = here.server(upstream(max_fails=0))
    assert not any(server.failed(100) for _ in range(10))
    assert server.out_until == 0
    assert not server.succeeded(101)


def test_failures_that_are_further_apart_than_fail_timeout_do_not_add_up(here: Row) -> None:
    server = here.server(THREE)
    assert not any(server.failed(now) for now in (100, 105, 111, 115, 122, 126))


def test_the_failures_of_all_workers_add_up(here: Row) -> None:
    one, other = Seen(here, THREE).servers
    assert [one.failed(100), other.failed(101), one.failed(102)] == [False, False, True]


def test_another_servers_failures_are_its_own(here: Row) -> None:
    one, other = here.server(THREE, name="one"), here.server(THREE, name="two")
    for now in (100, 101):
        one.failed(now)
    assert not other.failed(102)
    assert one.failed(103)
    assert other.out_until == 0


def test_the_other_workers_wait_as_long_again_for_what_comes_of_the_first_ones_dial(here: Row) -> None:
    seen = Seen(here, THREE, workers=3)
    put_out(*seen.servers)
    assert seen.at(103) == [(112, False), (122, False), (122, False)]
    assert seen.at(111.9) == [(112, False), (122, False), (122, False)]
    assert seen.at(112) == [(112, True), (122, False), (122, False)]
    assert seen.at(122) == [(112, True), (122, True), (122, True)]


def test_a_worker_that_is_born_later_knows_who_is_out(here: Row) -> None:
    put_out(here.server(THREE))
    assert here.another().server(THREE, now=103).out_until == 122


def test_a_new_generation_of_workers_knows_who_is_out_until_the_old_one_has_left(here: Row) -> None:
    """A reload: the new workers' rows stand beside the old ones', which are retired later."""
    put_out(here.server(THREE))
    seen = Seen(here.another(), THREE)
    assert seen.at(103) == [(122, False), (122, False)]
    here.board.retire_row(here.number, here.columns.counters(), here.columns.used)
    assert seen.at(104) == [IN, IN]


def test_when_the_worker_dies_that_put_a_server_out_the_server_is_in_again(here: Row) -> None:
    seen = Seen(here, THREE)
    put_out(*seen.servers)
    here.board.retire_row(here.number, here.columns.counters(), here.columns.used)
    seen.places.pop(0)
    assert seen.at(103) == [IN]
    assert not seen.servers[0].failed(104)


def test_on_probation_one_dial_is_under_way_at_a_time(here: Row) -> None:
    seen = Seen(here, THREE)
    put_out(*seen.servers)
    seen.at(113)
    server = seen.servers[0]
    assert server.takes(())
    assert server.take()
    assert not server.takes(())
    server.given_up()
    assert server.takes(())


def test_a_dial_that_is_given_up_leaves_no_session_and_makes_room_for_the_next(here: Row) -> None:
    seen = Seen(here, THREE)
    put_out(*seen.servers)
    seen.at(113)
    server = seen.servers[0]
    assert server.take()
    server.let_go()
    assert server.load() == 0
    assert server.takes(())
    assert server.on_probation, "it has said nothing"


@pytest.mark.parametrize("moment", [113, 122.5, 1000])
def test_on_probation_the_next_failure_puts_a_server_out_at_once_however_late_it_comes(
    here: Row, moment: float
) -> None:
    seen = Seen(here, THREE)
    put_out(*seen.servers)
    seen.at(moment)
    server = seen.servers[0]
    assert server.take()
    assert server.failed(moment)
    assert (server.out_until, server.on_probation, server.trying) == (moment + 10, False, 0)
    assert seen.at(moment) == [(moment + 10, False), (moment + 20, False)]


def test_on_probation_any_workers_failure_puts_a_server_out_at_once(here: Row) -> None:
    seen = Seen(here, THREE)
    put_out(*seen.servers)
    seen.at(130)
    assert seen.servers[1].failed(130)
    assert seen.at(130) == [(150, False), (140, False)]


def test_on_probation_an_answer_brings_a_server_in_for_all(here: Row) -> None:
    seen = Seen(here, THREE)
    put_out(*seen.servers)
    seen.at(113)
    bell = here.board.bell
    assert seen.servers[0].succeeded(113)
    assert here.board.bell != bell
    assert seen.at(113) == [IN, IN]
    assert [server.failed(114) for server in (*seen.servers, seen.servers[0])] == [False, False, True]


def test_an_answer_to_another_worker_clears_what_the_one_that_put_it_out_has_counted(here: Row) -> None:
    seen = Seen(here, THREE)
    put_out(*seen.servers)
    seen.at(123)
    assert seen.servers[1].succeeded(123)
    assert seen.at(123) == [IN, IN]
    assert [seen.servers[0].failed(now) for now in (124, 125)] == [False, False]


def test_a_server_stays_in_though_the_worker_dies_to_which_it_answered(here: Row) -> None:
    seen = Seen(here, THREE)
    put_out(*seen.servers)
    seen.at(123)
    seen.servers[1].succeeded(123)
    seen.at(123)
    gone = seen.rows[1]
    here.board.retire_row(gone.number, here.columns.counters(), here.columns.used)
    seen.places.pop(1)
    assert seen.at(124) == [IN]


def test_a_server_that_answers_while_it_is_out_is_in_again_for_all(here: Row) -> None:
    """It was dialled all the same, because nobody else was left."""
    for answered in (0, 1):
        seen = Seen(Row(), THREE)
        put_out(*seen.servers)
        seen.at(105)
        assert seen.servers[answered].succeeded(106)
        assert seen.at(106) == [IN, IN]


def test_a_server_put_out_once_more_after_it_had_answered_is_out(here: Row) -> None:
    seen = Seen(here, ONCE)
    seen.servers[0].failed(100)
    seen.at(110)
    assert seen.servers[0].succeeded(110)
    assert seen.servers[0].failed(110.0004)
    assert seen.at(110.001)[0] == (120, False)


def test_one_that_fails_while_it_is_out_comes_no_later_for_that_and_rings_no_bell(here: Row) -> None:
    server = here.server(ONCE)
    assert server.failed(100)
    bell = here.board.bell
    assert not server.failed(105)
    assert server.out_until == 110
    assert here.board.bell == bell


def test_a_success_clears_the_failures_before_it(here: Row) -> None:
    server = here.server(THREE)
    server.failed(100)
    server.failed(101)
    bell = here.board.bell
    assert not server.succeeded(101)
    assert here.board.bell == bell  # nobody else need know
    assert [server.failed(now) for now in (102, 103, 104)] == [False, False, True]


def test_after_a_success_a_new_count_begins_with_the_next_failure(here: Row) -> None:
    server = here.server(THREE)
    put_out(server)
    assert server.succeeded(103)
    assert not any(server.failed(now) for now in (104, 114.5, 121))


def test_a_success_of_one_worker_leaves_what_another_has_counted(here: Row) -> None:
    one, other = Seen(here, THREE).servers
    one.failed(100)
    one.failed(101)
    assert not other.succeeded(101)
    assert one.failed(102)


def test_a_server_that_is_out_stays_out_when_another_worker_is_late_to_hear_of_it(here: Row) -> None:
    seen = Seen(here, ONCE)
    seen.servers[0].failed(100)
    seen.servers[1].failed(99.9)
    assert seen.at(101) == [(110, False), (120, False)]


def test_control_is_wanted_when_a_server_given_by_name_cannot_be_dialled(here: Row) -> None:
    fixed, named = here.server(), here.seated(Inet("10.0.0.7", 80))
    fixed.failed(100)
    assert not is_told(here.board.knock_fd)
    named.failed(100)
    assert is_told(here.board.knock_fd)


# Where, and how soon


def test_a_server_without_a_port_is_dialled_on_the_one_the_client_came_to(here: Row) -> None:
    assert here.server(address=Inet("::1", SAME_PORT)).address_for(5432) == Inet("::1", 5432)
    assert here.server(address=Inet("::1", 80)).address_for(5432) == Inet("::1", 80)
    assert here.server(address=Unix("/run/db")).address_for(5432) == Unix("/run/db")


def test_nothing_is_known_of_how_soon_a_server_answers_before_it_was_dialled(here: Row) -> None:
    assert here.server().connect_time(1000) == 0


def test_how_soon_a_server_answers_is_a_moving_average(here: Row) -> None:
    server = here.server()
    server.answered_in(0.1, 1000)
    assert server.connect_time(1000) == 0.1
    server.answered_in(0.5, 1000)
    assert server.connect_time(1000) == pytest.approx(0.2)


def test_a_slow_answer_is_forgotten_little_by_little(here: Row) -> None:
    server = here.server()
    server.answered_in(0.8, 1000)
    assert [server.connect_time(1000 + MEMORY * n) for n in range(4)] == pytest.approx([0.8, 0.4, 0.2, 0.1])
    server.answered_in(0.6, 1000 + 2 * MEMORY)
    assert server.connect_time(1000 + 2 * MEMORY) == pytest.approx(0.3)


def test_after_a_very_long_time_nothing_is_known_any_more(here: Row) -> None:
    server = here.server()
    server.answered_in(0.8, 0)
    assert server.connect_time(1e9) == 0
    server.answered_in(0.2, 1e9)
    assert server.connect_time(1e9) == 0.2


def test_an_answer_ends_the_one_dial_that_is_under_way_on_probation(here: Row) -> None:
    server = here.server(ONCE)
    server.on_probation = True
    assert server.take()
    assert server.trying == 1
    server.succeeded(100)
    assert server.trying == 0
