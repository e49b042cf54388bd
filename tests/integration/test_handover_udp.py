"""HUP moves UDP flows to the new workers: no datagram is lost, doubled or reordered; servers see the same clients."""

import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from l4d.address import Address, Inet
from l4d.stats import catalogue
from tests.kit import Daemon, Start, UdpClient, UdpServer, free_port, wait_until
from tests.kit.awkward import DeadServer
from tests.kit.board import BoardOf
from tests.kit.closing import Closing
from tests.kit.mirror import Mirror
from tests.kit.programs import port_of
from tests.kit.rights import needs_root

HUPS = 20
FLOWS = 100
UDP_SEGMENT = 103  # several datagrams of this size in one call (udp(7))


@pytest.fixture
def server() -> Iterator[UdpServer]:
    with UdpServer() as server:
        yield server


def dns(server: Address, listener: str = "", bind: str = "127.0.0.1:0", upstream: str = "") -> str:
    return f"""
        [log]
        level = "debug"

        [listeners.dns]
        bind = "{bind}"
        protocol = "udp"
        upstream = "dns"
        {listener}

        [upstreams.dns]
        servers = ["{server}"]
        {upstream}
    """


class Asking(Closing):
    """A client that counts in a thread, a number each *pause* seconds, and hears the mirror's answers."""

    def __init__(self, address: Address, pause: float) -> None:
        self._client = UdpClient(address)
        self._client.socket.settimeout(pause)
        self._pause = pause
        self._done = False
        self.sent = 0
        self.heard: list[int] = []
        self.ports: set[int] = set()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._done:
            self._client.send(b"%d" % self.sent)
            self.sent += 1
            self._hear(time.monotonic() + self._pause)

    def _hear(self, until: float) -> None:
        while (left := until - time.monotonic()) > 0:
            self._client.socket.settimeout(left)
            try:
                port, number = self._client.receive().split()
            except TimeoutError:
                return
            self.ports.add(int(port))
            self.heard.append(int(number))

    def finish(self) -> None:
        """Ask no more, and hear what is still to come."""
        self._done = True
        self._thread.join()
        deadline = time.monotonic() + 2
        while len(self.heard) < self.sent and time.monotonic() < deadline:
            self._hear(time.monotonic() + 0.05)

    def close(self) -> None:
        self._done = True
        self._thread.join()
        self._client.close()


# Flows live on


@needs_root
def test_flows_keep_their_port_and_lose_no_datagram_over_20_reloads(start: Start) -> None:
    with Mirror() as mirror, ExitStack() as stack:
        daemon = start(dns(mirror.address).replace("debug", "info"))
        board = stack.enter_context(BoardOf(daemon))
        clients = [stack.enter_context(Asking(daemon.address(), 0.2)) for _ in range(FLOWS)]
        wait_until("all flows are there", lambda: board.total(catalogue.SESSIONS, "dns") == FLOWS)
        for _ in range(HUPS):
            daemon.hand_over()
        for client in clients:
            client.finish()
            assert client.heard == list(range(client.sent))
            assert len(client.ports) == 1
        assert board.total(catalogue.SESSIONS_TOTAL, "dns") == FLOWS
        assert board.total(catalogue.SESSIONS, "dns") == FLOWS
        assert board.total(catalogue.HANDED_OVER, "udp") == FLOWS * HUPS
        sent = sum(client.sent for client in clients)
        assert board.total(catalogue.DATAGRAMS, "dns", "up") == sent
        assert board.total(catalogue.DATAGRAMS, "dns", "down") == sent
        assert sum(board.total(catalogue.DATAGRAMS_DROPPED, "dns", reason) for reason in catalogue.DROP_REASONS) == 0


class Sink(Closing):
    """A server in a thread that keeps what it is sent, and from whom."""

    def __init__(self) -> None:
        self._server = UdpServer()
        self._server.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        self._server.socket.settimeout(0.1)
        self.address = self._server.address
        self.received: list[bytes] = []
        self.senders: set[Address] = set()
        self._done = False
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._done:
            try:
                datagram = self._server.receive()
            except TimeoutError:
                continue
            self.received.append(datagram.data)
            self.senders.add(datagram.sender)

    def close(self) -> None:
        self._done = True
        self._thread.join()
        self._server.close()


class Sending(Closing):
    """A client in a thread that sends what *make* makes of 0, 1, 2 ..., a thousand a second, and hears nothing."""

    def __init__(self, address: Address, make: Callable[[int], bytes], cut: int = 0) -> None:
        """*cut*: what is made is a train of datagrams of so many bytes."""
        self._client = UdpClient(address)
        if cut:
            self._client.socket.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, cut)
        self._make = make
        self._done = False
        self.sent = 0
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._done:
            self._client.send(self._make(self.sent))
            self.sent += 1
            time.sleep(0.001)

    def finish(self) -> None:
        self._done = True
        self._thread.join()

    def close(self) -> None:
        self.finish()
        self._client.close()


def test_a_busy_flow_keeps_its_order_over_20_reloads(start: Start) -> None:
    with Sink() as sink:
        daemon = start(dns(sink.address))
        with Sending(daemon.address(), lambda number: b"%d" % number) as client:
            for _ in range(HUPS):
                daemon.hand_over()
            client.finish()
            wait_until("all has arrived", lambda: len(sink.received) >= client.sent)
        assert sink.received == [b"%d" % number for number in range(client.sent)]
        assert len(sink.senders) == 1
    assert "end=" not in daemon.log()


@pytest.mark.parametrize("bind", ["127.0.0.1:0", "0.0.0.0:0"])
def test_trains_of_datagrams_stay_whole_over_20_reloads(start: Start, bind: str) -> None:
    with Sink() as sink:
        daemon = start(dns(sink.address, bind=bind))

        def train(number: int) -> bytes:
            return b"".join(b"%6d %2d " % (number, wagon) + b"." * 990 for wagon in range(20))

        with Sending(at(daemon, "127.0.0.1"), train, cut=1000) as client:
            for _ in range(HUPS):
                daemon.hand_over()
            client.finish()
            wait_until("all has arrived", lambda: len(sink.received) >= 20 * client.sent)
        places = [tuple(map(int, data[:10].split())) for data in sink.received]
        assert places == [(number, wagon) for number in range(client.sent) for wagon in range(20)]
        assert len(sink.senders) == 1


@pytest.mark.parametrize("cut", [0, 1000], ids=["single", "trains"])
def test_what_a_server_sends_in_bulk_arrives_in_order_over_20_reloads(
    start: Start, server: UdpServer, cut: int
) -> None:
    daemon = start(dns(server.address))
    with daemon.udp_client() as client:
        client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        client.send(b"go")
        flow = server.receive()
        if cut:
            server.socket.setsockopt(socket.IPPROTO_UDP, UDP_SEGMENT, cut)
        heard: list[int] = []
        done = threading.Event()

        def send() -> int:
            number = 0
            while not done.is_set():
                flow.answer(b"".join(b"%08d" % (number + wagon) + b"." * 992 for wagon in range(10 if cut else 1)))
                number += 10 if cut else 1
                time.sleep(0.001)
            return number

        def hear() -> None:
            while (data := client.receive()) != b"end":
                heard.append(int(data[:8]))

        with ThreadPoolExecutor() as threads:
            hearing = threads.submit(hear)
            sending = threads.submit(send)
            try:
                for _ in range(HUPS):
                    daemon.hand_over()
            finally:
                done.set()
            sent = sending.result()
            flow.answer(b"end")
            hearing.result()
        assert heard == list(range(sent))


def test_clients_of_a_socket_bound_to_all_addresses_are_answered_from_the_one_they_asked(
    start: Start, server: UdpServer
) -> None:
    daemon = start(dns(server.address, bind="0.0.0.0:0"))
    with UdpServer() as client:  # not connected: it hears everybody, and sees whom
        flows: dict[Address, set[Address]] = {}
        for number in range(5):
            for host in ("127.0.0.2", "127.0.0.3"):
                asked = at(daemon, host)
                client.socket.sendto(b"%d" % number, asked.sockaddr)
                question = server.receive()
                flows.setdefault(asked, set()).add(question.sender)
                if number % 2:
                    daemon.hand_over()  # between question and answer
                question.answer(question.data)
                answer = client.receive()
                assert (answer.data, answer.sender) == (question.data, asked)
            daemon.hand_over()
        assert [len(ports) for ports in flows.values()] == [1, 1]


@pytest.mark.parametrize("host", ["::1", "127.0.0.1"])
def test_flows_of_ipv6_and_of_a_star_move(start: Start, server: UdpServer, host: str) -> None:
    six = ":" in host
    daemon = start(dns(server.address, bind="[::]:0" if six else f"*:{free_port()}"))
    with UdpClient(Inet(host, port_of(daemon.addresses("dns")[0]))) as client:
        senders = set()
        for number in range(4):
            client.send(b"%d" % number)
            question = server.receive()
            senders.add(question.sender)
            question.answer(question.data)
            assert client.receive() == b"%d" % number
            daemon.hand_over()
        assert len(senders) == 1


# Flows end as they would have


@needs_root
@pytest.mark.parametrize("listener", ["responses = 1", "requests = 1\nresponses = 1", "requests = 2"])
def test_every_question_is_answered_while_workers_are_replaced(start: Start, listener: str) -> None:
    with Mirror() as mirror, ExitStack() as stack:
        daemon = start(dns(mirror.address, listener).replace("debug", "info"))
        board = stack.enter_context(BoardOf(daemon))
        clients = [stack.enter_context(Asking(daemon.address(), 0.02)) for _ in range(10)]
        for _ in range(HUPS):
            daemon.hand_over()
        for client in clients:
            client.finish()
            assert sorted(client.heard) == list(range(client.sent))
        sent = sum(client.sent for client in clients)
        flows = board.total(catalogue.SESSIONS_TOTAL, "dns")
        if "responses" in listener:
            wait_until("all are over", lambda: board.total(catalogue.SESSIONS, "dns") == 0)
            assert board.total(catalogue.SESSION_ENDS, "dns", "UR") == flows
            assert flows <= sent
        else:
            assert flows == sum((client.sent + 1) // 2 for client in clients)
        assert board.total(catalogue.DATAGRAMS, "dns", "up") == sent
        assert board.total(catalogue.DATAGRAMS, "dns", "down") == sent


def age_at_end(daemon: Daemon, end: str) -> float:
    """Seconds that the only flow lived, once the log has said how it ended."""
    daemon.wait_log(f"end={end}")
    [age] = re.findall(r"total=(\d+)ms", daemon.log())
    return int(age) / 1000


def test_a_silent_flow_ends_in_its_time_though_it_moves(start: Start, server: UdpServer) -> None:
    daemon = start(dns(server.address, 'idle_timeout = "3s"'))
    with daemon.udp_client() as client:
        client.send(b"?")
        server.receive()
        for _ in range(3):
            daemon.hand_over()
        assert 2.95 < age_at_end(daemon, "UD idle") < 3.7
        client.send(b"!")
        server.receive()


def test_max_session_time_of_a_flow_is_over_in_time_though_it_moves(start: Start, server: UdpServer) -> None:
    daemon = start(dns(server.address, 'max_session_time = "4s"'))
    with daemon.udp_client() as client:
        client.send(b"?")
        flow = server.receive()
        while "end=" not in daemon.log():
            daemon.hand_over()
            flow.answer(b"!")
        assert 3.55 < age_at_end(daemon, "TD") < 4.5


def test_idle_timeout_of_the_new_file_holds_for_flows_that_move(start: Start, server: UdpServer) -> None:
    daemon = start(dns(server.address))
    with daemon.udp_client() as client:
        client.send(b"?")
        server.receive()
        daemon.hand_over(dns(server.address, 'idle_timeout = "1s"'))
        assert 0.95 < age_at_end(daemon, "UD") < 2


def test_a_server_that_is_gone_before_the_move_is_not_asked_after_it(start: Start, server: UdpServer) -> None:
    with DeadServer(socket.SOCK_DGRAM) as dead:
        dead.close()
        toml = dns(dead.address).replace(f'"{dead.address}"', f'"{dead.address}", "{server.address}"')
        daemon = start(toml.replace("[log]", "[main]\nworkers = 1\n[log]"))
        with daemon.udp_client() as client:
            client.send(b"one")
            daemon.wait_log("end=UI")
            daemon.hand_over()
            client.send(b"two")
            assert server.receive().data == b"two"
        assert daemon.log().count("end=UI") == 1


def test_a_server_that_goes_after_the_move_is_left_for_another_one(start: Start, server: UdpServer) -> None:
    with UdpServer() as first:
        toml = dns(first.address).replace(f'"{first.address}"', f'"{first.address}", "{server.address}"')
        daemon = start(toml.replace("[log]", "[main]\nworkers = 1\n[log]"))
        with daemon.udp_client() as client:
            client.send(b"one")
            first.receive()
            daemon.hand_over()
            first.close()
            client.send(b"two")  # is lost, and tells
            daemon.wait_log("end=UI")
            daemon.hand_over()
            client.send(b"three")
            assert server.receive().data == b"three"


# What the new file does not have


@pytest.mark.parametrize("change", ["removed", "renamed", "server", "upstream", "address", "protocol"])
def test_a_flow_runs_on_whatever_the_new_file_has_of_it(start: Start, server: UdpServer, change: str) -> None:
    port = free_port()
    old = dns(server.address, bind=f"127.0.0.1:{port}")
    with UdpServer() as other:
        new = {
            "removed": dns(other.address).replace("dns", "else"),
            "renamed": old.replace("listeners.dns", "listeners.renamed"),
            "server": old.replace(str(server.address), str(other.address)),
            "upstream": old.replace('upstream = "dns"', 'upstream = "else"').replace("upstreams.dns", "upstreams.else"),
            "address": old.replace(str(port), "0"),
            "protocol": old.replace('"udp"', '"tcp"'),
        }[change]
        daemon = start(old)
        with UdpClient(Inet("127.0.0.1", port)) as client:
            client.send(b"first")
            flow = server.receive()
            for _ in range(3):
                daemon.hand_over(new)
                client.send(b"question")
                question = server.receive()
                assert (question.data, question.sender) == (b"question", flow.sender)
                question.answer(b"answer")
                assert client.receive() == b"answer"
        assert daemon.log().count("took over 1 udp sessions") == 3
        assert "end=" not in daemon.log()


def test_the_address_of_a_listener_that_is_gone_is_closed_after_its_last_flow(start: Start, server: UdpServer) -> None:
    port = free_port()
    daemon = start(dns(server.address, 'idle_timeout = "2s"', bind=f"127.0.0.1:{port}"))
    with UdpClient(Inet("127.0.0.1", port)) as client:
        client.send(b"?")
        server.receive()
        daemon.hand_over(dns(server.address).replace("dns", "else"))
        with UdpClient(Inet("127.0.0.1", port)) as newcomer:
            newcomer.send(b"?")
            daemon.wait_log("end=UD idle")
            assert server.nothing_waits()

            def is_refused() -> bool:
                try:
                    newcomer.send(b"?")
                    newcomer.socket.setblocking(False)
                    newcomer.receive()
                except ConnectionRefusedError:
                    return True
                except BlockingIOError:
                    return False
                return False

            wait_until("the port is closed", is_refused)


def at(daemon: Daemon, host: str) -> Inet:
    """The address of the only listener, which is bound to all of them, on this host."""
    return Inet(host, port_of(daemon.address()))
