"""HTTP/3 over QUIC: every connection is one UDP flow, and breaks when a datagram of it meets another server."""

import asyncio
import random
from contextlib import AsyncExitStack
from functools import partial
from pathlib import Path
from socket import SOCK_DGRAM
from typing import Any

from aioquic.asyncio.client import connect
from aioquic.asyncio.protocol import QuicConnectionProtocol
from aioquic.asyncio.server import serve
from aioquic.h3.connection import H3_ALPN, H3Connection
from aioquic.h3.events import DataReceived, HeadersReceived
from aioquic.quic.configuration import QuicConfiguration
from aioquic.quic.events import ConnectionTerminated, QuicEvent

from tests.kit import Start, free_port, needs
from tests.kit.programs import LOOPBACK, port_of
from tests.kit.servers import Certificate, make_certificate

pytestmark = needs("openssl")

SIZE = 2 << 20
PATIENCE = 60.0


def test_each_download_comes_whole_from_one_server(start: Start, tmp_path: Path) -> None:
    one, two = free_port(SOCK_DGRAM), free_port(SOCK_DGRAM)
    daemon = start(f"""
        [main]
        workers = 1

        [listeners.quic]
        bind = "127.0.0.1:0"
        protocol = "udp"
        upstream = "quic"

        [upstreams.quic]
        servers = ["127.0.0.1:{one}", "127.0.0.1:{two}"]
    """)
    bodies = {port: random.Random(port).randbytes(SIZE) for port in (one, two)}
    got = asyncio.run(_serve_and_download(bodies, port_of(daemon.address()), make_certificate(tmp_path)))
    assert sorted(got) == sorted(bodies.values())


async def _serve_and_download(bodies: dict[int, bytes], port: int, certificate: Certificate) -> list[bytes]:
    """A server for each body on its own port, as many downloads through *port*: what was downloaded."""
    serving = QuicConfiguration(is_client=False, alpn_protocols=H3_ALPN)
    serving.load_cert_chain(certificate.certificate, certificate.key)
    async with AsyncExitStack() as stack:
        for its_port, body in bodies.items():
            server = await serve(LOOPBACK, its_port, configuration=serving, create_protocol=partial(_Server, body))
            stack.callback(server.close)
        return await asyncio.gather(*(_download(port, certificate) for _ in bodies))


async def _download(port: int, certificate: Certificate) -> bytes:
    asking = QuicConfiguration(is_client=True, alpn_protocols=H3_ALPN, server_name="localhost")
    asking.load_verify_locations(str(certificate.certificate))
    async with connect(LOOPBACK, port, configuration=asking, create_protocol=_Client) as client:
        assert isinstance(client, _Client)
        return await asyncio.wait_for(client.get(), PATIENCE)


class _Server(QuicConnectionProtocol):
    """Answers every request with the same body."""

    def __init__(self, body: bytes, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._http = H3Connection(self._quic)
        self._answer = body

    def quic_event_received(self, event: QuicEvent) -> None:
        for what in self._http.handle_event(event):
            if isinstance(what, HeadersReceived):
                self._http.send_headers(what.stream_id, [(b":status", b"200")])
                self._http.send_data(what.stream_id, self._answer, end_stream=True)
                self.transmit()


class _Client(QuicConnectionProtocol):
    """Asks once."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._http = H3Connection(self._quic)
        self._body = bytearray()
        self._complete: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

    async def get(self) -> bytes:
        """The body of the answer."""
        request = [(b":method", b"GET"), (b":scheme", b"https"), (b":authority", b"localhost"), (b":path", b"/")]
        self._http.send_headers(self._quic.get_next_available_stream_id(), request, end_stream=True)
        self.transmit()
        return await self._complete

    def quic_event_received(self, event: QuicEvent) -> None:
        if isinstance(event, ConnectionTerminated) and not self._complete.done():
            self._complete.set_exception(ConnectionError(event.reason_phrase))
        for what in self._http.handle_event(event):
            if isinstance(what, DataReceived):
                self._body += what.data
                if what.stream_ended:
                    self._complete.set_result(bytes(self._body))
