"""The check of type tls: which certificates are in order."""

from pathlib import Path

import pytest

from l4d.address import Unix
from l4d.terms import CheckType
from tests.health.asking import ask, ask_once, run
from tests.health.tls_server import Secure
from tests.kit.needs import needs
from tests.kit.ports import free_port
from tests.kit.programs import Program
from tests.kit.scripted import mute, saying, stream_server
from tests.kit.servers import make_certificate

pytestmark = needs("openssl")

TLS = CheckType.TLS


@pytest.fixture
def named(tmp_path: Path) -> Secure:
    return Secure(tmp_path, "DNS:localhost")


def test_the_name_is_sent_and_verified(named: Secure) -> None:
    async def conversation() -> None:
        async with stream_server(mute, tls=named.context) as server:
            assert (await ask(TLS, server.address, server_name="localhost", ca_file=named.ca_file)).well
            assert named.names == ["localhost"]

            other = await ask(TLS, server.address, server_name="example.test", ca_file=named.ca_file)
            assert not other.well
            assert other.why.startswith("certificate: ")
            assert "example.test" in other.why

    run(conversation())


def test_without_a_name_the_address_is_verified_and_none_is_sent(tmp_path: Path) -> None:
    async def conversation() -> None:
        secure = Secure(tmp_path, "IP:127.0.0.1")
        async with stream_server(mute, tls=secure.context) as server:
            assert (await ask(TLS, server.address, ca_file=secure.ca_file)).well
            assert secure.names == [None]

    run(conversation())


def test_a_certificate_of_another_address_is_refused(named: Secure) -> None:
    async def conversation() -> None:
        async with stream_server(mute, tls=named.context) as server:
            answer = await ask(TLS, server.address, ca_file=named.ca_file)
            assert not answer.well
            assert "127.0.0.1" in answer.why

    run(conversation())


def test_authorities_not_trusted_are_refused_unless_nothing_is_verified(named: Secure) -> None:
    async def conversation() -> None:
        async with stream_server(mute, tls=named.context) as server:
            answer = await ask(TLS, server.address, server_name="localhost")
            assert (answer.well, answer.why) == (False, "certificate: self-signed certificate")
            assert (await ask(TLS, server.address, verify=False)).well
            assert (await ask(TLS, server.address, verify=False, server_name="example.test")).well
            assert named.names == ["localhost", None, "example.test"]

    run(conversation())


def test_a_unix_socket_is_asked_by_name(named: Secure, tmp_path: Path) -> None:
    async def conversation() -> None:
        async with stream_server(mute, path=tmp_path / "socket", tls=named.context) as server:
            assert (await ask(TLS, server.address, server_name="localhost", ca_file=named.ca_file)).well
            nameless = await ask(TLS, server.address, ca_file=named.ca_file)
            assert nameless.why == "a unix socket has no address to verify: the check needs a server_name"

    run(conversation())


def test_a_server_that_does_not_speak_tls_is_not_well() -> None:
    async def conversation() -> None:
        async with stream_server(saying(b"220 mail.example.test ESMTP\r\n")) as server:
            answer = await ask(TLS, server.address, verify=False)
            assert (answer.well, answer.why) == (False, "TLS: wrong version number")

    run(conversation())


def test_authorities_that_cannot_be_read_are_told(tmp_path: Path) -> None:
    async def conversation() -> None:
        async with stream_server(mute) as server:
            absent = await ask(TLS, server.address, ca_file=str(tmp_path / "absent"))
            assert absent.why == f"ca_file {tmp_path}/absent: no such file or directory"

            (tmp_path / "empty").write_text("")
            empty = await ask(TLS, server.address, ca_file=str(tmp_path / "empty"))
            assert empty.why.startswith(f"ca_file {tmp_path}/empty: TLS: ")

    run(conversation())


def test_openssl_itself_is_content(tmp_path: Path) -> None:
    made, port = make_certificate(tmp_path), free_port()
    line = ("s_server", "-www", "-accept", f"127.0.0.1:{port}", "-cert", made.certificate, "-key", made.key)
    with Program(tmp_path, port, "openssl", *line, ready="ACCEPT") as server:
        assert ask_once(TLS, server.address, server_name="localhost", ca_file=str(made.certificate)).well
        assert not ask_once(TLS, server.address, server_name="example.test", ca_file=str(made.certificate)).well


def test_a_unix_socket_nobody_listens_on_is_a_reason(tmp_path: Path) -> None:
    assert ask_once(TLS, Unix(str(tmp_path / "absent")), verify=False).why == "no such file or directory"
