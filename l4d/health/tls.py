"""The check of type tls: a server that completes a handshake, with a certificate that is in order, is well.

OpenSSL works on memory here and the socket is ours, so that a cancelled handshake leaves nothing open: asyncio's
transport would wait up to 30 seconds for the other side's farewell.
"""

import socket
import ssl
from contextlib import suppress

from l4d.config.model import Check
from l4d.health.connection import connect, receive, send
from l4d.health.probe import Answer, Target
from l4d.health.trust import Trust, said


class TlsProbe:
    def __init__(self, check: Check) -> None:
        self._trust = Trust(check)

    async def ask(self, target: Target) -> Answer:
        """See Probe. ValueError tells what OpenSSL says."""
        context, name = self._trust.context(), self._trust.name(target)
        with await connect(target.address) as sock:
            try:
                await _shake_hands(sock, context, name)
            except ssl.SSLError as error:
                raise ValueError(said(error)) from error
        return Answer(well=True)


async def _shake_hands(sock: socket.socket, context: ssl.SSLContext, name: str | None) -> None:
    """A handshake, and the farewell. Raises ssl.SSLError and other OSErrors, and EOFError."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    session = context.wrap_bio(incoming, outgoing, server_hostname=name)
    while not _done(session, sock, outgoing):
        await send(sock, outgoing.read())
        data = await receive(sock)
        if not data:
            raise EOFError("closed during the TLS handshake")
        incoming.write(data)
    await send(sock, outgoing.read())
    with suppress(ssl.SSLError):  # "want read": the other side's farewell is not waited for
        session.unwrap()
    _send_now(sock, outgoing)


def _done(session: ssl.SSLObject, sock: socket.socket, outgoing: ssl.MemoryBIO) -> bool:
    try:
        session.do_handshake()
    except ssl.SSLWantReadError:
        return False
    except ssl.SSLError:
        _send_now(sock, outgoing)  # the alert: the server's log then says why
        raise
    return True


def _send_now(sock: socket.socket, outgoing: ssl.MemoryBIO) -> None:
    """A last word, if there is room for it."""
    with suppress(OSError):
        sock.send(outgoing.read())
