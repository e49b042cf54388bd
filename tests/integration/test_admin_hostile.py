"""Callers of the admin API that are slow, silent, endless, many, or speak something else cost others nothing."""

import socket
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import pytest

from l4d.admin import guard
from tests.integration.test_admin import config, entry, over_tcp, with_api
from tests.integration.test_admin_survives import control
from tests.kit import Daemon, Echo, Start, ask
from tests.kit.api import Api, Connection

SOON = 0.2
"""Seconds within which others are answered."""

HEAD = b"GET /api/v1/status HTTP/1.1\r\nHost: l4d\r\n"


def call(api: Api) -> socket.socket:
    """A connection that the test does with as it likes."""
    connection = Connection(api.door)
    connection.connect()
    assert connection.sock is not None
    return connection.sock


def silent(stack: ExitStack, api: Api, number: int) -> list[socket.socket]:
    return [stack.enter_context(call(api)) for _ in range(number)]


def slow(stack: ExitStack, api: Api, number: int) -> None:
    """Each has begun a request, and sends a little more of it now and then."""
    for sock in silent(stack, api, number):
        sock.send(HEAD + b"X: ")


def half_open(stack: ExitStack, api: Api, number: int) -> None:
    for sock in silent(stack, api, number):
        sock.shutdown(socket.SHUT_WR)


def garbage(stack: ExitStack, api: Api, number: int) -> None:
    for index, sock in enumerate(silent(stack, api, number)):
        try_send(sock, bytes([index % 256]) * 3000 + b"\r\n\r\n" + b"\x16\x03\x01\x00" * 100)


def endless_head(stack: ExitStack, api: Api, number: int) -> None:
    for sock in silent(stack, api, min(number, 20)):
        try_send(sock, HEAD + b"X: " + b"a" * 10_000_000)


def many_heads(stack: ExitStack, api: Api, number: int) -> None:
    for sock in silent(stack, api, min(number, 20)):
        try_send(sock, HEAD + b"".join(b"X-%d: y\r\n" % line for line in range(500_000)))


def huge_body(stack: ExitStack, api: Api, number: int) -> None:
    for sock in silent(stack, api, min(number, 20)):
        head = b"PATCH /api/v1/upstreams/web/servers/one HTTP/1.1\r\nHost: l4d\r\nTransfer-Encoding: chunked\r\n\r\n"
        try_send(sock, head + b"10000\r\n" + b"a" * 0x10000 + b"\r\n" + b"10000\r\n" + b"a" * 10_000_000)


def never_reading(stack: ExitStack, api: Api, number: int) -> None:
    """Each asks for far more than its socket holds, and does not read."""
    for sock in silent(stack, api, min(number, 60)):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        try_send(sock, (b"GET /api/v1/openapi.json HTTP/1.1\r\nHost: l4d\r\n\r\n") * 200)


def try_send(sock: socket.socket, data: bytes) -> None:
    """As much as is taken within a moment."""
    sock.settimeout(0.05)
    try:
        sock.sendall(data)
    except OSError:
        return


def is_cut_off(sock: socket.socket) -> bool:
    """In the end, without an answer."""
    sock.settimeout(guard.FIRST_WITHIN + 5)
    try:
        return sock.recv(1) == b""
    except ConnectionResetError:
        return True


def is_served(daemon: Daemon, api: Api) -> None:
    """Somebody else is answered soon, again and again, and so are clients."""
    took = []
    for _ in range(11):
        begun = time.monotonic()
        assert api.ask("GET", "/api/v1/upstreams").status == 200
        took.append(time.monotonic() - begun)
        assert ask(daemon.address()) == "one"
    assert median(took) < SOON, took  # not each: others use this machine, too


@pytest.mark.parametrize(
    "hostile", [silent, slow, half_open, garbage, endless_head, many_heads, huge_body, never_reading]
)
@pytest.mark.parametrize("door", ["unix", "tcp"])
def test_others_are_served_meanwhile(
    start: Start, tmp_path: Path, hostile: Callable[[ExitStack, Api, int], object], door: str
) -> None:
    with Echo("one") as one, ExitStack() as stack:
        daemon, api = with_api(start, tmp_path, config(entry(one, "one")))
        attacked = api if door == "unix" else over_tcp(daemon)
        pid = control(daemon)
        hostile(stack, attacked, 200)
        is_served(daemon, attacked)
        is_served(daemon, api)
        assert control(daemon) == pid, "it has not died of that"
        daemon.check_log()
        assert len(daemon.log()) < 20_000


def test_who_has_waited_for_longest_makes_room(start: Start, tmp_path: Path) -> None:
    with ExitStack() as stack:
        _daemon, api = with_api(start, tmp_path, config('"127.0.0.1:9"'))
        first = call(api)
        stack.enter_context(first)
        asked = Connection(api.door)
        stack.callback(asked.close)
        silent(stack, api, guard.MOST_CALLERS - 2)
        assert asked.ask("GET", "/healthz").status == 200
        silent(stack, api, 1)
        assert is_cut_off(first)
        assert asked.ask("GET", "/healthz").status == 200


def test_a_silent_caller_is_cut_off_in_the_end(start: Start, tmp_path: Path) -> None:
    _daemon, api = with_api(start, tmp_path, config('"127.0.0.1:9"'))
    with call(api) as sock:
        begun = time.monotonic()
        sock.send(HEAD)
        assert is_cut_off(sock)
        assert time.monotonic() - begun > guard.FIRST_WITHIN - 1
