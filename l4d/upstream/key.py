"""What a session is hashed by, for `balance = "hash"`: the same number in every worker, process and node.

The hash is BLAKE2b (RFC 7693) of the parts as text. It is the fastest in the standard library that mixes well (a CRC is
linear: clients that differ in one bit would differ alike), and unlike `hash()` it is the same in every process.
"""

from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Final

from l4d.terms import HashKey

MAPPED: Final = "::ffff:"
"""So begins an IPv4 address as an IPv6 socket shows it (RFC 4291, section 2.5.5.2)."""


def make_key(parts: Sequence[HashKey]) -> Callable[[object, int], int]:
    """Gives the hash, of 64 bits, of a client's socket address and the port it came to, by *parts* of these, in order.

    The same IPv4 address hashes alike over an IPv4 and an IPv6 socket. Clients of a unix socket have no address and no
    port: these hash alike for all of them.
    """
    readers = [_READERS[part] for part in parts]

    def key(client: object, port: int) -> int:
        text = " ".join([read(client, port) for read in readers])
        return int.from_bytes(blake2b(text.encode(), digest_size=8).digest(), "big")

    return key


def _client(client: object, _port: int) -> str:
    if not isinstance(client, tuple):
        return ""
    host = str(client[0])
    return host[len(MAPPED) :] if host.startswith(MAPPED) and "." in host else host


def _client_port(client: object, _port: int) -> str:
    return str(client[1]) if isinstance(client, tuple) else ""


def _listener_port(_client: object, port: int) -> str:
    return str(port)


_READERS: Final[dict[HashKey, Callable[[object, int], str]]] = {
    HashKey.CLIENT: _client,
    HashKey.CLIENT_PORT: _client_port,
    HashKey.LISTENER_PORT: _listener_port,
}
