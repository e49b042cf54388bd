"""TLS passes through untouched: what the client is shown is the server's own certificate."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import Daemon, Start, free_port, needs
from tests.kit.programs import Program, run
from tests.kit.servers import Certificate, make_certificate

pytestmark = needs("openssl")


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    return make_certificate(tmp_path)


@pytest.fixture
def tls(tmp_path: Path, certificate: Certificate) -> Iterator[Program]:
    """A TLS server that sends every line back reversed."""
    port = free_port()
    identity = ("-cert", certificate.certificate, "-key", certificate.key, "-alpn", "l4d-test")
    with Program(
        tmp_path, port, "openssl", "s_server", "-accept", f"127.0.0.1:{port}", "-rev", *identity, ready="ACCEPT"
    ) as tls:
        yield tls


@pytest.fixture
def daemon(start: Start, tls: Program) -> Daemon:
    """l4d in front of the TLS server."""
    return start(f"""
        [listeners.tls]
        bind = "127.0.0.1:0"
        upstream = "tls"

        [upstreams.tls]
        servers = ["{tls.address}"]
    """)


@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
@pytest.mark.usefixtures("tls")
def test_the_client_meets_the_certificate_of_the_server(
    daemon: Daemon, certificate: Certificate, version: str, tmp_path: Path
) -> None:
    verifying = ("-CAfile", certificate.certificate, "-verify_return_error", "-verify_hostname", "localhost")
    line = ("-connect", str(daemon.address()), "-servername", "localhost", "-alpn", "l4d-test", version)
    said = run("openssl", "s_client", *line, *verifying, "-ign_eof", stdin="untouched\nCLOSE\n")
    met = tmp_path / "met.pem"
    met.write_text(said)
    assert _fingerprint(met) == _fingerprint(certificate.certificate)
    assert "Verification: OK" in said
    assert "ALPN protocol: l4d-test" in said
    assert "dehcuotnu" in said


def _fingerprint(certificate: Path) -> str:
    return run("openssl", "x509", "-in", certificate, "-noout", "-fingerprint", "-sha256")
