"""Servers given by name: their addresses come and go without a reload, and no client ever waits for a nameserver."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial

import pytest

from l4d.address import Inet
from tests.kit import Daemon, Echo, Start, UdpEcho, ask, free_port, wait_until
from tests.kit.nameserver import Manner, Nameserver

HERE = ("127.0.2.1", "127.0.2.2", "127.0.2.3")


@pytest.fixture
def nameserver() -> Iterator[Nameserver]:
    with Nameserver() as nameserver:
        yield nameserver


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def servers(port: int) -> Iterator[list[Echo]]:
    """Three, on one port of three addresses: "a", "b", "c"."""
    with ExitStack() as stack:
        yield [stack.enter_context(Echo(name, Inet(host, port))) for name, host in zip("abc", HERE, strict=True)]


def config(nameserver: Nameserver, servers: str, more: str = "", resolver: str = "") -> str:
    return f"""
        [log]
        level = "debug"

        [resolver]
        nameservers = ["{nameserver.address}"]
        min_ttl = "100ms"
        {resolver}

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [upstreams.web]
        servers = [{servers}]
        {more}
    """


def answers(daemon: Daemon, times: int = 12) -> set[str]:
    return {ask(daemon.address("web")) for _ in range(times)}


def served_by(daemon: Daemon, *names: str) -> None:
    wait_until(f"{names} serve", lambda: answers_or_none(daemon) == set(names))


def answers_or_none(daemon: Daemon) -> set[str]:
    """Who answers; nobody, as long as there is no server."""
    found = set()
    for _ in range(12):
        with daemon.client() as client:
            try:
                answer = client.send(b"?\n").read_line()
            except (AssertionError, ConnectionError):
                return set()
        found.add(answer.decode().split()[0])
    return found


def test_every_address_of_a_name_is_a_server_and_its_workers_are_not_replaced(
    start: Start, nameserver: Nameserver, servers: list[Echo], port: int
) -> None:
    nameserver.set("web.test", "A", HERE[0], HERE[1], ttl=0)
    daemon = start(config(nameserver, f'"web.test:{port}"'))
    served_by(daemon, "a", "b")
    before = daemon.workers()
    nameserver.set("web.test", "A", HERE[1], HERE[2], ttl=0)
    served_by(daemon, "b", "c")
    nameserver.set("web.test", "A", HERE[0], ttl=0)
    served_by(daemon, "a")
    assert daemon.workers() == before
    assert daemon.generation() == 1
    assert len(servers) == 3


def test_l4d_starts_without_an_answer_and_serves_when_there_is_one(
    start: Start, nameserver: Nameserver, servers: list[Echo], port: int
) -> None:
    daemon = start(config(nameserver, f'"web.test:{port}"'))
    daemon.wait_log(f"server web/web.test:{port} is down: name: ")
    with daemon.client() as client:
        assert client.read_all() == b""
    daemon.wait_log("end=PC no server is up")
    nameserver.set("web.test", "A", HERE[0])
    served_by(daemon, "a")
    assert servers


def asked_more(nameserver: Nameserver, times: int) -> bool:
    return nameserver.count() > times


def test_a_nameserver_that_fails_takes_nothing_away(
    start: Start, nameserver: Nameserver, servers: list[Echo], port: int
) -> None:
    nameserver.set("web.test", "A", *HERE, ttl=0)
    daemon = start(config(nameserver, f'"web.test:{port}"', resolver='timeout = "300ms"'))
    served_by(daemon, "a", "b", "c")
    for manner in (Manner.SERVFAIL, Manner.SILENT, Manner.GARBAGE):
        nameserver.behave(manner)
        asked = nameserver.count()
        wait_until("it was asked again", partial(asked_more, nameserver, asked))
        assert answers(daemon) == {"a", "b", "c"}
    daemon.wait_log("it has 3 addresses")
    assert servers


def test_a_vanished_address_is_given_nothing_and_its_sessions_finish(
    start: Start, nameserver: Nameserver, servers: list[Echo], port: int
) -> None:
    nameserver.set("web.test", "A", HERE[0], ttl=0)
    daemon = start(config(nameserver, f'"web.test:{port}"'))
    served_by(daemon, "a")
    with daemon.client() as client:
        assert client.send(b"1\n").read_line() == b"a 1\n"
        nameserver.set("web.test", "A", HERE[1], ttl=0)
        served_by(daemon, "b")
        assert client.send(b"2\n").read_line() == b"a 2\n"
    assert servers


def test_a_name_is_asked_for_at_once_when_a_dial_fails(
    start: Start, nameserver: Nameserver, servers: list[Echo], port: int
) -> None:
    nameserver.set("web.test", "A", "127.0.2.99", ttl=3600)
    daemon = start(config(nameserver, f'"web.test:{port}"', "max_fails = 0", 'max_ttl = "1h"'))
    daemon.wait_log("127.0.2.99")
    nameserver.set("web.test", "A", HERE[0], ttl=3600)
    served_by(daemon, "a")
    assert servers


def test_clients_never_wait_for_a_nameserver(
    start: Start, nameserver: Nameserver, servers: list[Echo], port: int
) -> None:
    nameserver.set("slow.test", "A", HERE[0])
    nameserver.behave(Manner.WELL, "slow.test", after=30.0)
    there = servers[1].address
    daemon = start(config(nameserver, f'"slow.test:{port}", "{there}"', resolver='timeout = "1m"'))
    wait_until("the name is asked for", lambda: nameserver.count("slow.test"))
    began = time.monotonic()
    assert answers(daemon, 50) == {"b"}
    assert time.monotonic() - began < 10


def test_the_targets_of_an_srv_record_have_its_ports_and_priorities(
    start: Start, nameserver: Nameserver, servers: list[Echo], port: int
) -> None:
    for number, host in enumerate(HERE):
        nameserver.set(f"host{number}.test", "A", host, ttl=0)
    records = (f"10 3 {port} host0.test.", f"10 1 {port} host1.test.", f"20 1 {port} host2.test.")
    nameserver.set("_web._tcp.test", "SRV", *records, ttl=0)
    daemon = start(config(nameserver, '{ srv = "_web._tcp.test" }', 'fail_timeout = "1m"'))
    served_by(daemon, "a", "b")
    names = [ask(daemon.address()) for _ in range(40)]
    assert names.count("a") in range(28, 33), "three of four"
    servers[0].close()
    servers[1].close()
    wait_until("the one of the next priority serves", lambda: answers_or_none(daemon) == {"c"})


def test_addresses_of_a_name_are_checked(start: Start, nameserver: Nameserver, servers: list[Echo], port: int) -> None:
    nameserver.set("web.test", "A", HERE[0], HERE[1], ttl=0)
    check = 'check = { type = "tcp", interval = "100ms", fall = 1, rise = 1 }'
    daemon = start(config(nameserver, f'"web.test:{port}"', check))
    served_by(daemon, "a", "b")
    servers[1].close()
    daemon.wait_log(f"server web/web.test:{port}#2 is down: the check failed: connection refused")
    assert answers(daemon) == {"a"}
    nameserver.set("web.test", "A", HERE[0], HERE[2], ttl=0)
    served_by(daemon, "a", "c")


def test_udp_flows_come_to_the_addresses_of_a_name(start: Start, nameserver: Nameserver, port: int) -> None:
    nameserver.set("dns.test", "A", HERE[0], HERE[1], ttl=0)
    with UdpEcho("a", Inet(HERE[0], port)), UdpEcho("b", Inet(HERE[1], port)):
        daemon = start(f"""
            [resolver]
            nameservers = ["{nameserver.address}"]

            [listeners.dns]
            bind = "127.0.0.1:0"
            protocol = "udp"
            upstream = "dns"

            [upstreams.dns]
            servers = ["dns.test:{port}"]
        """)
        wait_until("both serve", lambda: {who_answers(daemon) for _ in range(12)} == {"a", "b"})


def who_answers(daemon: Daemon) -> str:
    """The server that answers a datagram; none, as long as it is dropped."""
    with daemon.udp_client() as client:
        client.socket.settimeout(0.5)
        try:
            return client.send(b"?").receive().decode().split()[0]
        except TimeoutError:
            return ""


def test_ipv6_addresses_of_a_name_are_servers_too(start: Start, nameserver: Nameserver, port: int) -> None:
    nameserver.set("web.test", "A", HERE[0])
    nameserver.set("web.test", "AAAA", "::1")
    with Echo("four", Inet(HERE[0], port)), Echo("six", Inet("::1", port)):
        daemon = start(config(nameserver, f'"web.test:{port}"'))
        served_by(daemon, "four", "six")


def test_a_reload_and_a_dead_control_process_keep_the_addresses(
    start: Start, nameserver: Nameserver, servers: list[Echo], port: int
) -> None:
    nameserver.set("web.test", "A", HERE[0], HERE[1], ttl=3600)
    text = config(nameserver, f'"web.test:{port}"')
    daemon = start(text)
    served_by(daemon, "a", "b")
    nameserver.behave(Manner.SILENT)
    daemon.reload(text)
    assert answers(daemon) == {"a", "b"}, "the board knows them, whoever can be asked"
    assert servers


# Starts and reloads


def test_who_comes_when_l4d_is_ready_is_served(
    start: Start, nameserver: Nameserver, servers: list[Echo], port: int
) -> None:
    nameserver.set("web.test", "A", HERE[0])
    nameserver.behave(Manner.WELL, "web.test", after=0.5)
    daemon = start(config(nameserver, f'"web.test:{port}"'))
    assert answers(daemon) == {"a"}
    assert servers


def test_a_reload_to_other_names_refuses_nobody(
    start: Start, nameserver: Nameserver, servers: list[Echo], port: int
) -> None:
    for name, host in zip(("one.test", "two.test"), HERE, strict=False):
        nameserver.set(name, "A", host)
        nameserver.behave(Manner.WELL, name, after=0.5)
    daemon = start(config(nameserver, f'"{servers[2].address}"'))
    with ThreadPoolExecutor(1) as pool:
        for name, letter in (("one.test", "a"), ("two.test", "b")):
            reload = pool.submit(daemon.reload, config(nameserver, f'"{name}:{port}"'))
            while not reload.done():
                assert answers(daemon, 1), "somebody answers at any moment"
            reload.result()
            assert answers(daemon) == {letter}


def test_a_nameserver_that_does_not_answer_holds_up_a_start_for_three_seconds_at_most(
    start: Start, nameserver: Nameserver, servers: list[Echo], port: int
) -> None:
    nameserver.behave(Manner.SILENT)
    began = time.monotonic()
    daemon = start(config(nameserver, f'"web.test:{port}", "{servers[1].address}"', resolver='timeout = "1m"'))
    assert time.monotonic() - began < 8
    daemon.wait_log("not every server has been looked at after 3 s; going on without")
    assert answers(daemon) == {"b"}
