"""Sessions whose listener, upstream or server the new file does not have run on, and are told and counted as theirs."""

from collections.abc import Iterator

import pytest

from l4d.address import Inet
from l4d.stats import catalogue
from tests.kit import Echo, Server, Start, ask, free_port, wait_until
from tests.kit.board import BoardOf
from tests.kit.nameserver import Nameserver
from tests.kit.rights import needs_root
from tests.kit.tcp import Peer

WHAT_CHANGES = {
    "the listener is removed": (["else new else"], ["else other"]),
    "the listener is renamed": (["renamed old web"], ["web server"]),
    "the listener is renamed, and has another upstream": (["renamed old else"], ["else other"]),
    "the listener has another upstream": (["web old else"], ["else other"]),
    "the upstream has another server": (["web old web"], ["web other"]),
    "the listener has another address": (["web new web"], ["web server"]),
    "another listener has the address": (["else old web", "web new web"], ["web server"]),
    "the listener is one for UDP now": (["web new else udp"], ["else other"]),
}
"""Listeners (name, port, upstream) and upstreams (name, server) of the new file."""

KEPT = {"the listener has another address", "another listener has the address"}
"""Where the new file has the session's listener, upstream and server still."""

RETIRED = "; retired, as the file no longer has their listener or server"


@pytest.fixture
def other() -> Iterator[Echo]:
    with Echo("other") as other:
        yield other


class Files:
    """Configurations around one session's."""

    def __init__(self, server: Server, other: Echo) -> None:
        self._places = {"old": free_port(), "new": free_port(), "server": server.address, "other": other.address}

    def old(self) -> str:
        return self.file(["web old web"], ["web server"])

    def file(self, listeners: list[str], upstreams: list[str]) -> str:
        lines = ["[main]", "workers = 2", "[log]", 'level = "debug"']
        for listener in listeners:
            name, port, upstream, *protocol = listener.split()
            lines += [f"[listeners.{name}]", f'bind = "127.0.0.1:{self._places[port]}"', f'upstream = "{upstream}"']
            lines += [f'protocol = "{word}"' for word in protocol]
        for upstream in upstreams:
            name, server = upstream.split()
            lines += [f"[upstreams.{name}]", f'servers = ["{self._places[server]}"]']
        return "\n".join(lines)


@pytest.fixture
def files(server: Server, other: Echo) -> Files:
    return Files(server, other)


def talks(client: Peer, peer: Peer) -> None:
    client.send(b"hello")
    assert peer.read(5) == b"hello"
    peer.send(b"world")
    assert client.read(5) == b"world"


def end(client: Peer, peer: Peer) -> None:
    client.finish()
    assert peer.read_all() == b""
    peer.finish()
    assert client.read_all() == b""


@pytest.mark.parametrize("change", WHAT_CHANGES)
def test_a_session_runs_on_whatever_the_new_file_has_of_it(
    start: Start, server: Server, files: Files, change: str
) -> None:
    daemon = start(files.old())
    with daemon.client() as client, server.accept() as peer:
        talks(client, peer)
        for _ in range(3):
            daemon.hand_over(files.file(*WHAT_CHANGES[change]))
            talks(client, peer)
        moves = "took over 1 tcp sessions"
        assert daemon.log().count(moves) == 3
        assert daemon.log().count(f"{moves}{RETIRED}: 1") == 3 * (change not in KEPT)
        end(client, peer)
        daemon.wait_log(f"web tcp {client.local} -> web/{server.address} {server.address} up=20 down=20")
    daemon.wait_log("end=--")


def test_a_session_of_a_listener_that_comes_back_is_its_again(start: Start, server: Server, files: Files) -> None:
    daemon = start(files.old())
    with daemon.client() as client, server.accept() as peer:
        for change in ("the listener is removed", "the listener is renamed", "the listener is removed"):
            daemon.hand_over(files.file(*WHAT_CHANGES[change]))
            talks(client, peer)
        daemon.hand_over(files.old())
        assert daemon.log().count(RETIRED) == 3
        talks(client, peer)
        end(client, peer)
    daemon.wait_log("up=20 down=20")
    daemon.stop()
    assert "listeners.web: 1 sessions, up=20 down=20 bytes" in daemon.log()


def test_the_deadlines_of_a_listener_that_is_gone_hold(start: Start, server: Server, files: Files) -> None:
    daemon = start(files.old().replace('upstream = "web"', 'upstream = "web"\nidle_timeout = "2s"'))
    with daemon.client() as client, server.accept() as peer:
        talks(client, peer)
        for _ in range(2):
            daemon.hand_over(files.file(*WHAT_CHANGES["the listener is removed"]))
        assert client.read_all() == b""
    daemon.wait_log("end=cD idle timeout")


def test_an_early_close_where_the_upstream_is_gone_is_the_end(start: Start, server: Server, files: Files) -> None:
    daemon = start(files.old().replace("[upstreams.web]", '[upstreams.web]\nearly_close = "1m"'))
    with daemon.client() as client, server.accept() as peer:
        daemon.hand_over(files.file(*WHAT_CHANGES["the listener is removed"]))
        peer.close()
        assert client.read_all() == b""
    daemon.wait_log("web tcp")
    daemon.wait_log("end=")


@needs_root
@pytest.mark.parametrize("change", ["the listener is removed", "the upstream has another server"])
def test_what_is_counted_of_the_gone_stays_theirs_while_they_have_a_session(
    start: Start, server: Server, other: Echo, files: Files, change: str
) -> None:
    daemon = start(files.old())
    with BoardOf(daemon) as board, daemon.client() as client, server.accept() as peer:
        talks(client, peer)
        for number in range(3):  # new names, which would get the columns that are given back
            daemon.hand_over(files.file(*WHAT_CHANGES[change]) + more_names(other, number))
            talks(client, peer)
            assert board.total(catalogue.SESSIONS, "web") == 1
            assert board.total(catalogue.SESSIONS_TOTAL, "web") == 1
            assert board.total(catalogue.BYTES, "web", "up") == 5 * (number + 2)
            assert board.total(catalogue.SERVER_SESSIONS, "web", str(server.address)) == 1
        end(client, peer)
        wait_until("it is over", lambda: board.total(catalogue.SESSIONS, "web") == 0)
        assert board.total(catalogue.SESSION_ENDS, "web", "--") == 1
        assert board.total(catalogue.SERVER_SESSIONS, "web", str(server.address)) == 0
    daemon.stop()
    assert "listeners.more2: 0 sessions, up=0 down=0 bytes" in daemon.log()


def more_names(server: Echo, number: int) -> str:
    return f"""
        [listeners.more{number}]
        bind = "127.0.0.1:0"
        upstream = "more{number}"

        [upstreams.more{number}]
        servers = ["{server.address}"]
    """


def test_names_of_the_gone_are_forgotten_when_their_last_session_is_over(
    start: Start, server: Server, files: Files
) -> None:
    daemon = start(files.old())
    with daemon.client() as client, server.accept() as peer:
        daemon.hand_over(files.file(*WHAT_CHANGES["the listener is removed"]))
        talks(client, peer)
        end(client, peer)
        daemon.wait_log("end=--")
    daemon.hand_over(files.file(*WHAT_CHANGES["the listener is removed"]))
    daemon.hand_over(files.old())
    daemon.stop()
    assert "listeners.web: 0 sessions, up=0 down=0 bytes" in daemon.log()


def test_new_clients_meet_the_new_file_only(start: Start, server: Server, files: Files) -> None:
    daemon = start(files.old())
    with daemon.client() as client, server.accept() as peer:
        for change in ("the upstream has another server", "the listener is renamed, and has another upstream"):
            daemon.hand_over(files.file(*WHAT_CHANGES[change]))
            assert {ask(daemon.addresses()[0]) for _ in range(10)} == {"other"}
            talks(client, peer)
        assert server.nobody_waits()


# Servers given by name


def named(nameserver: Nameserver, port: int) -> str:
    return f"""
        [main]
        workers = 2

        [log]
        level = "debug"

        [resolver]
        nameservers = ["{nameserver.address}"]
        min_ttl = "100ms"

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [upstreams.web]
        servers = ["web.test:{port}"]
    """


@needs_root
def test_a_session_keeps_the_address_it_was_given_though_the_name_has_another(start: Start) -> None:
    port = free_port()
    with Nameserver() as nameserver, Echo("a", Inet("127.0.2.1", port)), Echo("b", Inet("127.0.2.2", port)):
        nameserver.set("web.test", "A", "127.0.2.1", ttl=0)
        daemon = start(named(nameserver, port))
        with BoardOf(daemon) as board, daemon.client() as client:
            assert client.send(b"1\n").read_line() == b"a 1\n"
            sessions = [(seat, board.total(catalogue.SERVER_SESSIONS, "web", seat)) for seat in seats(board)]
            daemon.hand_over()
            assert client.send(b"2\n").read_line() == b"a 2\n"
            assert [(seat, board.total(catalogue.SERVER_SESSIONS, "web", seat)) for seat in seats(board)] == sessions
            nameserver.set("web.test", "A", "127.0.2.2", ttl=0)
            wait_until("new clients are given the other one", lambda: ask(daemon.address()) == "b")
            for _ in range(2):
                daemon.hand_over()
                assert client.send(b"3\n").read_line() == b"a 3\n"
                assert ask(daemon.address()) == "b"
            wait_until("the others are gone", lambda: board.total(catalogue.SESSIONS, "web") == 1)
            client.close()
            wait_until(
                "nothing is left",
                lambda: not sum(board.total(catalogue.SERVER_SESSIONS, "web", seat) for seat in seats(board)),
            )
        daemon.wait_log("127.0.2.1:")


def seats(board: BoardOf) -> list[str]:
    [server] = board.config.upstreams["web"].servers
    return list(server.seats)
