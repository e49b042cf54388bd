"""UDP: a flow for each client, answered from the address it wrote to, until it is silent or done."""

import re
import socket
from collections.abc import Iterator

import pytest

from l4d.address import Inet
from tests.kit import Daemon, Start, UdpClient, UdpEcho, UdpServer, ask_udp, free_port, wait_until
from tests.kit.awkward import DeadServer

UDP_SEGMENT = 103  # several datagrams of this size in one call (udp(7))


@pytest.fixture
def server() -> Iterator[UdpServer]:
    """A UDP server that answers when the test says so."""
    with UdpServer() as server:
        yield server


@pytest.fixture
def daemon(start: Start, server: UdpServer) -> Daemon:
    """l4d with one UDP listener in front of `server`."""
    return start(f"""
        [listeners.dns]
        bind = "127.0.0.1:0"
        protocol = "udp"
        upstream = "dns"

        [upstreams.dns]
        servers = ["{server.address}"]
    """)


def test_questions_and_answers_pass(daemon: Daemon, server: UdpServer) -> None:
    with daemon.udp_client() as client:
        client.send(b"question")
        datagram = server.receive()
        assert datagram.data == b"question"
        datagram.answer(b"answer")
        datagram.answer(b"and another one")
        assert client.receive() == b"answer"
        assert client.receive() == b"and another one"


def test_a_client_keeps_its_flow_whichever_worker_has_it(daemon: Daemon, server: UdpServer) -> None:
    clients = [daemon.udp_client() for _ in range(30)]
    flows = set()
    for number in (1, 2, 3):
        for client in clients:
            client.send(b"%d" % number)
            datagram = server.receive()
            flows.add((client.local, datagram.sender))
            datagram.answer(datagram.data)
            assert client.receive() == b"%d" % number
    assert len(flows) == 30, "one flow, and so one address towards the server, for each client"
    for client in clients:
        client.close()


def test_answers_reach_the_client_that_asked(daemon: Daemon, server: UdpServer) -> None:
    clients = [daemon.udp_client() for _ in range(30)]
    for number, client in enumerate(clients):
        client.send(b"%d" % number)
    for datagram in [server.receive() for _ in clients][::-1]:
        datagram.answer(datagram.data)
    for number, client in enumerate(clients):
        assert client.receive() == b"%d" % number
        client.close()


def test_flows_take_the_servers_in_turn(start: Start) -> None:
    with UdpEcho("one") as one, UdpEcho("two") as two, UdpEcho("three") as three:
        daemon = start(f"""
            [main]
            workers = 1

            [listeners.dns]
            bind = "127.0.0.1:0"
            protocol = "udp"
            upstream = "dns"

            [upstreams.dns]
            servers = ["{one.address}", "{two.address}", "{three.address}"]
        """)
        assert [ask_udp(daemon.address()) for _ in range(6)] == ["one", "two", "three"] * 2


@pytest.mark.parametrize("size", [0, 1, 1472, 1473, 9000, 65507])
def test_a_datagram_of_any_size_passes_whole_both_ways(daemon: Daemon, server: UdpServer, size: int) -> None:
    question = bytes(number % 251 for number in range(size))
    with daemon.udp_client() as client:
        client.send(question)
        datagram = server.receive()
        assert datagram.data == question
        datagram.answer(question[::-1])
        assert client.receive() == question[::-1]


def test_a_datagram_of_65507_bytes_passes_a_socket_bound_to_all_addresses(start: Start, server: UdpServer) -> None:
    daemon = start(f"""
        [listeners.dns]
        bind = "0.0.0.0:0"
        protocol = "udp"
        upstream = "dns"

        [upstreams.dns]
        servers = ["{server.address}"]
    """)
    with UdpClient(at(daemon, "127.0.0.1")) as client:
        client.send(b"?" * 65507)
        datagram = server.receive()
        assert datagram.data == b"?" * 65507
        datagram.answer(b"!" * 65507)
        assert client.receive() == b"!" * 65507


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2"])
def test_answers_come_from_the_ipv4_address_that_was_asked(start: Start, server: UdpServer, host: str) -> None:
    daemon = start(f"""
        [listeners.dns]
        bind = "0.0.0.0:0"
        protocol = "udp"
        upstream = "dns"

        [upstreams.dns]
        servers = ["{server.address}"]
    """)
    with UdpClient(at(daemon, host)) as client:  # connected: it hears this address only
        client.send(b"question")
        server.receive().answer(b"answer")
        assert client.receive() == b"answer"


def test_answers_come_from_the_ipv6_address_that_was_asked(start: Start, server: UdpServer) -> None:
    daemon = start(f"""
        [listeners.dns]
        bind = "[::]:0"
        protocol = "udp"
        upstream = "dns"

        [upstreams.dns]
        servers = ["{server.address}"]
    """)
    with UdpClient(at(daemon, "::1")) as client:
        client.send(b"question")
        server.receive().answer(b"answer")
        assert client.receive() == b"answer"


@pytest.mark.parametrize("bind", ["127.0.0.1:0", "0.0.0.0:0"])
def test_a_train_of_datagrams_arrives_as_it_left(start: Start, server: UdpServer, bind: str) -> None:
    daemon = start(f"""
        [listeners.bulk]
        bind = "{bind}"
        protocol = "udp"
        upstream = "bulk"

        [upstreams.bulk]
        servers = ["{server.address}"]
    """)
    train = [bytes([number]) * 1200 for number in range(40)] + [b"a shorter last one"]
    with UdpClient(at(daemon, "127.0.0.1")) as client:
        client.socket.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 1200)
        client.send(b"".join(train))
        datagrams = [server.receive() for _ in train]
        assert [datagram.data for datagram in datagrams] == train
        server.socket.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 1200)
        datagrams[0].answer(b"".join(train))
        assert [client.receive() for _ in train] == train


def test_a_burst_of_mixed_sizes_keeps_its_order_and_its_edges(daemon: Daemon, server: UdpServer) -> None:
    sizes = [1200, 1200, 0, 1200, 1, 65507, 1200, 1200, 40, 40, 40, 0, 0, 9000]
    burst = [bytes([number]) * size for number, size in enumerate(sizes)]
    with daemon.udp_client() as client:
        for data in burst:
            client.send(data)
        datagrams = [server.receive() for _ in burst]
        assert [datagram.data for datagram in datagrams] == burst
        for data in burst:
            datagrams[0].answer(data)
        assert [client.receive() for _ in burst] == burst


def test_one_client_port_that_asks_two_addresses_has_two_flows(start: Start, server: UdpServer) -> None:
    daemon = start(f"""
        [listeners.dns]
        bind = "0.0.0.0:0"
        protocol = "udp"
        upstream = "dns"

        [upstreams.dns]
        servers = ["{server.address}"]
    """)
    with UdpServer() as client:  # not connected: it hears everybody, and sees whom
        one, two = at(daemon, "127.0.0.1"), at(daemon, "127.0.0.2")
        for asked in (one, two):
            client.socket.sendto(str(asked).encode(), asked.sockaddr)
        first, second = server.receive(), server.receive()
        assert first.sender != second.sender
        for datagram in (second, first):
            datagram.answer(datagram.data)
        for answer in (client.receive(), client.receive()):
            assert str(answer.sender).encode() == answer.data


def test_a_silent_flow_is_over_after_idle_timeout(start: Start, server: UdpServer) -> None:
    daemon = start(f"""
        [log]
        level = "debug"

        [listeners.dns]
        bind = "127.0.0.1:0"
        protocol = "udp"
        upstream = "dns"
        idle_timeout = "300ms"

        [upstreams.dns]
        servers = ["{server.address}"]
    """)
    with daemon.udp_client() as client:
        client.send(b"one")
        first = server.receive()
        first.answer(b"two!")
        assert client.receive() == b"two!"
        daemon.wait_log("up=3 down=4")
        daemon.wait_log("end=UD idle")
        client.send(b"three")
        assert server.receive().sender != first.sender


def test_datagrams_either_way_keep_a_flow_alive(start: Start, server: UdpServer) -> None:
    daemon = start(f"""
        [log]
        level = "debug"

        [listeners.dns]
        bind = "127.0.0.1:0"
        protocol = "udp"
        upstream = "dns"
        idle_timeout = "600ms"

        [upstreams.dns]
        servers = ["{server.address}"]
    """)
    with daemon.udp_client() as asking, daemon.udp_client() as listening, daemon.udp_client() as silent:
        asking.send(b"I ask")
        flow_of_asking = server.receive()
        listening.send(b"I listen")
        flow_of_listening = server.receive()
        silent.send(b"I am silent")
        server.receive()

        def ends_of_the_silent_one() -> int:
            asking.send(b"?")
            assert server.receive().sender == flow_of_asking.sender
            flow_of_listening.answer(b"!")
            assert listening.receive() == b"!"
            return daemon.log().count("end=UD")

        wait_until("it is over", lambda: ends_of_the_silent_one() == 1)
        silent.send(b"again")
        server.receive()
        wait_until("it is over again", lambda: ends_of_the_silent_one() == 2)


def test_many_flows_expire_each_in_its_time(start: Start) -> None:
    with UdpEcho("one") as one:
        daemon = start(f"""
            [log]
            level = "debug"

            [listeners.dns]
            bind = "127.0.0.1:0"
            protocol = "udp"
            upstream = "dns"
            idle_timeout = "1s"

            [upstreams.dns]
            servers = ["{one.address}"]
        """)
        clients = [daemon.udp_client() for _ in range(400)]  # open together, so that each has a port of its own
        for client in clients:
            assert client.send(b"?").receive() == b"one ?"
        daemon.wait_log("end=UD", times=400)
        ages = [int(age) for age in re.findall(r"total=(\d+)ms", daemon.log())]
        assert 990 <= min(ages) <= max(ages) < 2000
        for client in clients:
            client.close()


def test_as_many_answers_as_the_listener_expects_end_the_flow(start: Start, server: UdpServer) -> None:
    daemon = start(f"""
        [log]
        level = "debug"

        [listeners.dns]
        bind = "127.0.0.1:0"
        protocol = "udp"
        upstream = "dns"
        responses = 1

        [upstreams.dns]
        servers = ["{server.address}"]
    """)
    with daemon.udp_client() as client:
        client.send(b"one")
        first = server.receive()
        first.answer(b"answer")
        assert client.receive() == b"answer"
        daemon.wait_log("end=UR all responses seen")
        client.send(b"two")
        assert server.receive().sender != first.sender


def test_answers_are_expected_for_each_datagram_of_the_client(start: Start, server: UdpServer) -> None:
    daemon = start(f"""
        [log]
        level = "debug"

        [listeners.dns]
        bind = "127.0.0.1:0"
        protocol = "udp"
        upstream = "dns"
        responses = 2

        [upstreams.dns]
        servers = ["{server.address}"]
    """)
    with daemon.udp_client() as client:
        client.send(b"one").send(b"two")
        flow, same = server.receive(), server.receive()
        assert flow.sender == same.sender
        for answer in (b"1", b"2", b"3"):
            flow.answer(answer)
            assert client.receive() == answer
        assert "end=UR" not in daemon.log()
        flow.answer(b"4")
        assert client.receive() == b"4"
        daemon.wait_log("end=UR")


def test_with_responses_0_no_answer_is_expected(start: Start, server: UdpServer) -> None:
    daemon = start(f"""
        [log]
        level = "debug"

        [listeners.syslog]
        bind = "127.0.0.1:0"
        protocol = "udp"
        upstream = "syslog"
        responses = 0

        [upstreams.syslog]
        servers = ["{server.address}"]
    """)
    with daemon.udp_client() as client:
        client.send(b"one").send(b"two")
        assert {server.receive().data, server.receive().data} == {b"one", b"two"}
        daemon.wait_log("end=UR", times=2)


def test_after_so_many_requests_a_client_is_balanced_anew(start: Start) -> None:
    with UdpServer() as one, UdpServer() as two:
        daemon = start(f"""
            [main]
            workers = 1

            [listeners.dns]
            bind = "127.0.0.1:0"
            protocol = "udp"
            upstream = "dns"
            requests = 2

            [upstreams.dns]
            servers = ["{one.address}", "{two.address}"]
        """)
        with daemon.udp_client() as client:
            for server in (one, two, one):
                client.send(b"first").send(b"second")
                assert server.receive().data == b"first"
                late = server.receive()
                assert late.data == b"second"
            client.send(b"third")
            two.receive()
            late.answer(b"better late than never")
            assert client.receive() == b"better late than never"


def test_the_datagrams_of_a_train_are_requests_each(start: Start) -> None:
    with UdpServer() as one, UdpServer() as two:
        daemon = start(f"""
            [main]
            workers = 1

            [listeners.dns]
            bind = "127.0.0.1:0"
            protocol = "udp"
            upstream = "dns"
            requests = 2

            [upstreams.dns]
            servers = ["{one.address}", "{two.address}"]
        """)
        with daemon.udp_client() as client:
            client.socket.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, 5)
            client.send(b"one-1one-2two-1two-2one-3last")
            assert [one.receive().data for _ in range(4)] == [b"one-1", b"one-2", b"one-3", b"last"]
            assert [two.receive().data for _ in range(2)] == [b"two-1", b"two-2"]


def test_a_flow_that_had_all_its_requests_and_no_answer_is_over_after_idle_timeout(
    start: Start, server: UdpServer
) -> None:
    daemon = start(f"""
        [log]
        level = "debug"

        [listeners.dns]
        bind = "127.0.0.1:0"
        protocol = "udp"
        upstream = "dns"
        requests = 1
        idle_timeout = "300ms"

        [upstreams.dns]
        servers = ["{server.address}"]
    """)
    with daemon.udp_client() as client:
        client.send(b"one").send(b"two").send(b"three")
        assert len({server.receive().sender for _ in range(3)}) == 3
        daemon.wait_log("end=UD idle", times=3)


def test_the_datagram_after_a_refused_one_goes_to_another_server(start: Start) -> None:
    with UdpEcho("one") as one, DeadServer(socket.SOCK_DGRAM) as dead:
        dead.close()
        daemon = start(f"""
            [main]
            workers = 1

            [log]
            level = "debug"

            [listeners.dns]
            bind = "127.0.0.1:0"
            protocol = "udp"
            upstream = "dns"

            [upstreams.dns]
            servers = ["{dead.address}", "{one.address}"]
        """)
        with daemon.udp_client() as client:
            client.send(b"lost")
            daemon.wait_log("end=UI server's port unreachable")
            client.send(b"found")
            assert client.receive() == b"one found"


def test_a_server_that_dies_amid_a_flow_is_left_for_another(start: Start) -> None:
    one, two = UdpEcho("one"), UdpEcho("two")
    with two:
        daemon = start(f"""
            [main]
            workers = 1

            [listeners.dns]
            bind = "127.0.0.1:0"
            protocol = "udp"
            upstream = "dns"

            [upstreams.dns]
            servers = ["{one.address}", "{two.address}"]
        """)
        with daemon.udp_client() as client:
            assert client.send(b"1").receive() == b"one 1"
            one.close()
            client.send(b"lost")
            daemon.wait_log("connection refused")
            assert client.send(b"2").receive() == b"two 2"
            assert client.send(b"3").receive() == b"two 3"


def test_refusals_put_a_server_out(start: Start) -> None:
    with UdpEcho("one") as one:
        dead = Inet("127.0.0.1", free_port(socket.SOCK_DGRAM))
        daemon = start(f"""
            [main]
            workers = 1

            [listeners.dns]
            bind = "127.0.0.1:0"
            protocol = "udp"
            upstream = "dns"

            [upstreams.dns]
            servers = [{{ address = "{dead}", name = "dead" }}, "{one.address}"]
            max_fails = 2
            fail_timeout = "1m"
        """)
        while "dns/dead is out for 60 s" not in daemon.log():
            with daemon.udp_client() as client:
                client.send(b"anybody?")
                wait_until("it is answered or refused", lambda: one.served or "refused" in daemon.log())
        assert {ask_udp(daemon.address()) for _ in range(10)} == {"one"}


def test_the_flow_table_is_bounded_and_says_so(start: Start) -> None:
    with UdpEcho("one") as one:
        daemon = start(f"""
            [main]
            workers = 1
            max_sessions = 5

            [listeners.dns]
            bind = "127.0.0.1:0"
            protocol = "udp"
            upstream = "dns"
            idle_timeout = "1s"

            [upstreams.dns]
            servers = ["{one.address}"]
        """)
        clients = [daemon.udp_client() for _ in range(5)]
        for client in clients:
            assert client.send(b"?").receive() == b"one ?"
        with daemon.udp_client() as late:
            late.send(b"dropped")
            daemon.wait_log("5 flows: datagrams of new clients are dropped")
            for client in clients:
                assert client.send(b"still here").receive() == b"one still here"
            late.socket.settimeout(0.1)
            wait_until("a silent one makes room", lambda: is_answered(late))
        assert one.served == 11, "the dropped ones never reached the server"
        for client in clients:
            client.close()


def is_answered(client: UdpClient) -> bool:
    try:
        return bool(client.send(b"?").receive())
    except TimeoutError:
        return False


def at(daemon: Daemon, host: str) -> Inet:
    """The listener's port at one of the addresses it is bound to."""
    address = daemon.address()
    assert isinstance(address, Inet)
    return Inet(host, address.port)
