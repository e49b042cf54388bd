"""Opening a socket towards a server, and what a failed dial means for whom."""

import errno
import os
import socket
from contextlib import ExitStack, closing
from typing import Any

import pytest

from l4d.address import Inet, Unix
from l4d.config.model import Keepalive
from l4d.session import dialling
from l4d.session.session import Session
from l4d.stats import catalogue
from l4d.terms import Balance, End, Level, Protocol
from l4d.upstream.server import Server
from tests.unit.making import Clock, Lines, Row, listener, upstream

TCP = listener()
UDP = listener(protocol=Protocol.UDP)


def test_a_tcp_socket_sends_small_messages_at_once_and_never_waits() -> None:
    with closing(dialling.open_socket(TCP, upstream(), Inet("127.0.0.1", 1))) as sock:
        assert (sock.type, sock.family) == (socket.SOCK_STREAM, socket.AF_INET)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
        assert not sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert not sock.getblocking()
        assert not os.get_inheritable(sock.fileno())


def test_the_listeners_options_hold_for_the_servers_side_too() -> None:
    tuned = listener(user_timeout=2.5, keepalive=Keepalive(enabled=True, idle=30.0), send_buffer=100_000)
    with closing(dialling.open_socket(tuned, upstream(), Inet("::1", 1))) as sock:
        assert sock.family == socket.AF_INET6
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 2500
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) == 200_000


def test_a_udp_socket_gets_a_large_buffer() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as plain:
        usual = plain.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    with closing(dialling.open_socket(UDP, upstream(), Inet("127.0.0.1", 1))) as sock:
        assert sock.type == socket.SOCK_DGRAM
        assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) > usual


def test_a_unix_server_is_dialled_without_the_options_of_the_network() -> None:
    with closing(dialling.open_socket(TCP, upstream(source="127.0.0.2"), Unix("/nowhere"))) as sock:
        assert sock.family == socket.AF_UNIX
        assert not sock.getblocking()


def test_a_source_address_is_bound_and_its_port_chosen_only_at_connect() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        with closing(dialling.open_socket(TCP, upstream(source="127.0.0.2"), Inet("127.0.0.1", 1))) as sock:
            assert sock.getsockname() == ("127.0.0.2", 0)
            sock.connect_ex(server.getsockname())
            host, port = sock.getsockname()
            assert host == "127.0.0.2"
            assert port


def test_a_source_address_that_is_not_ours_leaves_no_socket_behind() -> None:
    with pytest.raises(OSError) as caught:
        dialling.open_socket(TCP, upstream(source="192.0.2.1"), Inet("127.0.0.1", 1))
    assert caught.value.errno == errno.EADDRNOTAVAIL
    assert caught.value.errno in dialling.OURS


def test_from_a_source_address_of_the_other_family_there_is_no_way() -> None:
    with pytest.raises(OSError) as caught:
        dialling.open_socket(TCP, upstream(source="::1"), Inet("127.0.0.1", 1))
    assert (caught.value.errno, caught.value.strerror) == (errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))


def connected(server: Server, address: Inet) -> int:
    """What a new socket hears when it is connected to *address*."""
    with closing(dialling.open_socket(TCP, upstream(), address)) as sock:
        return dialling.connect(sock, address, server)


def test_a_server_nearby_has_answered_by_the_time_it_is_asked_again() -> None:
    with socket.create_server(("127.0.0.1", 0)) as there:
        assert connected(Row().server(), Inet(*there.getsockname())) == 0


def test_a_server_nearby_that_refuses_is_known_to_at_once() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        assert connected(Row().server(), Inet(*nobody.getsockname())) == errno.ECONNREFUSED


def test_a_server_that_takes_its_time_is_not_asked_twice_for_a_while() -> None:
    """With a full queue a server answers nobody."""
    server = Row().server()
    with socket.socket() as full, ExitStack() as waiting:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        address = Inet(*full.getsockname())
        while not server.patience:
            sock = waiting.enter_context(closing(dialling.open_socket(TCP, upstream(), address)))
            number = dialling.connect(sock, address, server)
        assert number == errno.EINPROGRESS
        assert server.patience == dialling.PATIENCE
    with socket.create_server(("127.0.0.1", 0), backlog=2 * dialling.PATIENCE) as there:
        address = Inet(*there.getsockname())
        assert {connected(server, address) for _ in range(dialling.PATIENCE)} == {errno.EINPROGRESS}
        assert connected(server, address) == 0


@pytest.mark.parametrize(
    ("number", "reason", "words"),
    [
        (errno.ECONNREFUSED, "refused", "connection refused"),
        (errno.ENOENT, "refused", "no such file or directory"),
        (errno.ETIMEDOUT, "timeout", "connection timed out"),
        (errno.EHOSTUNREACH, "unreachable", "no route to host"),
        (errno.EPERM, "other", "operation not permitted"),
        (dialling.EARLY_CLOSE, "early_close", "closed without a byte"),
    ],
)
def test_a_failed_dial_is_counted_by_its_reason_and_told(number: int, reason: str, words: str) -> None:
    row, sink = Row(), Lines()
    server = row.server()
    settings = upstream(max_fails=2, fail_timeout=10.0)
    session = Session(row.service(Clock().as_loop(), sink=sink, upstream=settings), ("10.9.9.9", 1), 5432, 2)
    dialling.blame(session, server, number)
    assert row.row[row.columns.of(catalogue.SERVER_FAILURES, "db", "one", reason)] == 1
    assert sink.texts[0] == f"dialling 10.0.0.1:5432 (upstreams.db/one): {words}"


def test_the_dial_that_puts_a_server_out_is_told_once() -> None:
    row, sink = Row(), Lines()
    settings = upstream(max_fails=2, fail_timeout=10.0)
    server = row.server(settings)
    session = Session(row.service(Clock().as_loop(), sink=sink, upstream=settings), ("10.9.9.9", 1), 5432, 2)
    for _ in range(5):
        dialling.blame(session, server, errno.ECONNREFUSED)
    told = [text for text in sink.texts if text.startswith("server db/one is out for 10 s: 2 failed dials")]
    assert len(told) == 1
    assert told[0].endswith("connection refused")


def test_a_server_that_fails_again_when_its_time_out_is_over_stays_out_and_that_is_no_warning() -> None:
    dialled = Dialled(max_fails=2, fail_timeout=10.0)
    for _ in range(2):
        dialling.blame(dialled.session, dialled.server, errno.ECONNREFUSED)
    dialled.clock.now += 11
    dialled.session.service.pool.refresh(dialled.clock.now)
    assert dialled.server.on_probation
    dialled.sink.taken.clear()
    dialling.blame(dialled.session, dialled.server, errno.ETIMEDOUT)
    told = (Level.INFO, "server db/one stays out for 10 s: it was tried again: connection timed out")
    assert [each for each in dialled.sink.taken if each[1].startswith("server ")] == [told]
    assert not dialled.server.on_probation


def test_every_reason_is_one_the_catalogue_knows() -> None:
    row = Row()
    server = row.server()
    session = Session(row.service(Clock().as_loop()), ("10.9.9.9", 1), 5432, 2)
    for number in (dialling.EARLY_CLOSE, *errno.errorcode):
        dialling.blame(session, server, number)
    counted = sum(row.row[column] for _, column in row.columns.each(catalogue.SERVER_FAILURES))
    assert counted == 1 + len(errno.errorcode)


class Dialled:
    """A session whose one server has been chosen, and is being dialled."""

    def __init__(self, **settings: Any) -> None:
        self.row, self.sink, self.clock = Row(), Lines(), Clock()
        config = upstream(**settings)
        service = self.row.service(self.clock.as_loop(), self.row.place(config), sink=self.sink, upstream=config)
        self.session = Session(service, ("10.9.9.9", 1), 5432, 2)
        server = self.session.choose()
        assert server is not None
        self.server = server


@pytest.mark.parametrize(
    ("number", "end"),
    [
        (errno.ECONNREFUSED, End.NO_SERVER_ACCEPTED),
        (errno.ETIMEDOUT, End.CONNECT_TIMEOUT),
        (errno.EMFILE, End.NO_RESOURCE),
        (errno.EADDRNOTAVAIL, End.NO_RESOURCE),
    ],
)
def test_a_failed_dial_gives_the_session_back_and_says_what_its_end_would_be(number: int, end: End) -> None:
    dialled = Dialled()
    assert dialled.server.load() == 1
    assert dialling.failed(dialled.session, dialled.server, number) is end
    assert dialled.server.load() == 0


def test_what_we_lack_is_not_held_against_the_server() -> None:
    dialled = Dialled(max_fails=1)
    dialling.failed(dialled.session, dialled.server, errno.EMFILE)
    assert dialled.server.out_until == 0
    assert dialled.sink.texts == ["dialling 10.0.0.1:5432: too many open files"]


@pytest.mark.parametrize("number", [errno.ECONNREFUSED, errno.EMFILE])
def test_on_probation_a_failed_dial_makes_room_for_the_next_whatever_it_failed_for(number: int) -> None:
    dialled = Dialled(max_fails=0)
    dialled.server.on_probation, dialled.server.trying = True, 1
    dialling.failed(dialled.session, dialled.server, number)
    assert dialled.server.trying == 0


def test_an_answer_brings_a_server_in_again_and_is_told_once() -> None:
    dialled = Dialled(max_fails=1)
    dialling.blame(dialled.session, dialled.server, errno.ECONNREFUSED)
    dialled.clock.now += 11
    for _ in range(2):
        dialling.proven(dialled.session, dialled.server)
    told = [text for text in dialled.sink.texts if "again" in text]
    assert told == ["server db/one is in again: it has answered"]


def test_how_soon_a_server_answers_is_measured_where_it_is_balanced_by_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dialling, "time", Clock(1000.25))
    timed, untimed = Dialled(balance=Balance.LEAST_TIME), Dialled()
    for dialled in (timed, untimed):
        dialling.measure(dialled.session, dialled.server, 1000.0)
    assert (timed.server.connect_time(1000), untimed.server.connect_time(1000)) == (0.25, 0)


@pytest.mark.parametrize("number", [errno.ETIMEDOUT, errno.ECONNREFUSED, errno.EHOSTUNREACH])
def test_a_dial_that_fails_counts_as_one_that_took_connect_timeout(number: int) -> None:
    """Were a refusal as quick as it is, the server that refuses would be asked before all others."""
    timed, untimed = (Dialled(balance=each, connect_timeout=5.0) for each in (Balance.LEAST_TIME, Balance.ROUND_ROBIN))
    for dialled in (timed, untimed):
        dialling.failed(dialled.session, dialled.server, number)
    assert (timed.server.connect_time(1000), untimed.server.connect_time(1000)) == (5, 0)


def test_what_we_lack_does_not_count_as_slowness_of_the_server() -> None:
    dialled = Dialled(balance=Balance.LEAST_TIME, connect_timeout=5.0)
    dialling.failed(dialled.session, dialled.server, errno.EMFILE)
    assert dialled.server.connect_time(1000) == 0
