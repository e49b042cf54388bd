"""The check of type http: what is asked, and which answers are well."""

import asyncio
import gzip
from pathlib import Path
from typing import Any

import pytest

from l4d.address import Inet
from l4d.terms import CheckType
from tests.health.asking import ask, run
from tests.health.tls_server import Secure
from tests.kit.needs import needs
from tests.kit.scripted import Talk, nothing_left, saying, stream_server

HTTP = CheckType.HTTP


def answering(head: str, body: bytes = b"", heard: list[str] | None = None) -> Talk:
    """A server that says *head* and *body* to each request, and keeps the connection."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        request = await reader.readuntil(b"\r\n\r\n")
        if heard is not None:
            heard.append(request.decode())
        length = "" if "chunked" in head else f"Content-Length: {len(body)}\r\n"
        writer.write(f"HTTP/1.1 {head}\r\n{length}\r\n".encode() + body)
        await reader.read()

    return talk


def test_the_request_is_as_configured() -> None:
    async def conversation() -> None:
        heard: list[str] = []
        async with stream_server(answering("200 OK", heard=heard)) as server:
            assert (await ask(HTTP, server.address)).well
            keys = {"method": "HEAD", "path": "/a%20b?c=%2F", "host": "example.test"}
            assert (await ask(HTTP, server.address, **keys)).well
        first, second = heard
        assert first.startswith("GET / HTTP/1.1\r\n")
        assert f"Host: {server.address}\r\n" in first
        assert second.startswith("HEAD /a%20b?c=%2F HTTP/1.1\r\n")
        assert "Host: example.test\r\n" in second
        assert "User-Agent: l4d\r\n" in second

    run(conversation())


@pytest.mark.parametrize(
    ("status", "well"), [("200 OK", True), ("302 Found", True), ("404 Not Found", False), ("503 Busy", False)]
)
def test_a_status_in_range_is_well(status: str, well: bool) -> None:
    async def conversation() -> None:
        head = f"{status}\r\nLocation: http://192.0.2.1/"  # followed, this would not be answered
        async with stream_server(answering(head)) as server:
            answer = await ask(HTTP, server.address)
            assert (answer.well, answer.why) == (well, f"status {status[:3]}")

    run(conversation())


def test_several_ranges_are_looked_through() -> None:
    async def conversation() -> None:
        async with stream_server(answering("418 I'm a teapot")) as server:
            assert (await ask(HTTP, server.address, status=((204, 204), (410, 420)))).well
            assert not (await ask(HTTP, server.address, status=((204, 204), (410, 417)))).well

    run(conversation())


CHUNKED = b"4\r\nI am\r\n6\r\n\nfine.\r\n0\r\n\r\n"


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("200 OK", b"I am\nfine."),
        ("200 OK\r\nTransfer-Encoding: chunked", CHUNKED),
        ("200 OK", b"x" * 60000 + b"fine"),
    ],
    ids=["plain", "chunked", "far"],
)
def test_a_body_is_searched(head: str, body: bytes) -> None:
    async def conversation() -> None:
        async with stream_server(answering(head, body)) as server:
            assert (await ask(HTTP, server.address, body="fine")).well
            assert not (await ask(HTTP, server.address, body="ill")).well

    run(conversation())


def test_a_body_is_searched_for_64_kib() -> None:
    async def conversation() -> None:
        async with stream_server(answering("200 OK", b"x" * 65536 + b"fine")) as server:
            assert not (await ask(HTTP, server.address, body="fine")).well

    run(conversation())


def test_a_body_that_is_compressed_all_the_same_is_not_unpacked() -> None:
    async def conversation() -> None:
        bomb = gzip.compress(b"fine" * 10_000_000)
        async with stream_server(answering("200 OK\r\nContent-Encoding: gzip", bomb)) as server:
            assert not (await ask(HTTP, server.address, body="fine")).well

    run(conversation())


def test_no_proxy_is_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    async def conversation() -> None:
        async with stream_server(answering("200 OK")) as server:
            assert (await ask(HTTP, server.address)).well

    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    run(conversation())


def test_over_ipv6_and_a_unix_socket(tmp_path: Path) -> None:
    async def conversation() -> None:
        heard: list[str] = []
        async with stream_server(answering("200 OK", heard=heard), host="::1") as server:
            assert isinstance(server.address, Inet)
            assert (await ask(HTTP, server.address)).well
            assert f"Host: [::1]:{server.address.port}\r\n" in heard[0]
        async with stream_server(answering("200 OK", heard=heard), path=tmp_path / "socket") as server:
            assert (await ask(HTTP, server.address)).well
            assert "Host: localhost\r\n" in heard[1]

    run(conversation())


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (b"", "closed before it had answered"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not HTTP: "),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", "Client"),
    ],
)
def test_what_is_not_an_answer_is_a_reason(answer: bytes, why: str) -> None:
    async def conversation() -> None:
        async with stream_server(saying(answer)) as server:
            failed = await ask(HTTP, server.address, body="fine")
            assert not failed.well
            assert failed.why.startswith(why)

    run(conversation())


@pytest.mark.parametrize("keys", [{"path": "no slash"}, {"path": "/a b"}, {"method": "G ET"}, {"host": "a\r\nb: c"}])
def test_a_request_that_cannot_be_written_is_no_traceback(keys: dict[str, str]) -> None:
    async def conversation() -> None:
        async with stream_server(saying(b"HTTP/1.1 400 No\r\nContent-Length: 0\r\n\r\n")) as server:
            assert not (await ask(HTTP, server.address, **keys)).well

    run(conversation())


@needs("openssl")
class TestOverTls:
    @pytest.fixture
    def secure(self, tmp_path: Path) -> Secure:
        return Secure(tmp_path, "DNS:localhost")

    @pytest.fixture
    def keys(self, secure: Secure) -> dict[str, Any]:
        return {"tls": True, "server_name": "localhost", "ca_file": secure.ca_file}

    def test_the_name_is_sent_and_verified(self, secure: Secure, keys: dict[str, Any]) -> None:
        async def conversation() -> None:
            heard: list[str] = []
            async with stream_server(answering("200 OK", heard=heard), tls=secure.context) as server:
                assert (await ask(HTTP, server.address, **keys)).well
                assert secure.names == ["localhost"]
                assert f"Host: {server.address}\r\n" in heard[0]

                other = await ask(HTTP, server.address, **{**keys, "server_name": "example.test"})
                assert not other.well
                assert other.why.startswith("certificate: ")

        run(conversation())

    def test_nothing_need_be_verified(self, secure: Secure) -> None:
        async def conversation() -> None:
            async with stream_server(answering("200 OK"), tls=secure.context) as server:
                assert not (await ask(HTTP, server.address, tls=True)).well
                assert (await ask(HTTP, server.address, tls=True, verify=False)).well

        run(conversation())

    def test_over_a_unix_socket(self, secure: Secure, keys: dict[str, Any], tmp_path: Path) -> None:
        async def conversation() -> None:
            async with stream_server(answering("200 OK"), path=tmp_path / "socket", tls=secure.context) as server:
                assert (await ask(HTTP, server.address, **keys)).well

        run(conversation())

    def test_a_server_that_falls_silent_leaves_nothing_open(self, secure: Secure, keys: dict[str, Any]) -> None:
        async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            heard.set()
            await reader.read()

        async def conversation() -> None:
            async with stream_server(silent, tls=secure.context) as server:
                async with nothing_left():
                    task = asyncio.ensure_future(ask(HTTP, server.address, **keys))
                    await heard.wait()
                    task.cancel()
                    await asyncio.wait([task])

        heard = asyncio.Event()
        run(conversation())
