"""Whom a client would get is told before it comes, and comes true; telling it changes nothing."""

import pytest

from l4d.address import Address
from l4d.stats import catalogue
from tests.kit import Client, Echo, Server, Start, UdpEcho, ask, wait_until
from tests.kit.asking import Asking
from tests.kit.ports import free_port
from tests.kit.rights import needs_root

pytestmark = needs_root


def config(*servers: str, upstream: str = "", listener: str = "", workers: int = 2) -> str:
    return f"""
        [main]
        workers = {workers}
        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"
        {listener}
        [upstreams.web]
        servers = [{", ".join(servers)}]
        {upstream}
    """


def server(echo: Echo | UdpEcho | Server, name: str, more: str = "") -> str:
    return f'{{ address = "{echo.address}", name = "{name}"{more} }}'


@pytest.mark.parametrize("balance", ["round_robin", "least_conn", "hash", "first", "least_time"])
def test_a_client_gets_whom_it_was_told_that_it_would(start: Start, balance: str) -> None:
    with Echo("one") as one, Echo("two") as two, Echo("three") as three:
        servers = server(one, "one"), server(two, "two", ", weight = 2"), server(three, "three")
        daemon = start(config(*servers, upstream=f'balance = "{balance}"'))
        with Asking(daemon) as asking:
            for _ in range(12):
                wait_until("nobody is left", lambda: not asking.board.total(catalogue.SESSIONS, "web"))
                client = f"127.0.0.1:{free_port()}"
                told, again = asking.explain(client), asking.explain(client)
                assert again.answers[0]["server"] == told.answers[0]["server"], "asking uses nothing up"
                assert (told.balance, told.certain, told.silent) == (balance, True, [])
                [answer] = told.answers
                assert [one["name"] for one in told.servers if one["why"] == answer["why"] and one["takes"]]
                assert f"web/{asks_from(daemon.address(), client)}" == answer["server"]


def asks_from(address: Address, client: str) -> str:
    """The name of the server that answers a client at this address and port."""
    host, _, port = client.rpartition(":")
    with Client(address, source=host, port=int(port)) as peer:
        return peer.send(b"?\n").read_line().decode().split()[0]


def test_nothing_is_counted_and_no_turn_is_used_up(start: Start) -> None:
    with Echo("one") as one, Echo("two") as two:
        daemon = start(config(server(one, "one"), server(two, "two"), workers=1))
        with Asking(daemon) as asking:
            for _ in range(7):
                assert asking.explain("10.0.0.7").answers[0]["server"] == "web/one"
            totals = (catalogue.SESSIONS_TOTAL, "web"), (catalogue.SERVER_SESSIONS, "web", "one")
            assert [asking.board.total(metric, *labels) for metric, *labels in totals] == [0, 0]
            assert [ask(daemon.address()) for _ in range(4)] == ["one", "two", "one", "two"]


def test_where_chance_decides_nobody_is_named(start: Start) -> None:
    with Echo("one") as one, Echo("two") as two:
        daemon = start(config(server(one, "one"), server(two, "two"), upstream='balance = "random"'))
        with Asking(daemon) as asking:
            told = asking.explain("10.0.0.7:1234")
            assert (told.certain, told.answers[0]["server"], told.answers[0]["address"]) == (False, None, None)
            assert [one["why"] for one in told.servers] == ["may be drawn: 0 sessions for weight 1"] * 2


def test_without_a_port_every_worker_answers_and_they_need_not_agree(start: Start) -> None:
    with Echo("one") as one, Echo("two") as two:
        daemon = start(config(server(one, "one"), server(two, "two")))
        with Asking(daemon) as asking:
            told = asking.explain("10.0.0.7")
            assert sorted((one["worker"], one["server"]) for one in told.answers) == [(0, "web/one"), (1, "web/two")]
            assert not told.certain
        hashed = start(config(server(one, "one"), server(two, "two"), upstream='balance = "hash"'))
        with Asking(hashed) as asking:
            told = asking.explain("10.0.0.7")
            assert len(told.answers) == 2
            assert told.certain


def test_what_keeps_each_server_from_it_is_told(start: Start, server: Server) -> None:
    with Echo() as one:
        dead = f"127.0.0.1:{free_port()}"
        servers = [
            f'{{ address = "{dead}", name = "dead" }}',
            f'{{ address = "{server.address}", name = "full", max_sessions = 1 }}',
            f'{{ address = "{one.address}", name = "drained", state = "drain" }}',
            '{ address = "127.0.0.1:2", name = "spare", backup = true }',
            f'{{ address = "{one.address}", name = "good" }}',
        ]
        daemon = start(config(*servers, upstream='max_fails = 1\nfail_timeout = "60s"', workers=1))
        with daemon.client() as client, server.accept(), Asking(daemon) as asking:
            wait_until("it is served", lambda: client.send(b"x") and asking.sessions(server="full").total)
            told = asking.explain("10.0.0.7")
            assert {one["name"]: (one["takes"], one["why"]) for one in told.servers if one["name"] != "dead"} == {
                "full": (False, "full: 1 of max_sessions 1"),
                "drained": (False, "drain, in the file"),
                "spare": (False, "a backup, and ordinary servers can take it"),
                "good": (True, "next in turn"),
            }
            [of_dead] = [one for one in told.servers if one["name"] == "dead"]
            assert not of_dead["takes"]
            assert str(of_dead["why"]).endswith("s more after failed dials")
            assert told.answers == [
                {"worker": 0, "server": "web/good", "address": f"{one.address}", "why": "next in turn"}
            ]


def test_when_nobody_can_take_it_what_would_become_of_it_is_told(start: Start, server: Server) -> None:
    only = f'{{ address = "{server.address}", name = "one", max_sessions = 1 }}'
    for upstream, why in (
        ("", "every server has its max_sessions: it would be refused (PL)"),
        ("queue = 5", "every server has its max_sessions: it would wait in the queue, if there is room (queue)"),
    ):
        daemon = start(config(only, upstream=upstream))
        with daemon.client(), server.accept(), Asking(daemon) as asking:
            wait_until("it is served", lambda: asking.sessions().total)
            told = asking.explain("10.0.0.7:1")
            assert (told.answers[0]["server"], told.answers[0]["why"]) == (None, why)
    drained = start(config(f'{{ address = "{server.address}", state = "maint" }}'))
    with Asking(drained) as asking:
        [answer] = asking.explain("10.0.0.7:1").answers
        assert answer["why"] == "no server may be chosen: it would be closed (PC)"


def test_a_udp_client_that_has_a_flow_keeps_its_server(start: Start) -> None:
    with UdpEcho("one") as one, UdpEcho("two") as two:
        daemon = start(config(server(one, "one"), server(two, "two"), listener='protocol = "udp"'))
        with daemon.udp_client() as client, Asking(daemon) as asking:
            name = client.send(b"?").receive().decode().split()[0]
            for _ in range(3):
                [answer] = asking.explain(f"{client.local}").answers
                assert (answer["server"], answer["why"]) == (f"web/{name}", "it has a flow already")


def test_where_the_port_counts_and_is_not_known_nobody_is_named(start: Start) -> None:
    with Echo("one") as one, Echo("two") as two:
        keys = 'balance = "hash"\nhash_key = "client+client_port"'
        daemon = start(config(server(one, "one"), server(two, "two"), upstream=keys))
        with Asking(daemon) as asking:
            told = asking.explain("10.0.0.7")
            assert (told.certain, {one["server"] for one in told.answers}) == (False, {None})
            assert asking.explain("10.0.0.7:1").certain


def test_what_cannot_be_explained_is_said(start: Start, server: Server) -> None:
    daemon = start(config(f'"{server.address}"'))
    with Asking(daemon) as asking:
        with pytest.raises(ValueError, match="there is no listener 'wep'"):
            asking.explain("10.0.0.7", "wep")
        with pytest.raises(ValueError, match="'nobody' is no address"):
            asking.explain("nobody")
