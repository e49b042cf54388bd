"""Handshakes under way, as the kernel tells them: a deferred accept keeps a real one from its end."""

import builtins
import socket
from collections.abc import Iterator
from typing import Any

import pytest

from l4d.linux.handshakes import in_flight, parse
from tests.kit.wait import wait_until

TABLE = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1 1 0 100 0 0 10 0
   1: 0100007F:1F90 0100007F:D962 03 00000000:00000000 01:00000064 00000000     0        0 0 1 0
   2: 0100007F:1F90 0100007F:D963 01 00000000:00000000 00:00000000 00000000     0        0 7 1 0 20 4 0 10 -1
   3: 0100007F:1F91 0100007F:D964 03 00000000:00000000 01:00000064 00000000     0        0 0 1 0
   4: 0100007F:1F92 0100007F:1F90 03 00000000:00000000 01:00000064 00000000     0        0 0 1 0
   5: 0100007F:1F90 0100007F:D965 01 00000000:00000000 00:00000000 00000000     0       03 8 1 0
   6: 0100007F:1F90 0100007F:D966 01 00000000:00000000 00:00000000 00000000     0 03 8 1 0
"""


def test_only_handshakes_of_our_ports_are_meant() -> None:
    table = TABLE.splitlines()
    assert set(parse(table, {0x1F90})) == {("0100007F:1F90", "0100007F:D962")}
    assert {remote for _local, remote in parse(table, {0x1F90, 0x1F91})} == {"0100007F:D962", "0100007F:D964"}
    assert not set(parse(table, {80}))


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_a_real_handshake_is_in_flight_until_it_is_over(family: socket.AddressFamily) -> None:
    host = "::1" if family == socket.AF_INET6 else "127.0.0.1"
    with socket.create_server((host, 0), family=family) as listening:
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_DEFER_ACCEPT, 30)
        port = listening.getsockname()[1]
        assert in_flight({port}) == set()
        with socket.create_connection((host, port)) as client:
            [(local, remote)] = in_flight({port})
            assert (int(local[-4:], 16), int(remote[-4:], 16)) == (port, client.getsockname()[1])
            assert in_flight({port + 1}) == set()
            client.send(b"x")
            wait_until("the handshake is over", lambda: in_flight({port}) == set())


def test_without_ports_there_is_nothing_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(builtins, "open", lambda *_args, **_kwargs: pytest.fail("it was read"))
    assert in_flight(set()) == set()


def test_a_kernel_without_ipv6_has_one_table(monkeypatch: pytest.MonkeyPatch) -> None:
    class Table:
        def __enter__(self) -> Iterator[str]:
            return iter(TABLE.splitlines())

        def __exit__(self, *_args: object) -> None: ...

    def only_one(path: str, **_kwargs: Any) -> Table:
        if path != "/proc/net/tcp":
            raise FileNotFoundError(path)
        return Table()

    monkeypatch.setattr(builtins, "open", only_one)
    assert len(in_flight({0x1F90})) == 1


def test_a_table_that_cannot_be_read_is_not_an_empty_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(path: str, **_kwargs: Any) -> None:
        raise FileNotFoundError(path)

    monkeypatch.setattr(builtins, "open", none)
    with pytest.raises(FileNotFoundError):
        in_flight({0x1F90})
