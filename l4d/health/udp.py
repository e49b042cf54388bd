"""The check of type udp: a server that answers a datagram as expected is well.

Without `expect` it is the server's refusal that counts: there are services that never answer, and to those, silence
until the timeout is well. A host that is gone is silent, too; where the service can answer, say what is expected.
"""

import asyncio
import socket

from l4d.address import Address
from l4d.config.model import Check
from l4d.health.connection import receive
from l4d.health.expecting import Expecting
from l4d.health.probe import Answer, Target

LARGEST = 65536

EARLIER = 0.9
"""Of the timeout: silence is well when so much of it has passed, for the whole of it is the caller's."""


class UdpProbe:
    """Sends one datagram from a port of its own, and takes the first answer that fits, whatever came before it."""

    def __init__(self, check: Check) -> None:
        self._payload = check.payload
        self._expecting = Expecting(check)
        self._patience = check.timeout * EARLIER

    async def ask(self, target: Target) -> Answer:
        """See Probe. An ICMP refusal is raised as the ConnectionRefusedError it is to us."""
        with connect_datagram(target.address) as sock:
            sock.send(self._payload)
            if self._expecting.anything:
                return await self._hear_no_refusal(sock)
            while True:
                data = await receive(sock, LARGEST)
                if self._expecting.met_by(data):
                    return Answer(well=True)

    async def _hear_no_refusal(self, sock: socket.socket) -> Answer:
        try:
            await asyncio.wait_for(receive(sock, LARGEST), self._patience)
        except asyncio.TimeoutError:
            return Answer(well=True, why="did not refuse")
        return Answer(well=True)


def connect_datagram(address: Address) -> socket.socket:
    """A non-blocking UDP socket that hears *address* alone, and its refusals. Raises OSError."""
    sock = socket.socket(address.family, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
    try:
        sock.connect(address.sockaddr)
    except OSError:
        sock.close()
        raise
    return sock
