"""What the board says of servers, and why one is given no sessions."""

from dataclasses import replace
from typing import Any

import pytest

from l4d.address import Host, Inet
from l4d.config import model
from l4d.stats import catalogue, picture_servers
from l4d.stats.failures import SharedFailures
from l4d.stats.numbers import Numbers
from l4d.stats.picture_servers import ServerPicture, UpstreamPicture, Wishes
from l4d.stats.standing import Standing, Verdict, subject_of
from l4d.stats.tally import ServerTally, reserve
from l4d.terms import Role, ServerState
from tests.unit.making import CHECKED, CONTROL, Row, config_of, listener, member, upstream

NOW = 1000.0

NAME = "db.example:80"
NAMED = member(name=NAME, address=Host("db.example", 80))

ONE, TWO = member(name="one"), member(name="two", address=Inet("10.0.0.2", 5432), weight=4)


class Seen:
    """An upstream's board, and the picture of it."""

    def __init__(self, *servers: model.Server, **changes: Any) -> None:
        self.upstream = upstream(servers=servers, **changes)
        self.config = replace(config_of(self.upstream), listeners={"web": listener(), "ssh": listener(name="ssh")})
        self.row = Row(columns=None)
        columns = self.row.columns
        reserve(columns, replace(self.config, upstreams={}))
        self.entries = {name: entry for entry in servers for name in (entry.name, *entry.seats)}

    def tally(self, server: str = "one") -> ServerTally:
        return ServerTally(self.row.row, self.row.columns, "db", server)

    def standing(self, server: str = "one") -> Standing:
        return Standing(self.row.said, self.row.columns, "db", server)

    def failures(self, server: str = "one") -> SharedFailures:
        return SharedFailures(self.row.board, self.tally(server))

    def judge(self, verdict: Verdict, server: str = "one") -> None:
        standing = self.standing(server)
        standing.begin(subject_of(self.upstream, self.entries[server]))
        standing.judge(verdict, NOW)

    def picture(self) -> UpstreamPicture:
        [found] = picture_servers.upstreams(Numbers(self.row.board, self.row.columns), self.config, CONTROL, NOW)
        return found

    def server(self, name: str = "one") -> ServerPicture:
        found = self.picture()
        [server] = [each for each in (*found.servers, *found.nowhere, *found.vacant) if each.name == name]
        return server

    @property
    def why(self) -> str:
        server = self.server()
        assert server.serving is not bool(server.why)
        return server.why


def test_an_upstream_has_its_servers_its_listeners_and_its_queue() -> None:
    seen = Seen(ONE, TWO)
    seen.row.row[seen.tally().queued] = 3
    found = seen.picture()
    assert (found.upstream, found.listeners, found.queued, found.up) == (seen.upstream, ("web", "ssh"), 3, 2)
    assert [(each.name, each.address, each.present) for each in found.servers] == [
        ("one", "10.0.0.1:5432", True),
        ("two", "10.0.0.2:5432", True),
    ]
    assert (found.nowhere, found.vacant) == ((), ())
    assert [each.weight for each in found.servers] == [1, 4]


def test_a_server_is_what_all_workers_have_counted_for_it() -> None:
    seen = Seen(ONE, TWO)
    other = ServerTally(seen.row.another().row, seen.row.columns, "db", "two")
    for tally in (seen.tally("two"), other):
        tally.row[tally.sessions] += 1
        tally.row[tally.sessions_total] += 5
        tally.row[tally.bytes_up] += 10
        tally.row[tally.bytes_down] += 20
        tally.row[tally.failures["refused"]] += 2
        tally.connect.observe(0.25)
    seen.standing("two").count("failed")
    two = seen.server("two")
    assert (two.sessions, two.sessions_total, two.bytes_up, two.bytes_down) == (2, 10, 20, 40)
    assert {reason: count for reason, count in two.failures.items() if count} == {"refused": 4}
    assert two.checks == {"good": 0, "failed": 1}
    assert (two.connect.count, two.connect.mean) == (2, 0.25)
    assert seen.server("one").sessions_total == 0


def test_a_server_nobody_has_spoken_of_serves() -> None:
    one = Seen(ONE).server()
    assert (one.verdict, one.state, one.why, one.agent, one.wishes) == (
        Verdict.UNKNOWN,
        ServerState.READY,
        "",
        "",
        Wishes(),
    )


def test_one_that_is_down_by_its_checks_says_so() -> None:
    seen = Seen(ONE)
    seen.judge(Verdict.UP)
    assert seen.why == ""
    seen.judge(Verdict.DOWN)
    assert seen.why == "down by its checks"
    assert seen.picture().up == 0


def test_what_was_said_of_another_in_its_place_does_not_count() -> None:
    seen = Seen(ONE)
    standing = seen.standing()
    standing.begin(12345)
    standing.judge(Verdict.DOWN, NOW)
    standing.want(ServerState.DRAIN, 50)
    assert (seen.why, seen.server().verdict, seen.server().agent) == ("", Verdict.UNKNOWN, "")


def test_one_whose_role_is_not_known_yet_may_be_the_wrong_one() -> None:
    seen = Seen(ONE, check=replace(CHECKED, role=Role.PRIMARY))
    assert seen.why == "not known to be the primary yet"
    seen.judge(Verdict.UP)
    assert seen.why == ""


@pytest.mark.parametrize("state", [ServerState.DRAIN, ServerState.MAINT])
def test_who_wants_a_server_to_rest_is_told(state: ServerState) -> None:
    by_file = Seen(member(state=state))
    assert by_file.why == f"{state.value}, in the file"
    seen = Seen(ONE)
    seen.judge(Verdict.UP)
    seen.standing().want(state, 50)
    assert (seen.why, seen.server().agent) == (f"{state.value}, by its agent", f"{state.value}, 50 % of its weight")
    seen.standing().want(None, 25)
    assert (seen.why, seen.server().agent, seen.server().weight) == ("", "25 % of its weight", 0.25)
    seen.standing().wish_state(state, ONE)
    assert seen.why == f"{state.value}, by the operator"
    assert seen.server().state is state


def test_an_agent_is_not_taken_for_the_file_that_the_operator_has_overruled() -> None:
    entry = member(state=ServerState.DRAIN)
    seen = Seen(entry)
    seen.judge(Verdict.UP)
    seen.standing().wish_state(ServerState.READY, entry)
    assert seen.why == ""
    seen.standing().want(ServerState.DRAIN, None)
    assert (seen.why, seen.server().agent) == ("drain, by its agent", "drain")


def test_the_wishes_in_force_are_told_and_hold() -> None:
    seen = Seen(ONE)
    seen.standing().wish_weight(7, ONE)
    seen.standing().wish_sessions(2, ONE)
    one = seen.server()
    assert (one.wishes, one.weight, one.max_sessions) == (Wishes(None, 7, 2), 7, 2)
    assert Seen(member(weight=3)).server().wishes == Wishes()


def test_one_that_is_full_says_how_full() -> None:
    seen = Seen(member(max_sessions=2))
    tally = seen.tally()
    tally.row[tally.sessions] = 1
    assert seen.why == ""
    tally.row[tally.sessions] = 2
    assert seen.why == "full: 2 of max_sessions 2"


def test_one_that_failed_dials_keep_out_says_for_how_long_yet() -> None:
    seen = Seen(ONE, max_fails=3)
    seen.failures().put_out(NOW + 6.5)
    assert (seen.why, seen.server().out_seconds) == ("out for 7 s more after 3 failed dials", 6.5)
    seen.failures().forget(NOW)
    assert (seen.why, seen.server().out_seconds) == ("", 0)


def test_one_whose_time_out_is_over_is_tried_again() -> None:
    seen = Seen(ONE, max_fails=1)
    seen.failures().put_out(NOW + 0.5)
    assert seen.why == "out for 1 s more after 1 failed dial"
    seen.failures().put_out(NOW - 0.5)
    assert (seen.why, seen.server().out_seconds) == ("", 0)


def test_one_that_was_in_again_before_it_was_put_out_the_last_time_is_out() -> None:
    seen = Seen(ONE, fail_timeout=10.0)
    seen.failures().forget(NOW - 60)
    seen.failures().put_out(NOW + 9)
    assert seen.server().out_seconds == 9


def test_a_server_is_up_whatever_is_wanted_of_it_and_however_full_it_is() -> None:
    seen = Seen(ONE, member(name="two", state=ServerState.MAINT), member(name="three", backup=True))
    assert [server.up for server in seen.picture().servers] == [True, True, True]
    full = Seen(member(max_sessions=1))
    full.row.row[full.tally().sessions] = 1
    assert (full.server().serving, full.server().up) == (False, True)


def test_a_server_is_not_up_by_its_checks_by_its_name_and_by_failed_dials() -> None:
    seen = Seen(ONE, TWO, NAMED)
    seat(seen, 1, "10.0.0.1")
    assert all(server.up for server in seen.picture().servers)
    seen.judge(Verdict.DOWN, "one")
    seen.failures("two").put_out(NOW + 5)
    seen.row.seat(1, NAME).leave()
    assert not any(server.up for server in seen.picture().servers)
    seen.row.seat(1, NAME).vacate()
    [vacant], [nowhere] = seen.picture().vacant, seen.picture().nowhere
    assert (vacant.up, nowhere.up) == (False, False)


def test_who_wants_a_server_to_rest_is_told_before_that_it_is_down() -> None:
    seen = Seen(member(state=ServerState.MAINT))
    seen.judge(Verdict.DOWN)
    assert seen.why == "maint, in the file"


def test_a_backup_waits_as_long_as_an_ordinary_server_may_serve() -> None:
    seen = Seen(ONE, member(name="two", backup=True), member(name="three", backup=True, state=ServerState.DRAIN))
    assert seen.server("two").why == "backup, and ordinary servers serve"
    assert seen.server("three").why == "drain, in the file"
    seen.judge(Verdict.DOWN)
    assert seen.server("two").serving
    assert seen.server("two").backup


# Names


def test_a_name_without_addresses_is_a_server_that_is_nowhere() -> None:
    seen = Seen(NAMED)
    found = seen.picture()
    assert (found.servers, found.vacant, found.up) == ((), (), 0)
    [nowhere] = found.nowhere
    assert (nowhere.name, nowhere.address, nowhere.present) == (NAME, NAME, False)
    assert (nowhere.verdict, nowhere.why) == (Verdict.DOWN, "its name has no address")


def seat(seen: Seen, number: int, address: str, weight: int = 1, *, backup: bool = False) -> None:
    """Control gives a seat to an address."""
    seen.row.seat(number, NAME).sit(Inet(address, 80), weight, backup=backup)
    taken = seen.row.columns.of(catalogue.SEATS_TAKEN, "db", NAME)
    seen.row.said[taken] = max(number, seen.row.said[taken])


def test_each_address_of_a_name_is_a_server_and_an_empty_seat_has_only_what_was_counted() -> None:
    seen = Seen(NAMED)
    seat(seen, 1, "10.0.0.1")
    seat(seen, 2, "10.0.0.2", weight=5, backup=True)
    tally = seen.tally(f"{NAME}#1")
    tally.row[tally.sessions_total] = 9
    found = seen.picture()
    assert [(each.name, each.address, each.weight) for each in found.servers] == [
        (f"{NAME}#1", "10.0.0.1:80", 1),
        (f"{NAME}#2", "10.0.0.2:80", 5),
    ]
    assert [each.backup for each in found.servers] == [False, True]
    assert (found.nowhere, found.vacant) == ((), ())
    seen.row.seat(1, NAME).vacate()
    found = seen.picture()
    assert [each.name for each in found.servers] == [f"{NAME}#2"]
    [vacant] = found.vacant
    assert (vacant.name, vacant.address, vacant.present, vacant.serving) == (f"{NAME}#1", "", False, False)
    assert vacant.sessions_total == 9


def test_an_address_that_its_name_no_longer_has_finishes() -> None:
    seen = Seen(NAMED)
    seat(seen, 1, "10.0.0.1")
    seen.row.seat(1, NAME).leave()
    assert seen.server(f"{NAME}#1").why == "its address has gone from DNS"


def test_what_the_operator_wishes_of_a_name_holds_for_all_its_addresses() -> None:
    seen = Seen(NAMED)
    seat(seen, 1, "10.0.0.1")
    seat(seen, 2, "10.0.0.2")
    seen.standing(NAME).wish_state(ServerState.MAINT, NAMED)
    seen.standing(f"{NAME}#2").wish_state(ServerState.READY, NAMED)
    assert seen.server(f"{NAME}#1").why == "maint, by the operator"
    assert seen.server(f"{NAME}#1").wishes.state is ServerState.MAINT
    assert seen.server(f"{NAME}#2").serving
