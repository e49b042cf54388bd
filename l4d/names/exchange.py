"""One question to one nameserver: over UDP, and once more over TCP when the answer did not fit (RFC 1035, 4.2).

No exchange ends by itself when the nameserver is silent: the caller bounds it, and cancels what it waits for no longer.
"""

import asyncio
import socket

import dns.flags
import dns.message
import dns.rcode

from l4d.address import Inet

_FLAGS = socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
_LARGEST = 65535
_LENGTH = 2  # bytes that say before each message how long it is, over TCP
_HEADER = 12  # bytes before the question
_ID = slice(0, 2)
_FINAL = (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)
"""What any nameserver would say too. The other codes are about the nameserver."""


class NoAnswerError(Exception):
    """Why there is no answer, in a few printable words."""


async def ask(nameserver: Inet, query: dns.message.Message) -> dns.message.QueryMessage:
    """The answer of *nameserver*: the records, or that there are none. Raises NoAnswerError."""
    wire = query.to_wire()
    try:
        answer = await _over_udp(nameserver, wire)
        if _is_truncated(answer):
            answer = await _over_tcp(nameserver, wire)
    except EOFError:
        raise NoAnswerError("closed the connection") from None
    except OSError as error:
        raise NoAnswerError(_reason(error)) from None
    response = read(query, answer)
    if response.rcode() not in _FINAL:
        raise NoAnswerError(dns.rcode.to_text(response.rcode()))
    return response


async def _over_udp(nameserver: Inet, wire: bytes) -> bytes:
    """The first datagram that answers the question *wire*.

    The socket is connected: the kernel drops what others send, and tells when nobody listens there. A datagram with
    another id may be an answer to an earlier user of our port, or a guess (RFC 5452), and is not looked at.
    """
    loop = asyncio.get_running_loop()
    with socket.socket(nameserver.family, socket.SOCK_DGRAM | _FLAGS) as sock:
        sock.connect(nameserver.sockaddr)
        await loop.sock_sendall(sock, wire)
        while True:
            datagram = await loop.sock_recv(sock, _LARGEST)
            if datagram[_ID] == wire[_ID]:
                return datagram


async def _over_tcp(nameserver: Inet, wire: bytes) -> bytes:
    loop = asyncio.get_running_loop()
    with socket.socket(nameserver.family, socket.SOCK_STREAM | _FLAGS) as sock:
        await loop.sock_connect(sock, nameserver.sockaddr)
        await loop.sock_sendall(sock, len(wire).to_bytes(_LENGTH, "big") + wire)
        length = int.from_bytes(await _receive(sock, _LENGTH), "big")
        return await _receive(sock, length)


async def _receive(sock: socket.socket, length: int) -> bytes:
    """So many bytes. Raises EOFError when the peer closes before."""
    loop = asyncio.get_running_loop()
    received = b""
    while len(received) < length:
        data = await loop.sock_recv(sock, length - len(received))
        if not data:
            raise EOFError
        received += data
    return received


def _is_truncated(wire: bytes) -> bool:
    """Looked for in the bytes: such a message may end within a record, so that it cannot be read."""
    return len(wire) >= _HEADER and bool(int.from_bytes(wire[2:4], "big") & dns.flags.TC)


def read(query: dns.message.Message, wire: bytes) -> dns.message.QueryMessage:
    """The answer to *query* in these bytes, whatever they are. Raises NoAnswerError."""
    try:
        response = dns.message.from_wire(wire, ignore_trailing=True)
    except Exception:  # what a parser says to hostile bytes is not only what it promises
        raise NoAnswerError("an answer that makes no sense") from None
    if not isinstance(response, dns.message.QueryMessage) or not query.is_response(response):
        raise NoAnswerError("an answer to another question")
    return response


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
