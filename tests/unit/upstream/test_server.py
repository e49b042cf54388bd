"""One server: may it be given a session now? Passive failures hold for all workers together."""

import pytest

from l4d.address import SAME_PORT, Inet, Unix
from l4d.config.model import Upstream
from l4d.terms import ServerState
from l4d.upstream.server import Server
from tests.unit.making import Row, upstream

THREE = upstream(max_fails=3, fail_timeout=10.0)


@pytest.fixture
def here() -> Row:
    return Row()


def pair(here: Row, config: Upstream) -> tuple[Server, Server]:
    """The same server as two workers see it."""
    return here.server(config), here.another().server(config)


def refreshed(*servers: Server) -> list[float]:
    """Until when the server is out, as each worker sees it once it has heard the bell."""
    for server in servers:
        server.refresh()
    return [server.out_until for server in servers]


def test_a_server_is_what_its_configuration_says(here: Row) -> None:
    server = here.server(upstream(name="db"), name="one", weight=5, backup=True)
    assert (server.name, server.label, server.weight, server.backup) == ("one", "db/one", 5, True)
    assert server.ready
    assert not here.server(state=ServerState.DRAIN).ready
    assert not here.server(state=ServerState.MAINT).ready


def test_max_fails_put_a_server_out_for_fail_timeout(here: Row) -> None:
    server = here.server(THREE)
    assert [server.failed(now) for now in (100, 101, 102)] == [False, False, True]
    assert server.out_until == 112


def test_with_max_fails_of_0_a_server_is_never_out(here: Row) -> None:
    server = here.server(upstream(max_fails=0))
    assert not any(server.failed(100) for _ in range(10))
    assert server.out_until == 0


def test_failures_that_are_further_apart_than_fail_timeout_do_not_add_up(here: Row) -> None:
    server = here.server(THREE)
    assert not any(server.failed(now) for now in (100, 105, 111, 115, 122, 126))


def test_the_failures_of_all_workers_add_up(here: Row) -> None:
    one, other = pair(here, THREE)
    assert [one.failed(100), other.failed(101), one.failed(102)] == [False, False, True]
    assert refreshed(one, other) == [112, 112]


def test_one_worker_alone_says_that_the_server_is_out(here: Row) -> None:
    one, other = pair(here, upstream(max_fails=1, fail_timeout=10.0))
    assert one.failed(100)
    refreshed(other)
    assert not other.failed(101)
    assert refreshed(one, other) == [111, 111]


def test_a_worker_that_is_born_later_knows_who_is_out(here: Row) -> None:
    here.server(upstream(max_fails=1, fail_timeout=10.0)).failed(100)
    assert here.another().server().out_until == 110


def test_another_servers_failures_are_its_own(here: Row) -> None:
    one, other = here.server(THREE, name="one"), here.server(THREE, name="two")
    for now in (100, 101):
        one.failed(now)
    assert not other.failed(102)
    assert one.failed(103)
    assert other.out_until == 0


def put_out(*servers: Server) -> None:
    """Out from 102 to 112, for all workers."""
    for now in (100, 101, 102):
        servers[0].failed(now)
    assert refreshed(*servers) == [112] * len(servers)


def test_on_probation_the_next_failure_puts_a_server_out_at_once(here: Row) -> None:
    server = here.server(THREE)
    put_out(server)
    assert server.failed(113)
    assert server.out_until == 123


def test_on_probation_any_workers_failure_puts_a_server_out_at_once(here: Row) -> None:
    one, other = pair(here, THREE)
    put_out(one, other)
    assert other.failed(113)
    assert refreshed(one, other) == [123, 123]


def test_probation_lasts_for_fail_timeout(here: Row) -> None:
    server = here.server(THREE)
    put_out(server)
    assert not server.failed(122.5)
    assert [server.failed(123), server.failed(124)] == [False, True]


def test_on_probation_the_next_success_clears_a_server(here: Row) -> None:
    server = here.server(THREE)
    put_out(server)
    server.succeeded()
    assert [server.failed(now) for now in (113, 114, 115)] == [False, False, True]


def test_on_probation_a_success_of_the_worker_that_put_a_server_out_clears_it_for_all(here: Row) -> None:
    one, other = pair(here, THREE)
    put_out(one, other)
    one.succeeded()
    assert [other.failed(113), one.failed(114), other.failed(115)] == [False, False, True]


def test_a_success_clears_the_failures_before_it(here: Row) -> None:
    server = here.server(THREE)
    server.failed(100)
    server.failed(101)
    server.succeeded()
    assert [server.failed(now) for now in (102, 103, 104)] == [False, False, True]


def test_a_success_of_one_worker_leaves_what_another_has_counted(here: Row) -> None:
    one, other = pair(here, THREE)
    one.failed(100)
    one.failed(101)
    other.succeeded()
    assert one.failed(102)


def test_a_server_that_is_out_stays_out_when_another_worker_is_late_to_hear_of_it(here: Row) -> None:
    one, other = pair(here, upstream(max_fails=1, fail_timeout=10.0))
    one.failed(100)
    other.failed(99.9)
    assert refreshed(one, other) == [110, 110]


def test_a_server_without_a_port_is_dialled_on_the_one_the_client_came_to(here: Row) -> None:
    assert here.server(address=Inet("::1", SAME_PORT)).address_for(5432) == Inet("::1", 5432)
    assert here.server(address=Inet("::1", 80)).address_for(5432) == Inet("::1", 80)
    assert here.server(address=Unix("/run/db")).address_for(5432) == Unix("/run/db")
