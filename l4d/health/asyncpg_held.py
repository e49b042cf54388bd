"""asyncpg, held to what a check may cost and may leave behind. Imported when there is a check that logs in."""

import hashlib
from types import SimpleNamespace
from typing import Any, Final

import asyncpg
from asyncpg.protocol import protocol

KNOWN: Final = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
"""The errors whose words are meant to be read."""

MOST_ROUNDS: Final = 1_000_000
"""Of hashing a password, as a server may want them of SCRAM (RFC 5802, "i="): some tenths of a second. PostgreSQL's
own scram_iterations is 4096. The newer asyncpg hashes in C, where no signal ends it.
"""


class Connection(asyncpg.Connection):  # type: ignore[misc]  # no types are published
    """One that a server's odd settings keep from being made knows that it is closed; whoever opened the socket does so.

    As asyncpg leaves it, the garbage collector would have it close itself, which fails.
    """

    def __init__(self, *parts: Any) -> None:
        try:
            super().__init__(*parts)
        except BaseException:
            self._aborted = True
            raise


def _pbkdf2_hmac(name: str, password: bytes, salt: bytes, rounds: int) -> bytes:
    """See hashlib. Raises ValueError for more rounds than a check has the time for."""
    if rounds > MOST_ROUNDS:
        raise ValueError(f"wants {rounds} rounds of hashing")
    return hashlib.pbkdf2_hmac(name, password, salt, rounds)


protocol.hashlib = SimpleNamespace(**{**vars(hashlib), "pbkdf2_hmac": _pbkdf2_hmac})
