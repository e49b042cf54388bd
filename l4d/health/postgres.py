"""The check of type postgres: with a `user`, a server that lets it log in and is of the wanted role is well.

Without one, a server that answers SSLRequest with S or N: PostgreSQL documentation, "Message Formats". It forks for
that, so it is more than a port that accepts. An ErrorResponse in its place (it cannot fork, it has too many clients) is
a failed check. Where the server has TLS it logs at each such check that no handshake came; with a user it does not.
"""

import struct
from typing import Any

from l4d.address import Address, Unix
from l4d.config.model import Check
from l4d.health.connection import connect, receive_exactly, receive_until, send
from l4d.health.login import Login, as_wanted
from l4d.health.own import TOO_MUCH, OwnLoop
from l4d.health.probe import Answer, Target
from l4d.health.words import one_line, quoted
from l4d.terms import Role

_SSL_REQUEST = struct.pack("!II", 8, 80877103)
_MOST_OF_AN_ERROR = 1024


class PostgresGreeting:
    """Asks without a user."""

    async def ask(self, target: Target) -> Answer:
        """See Probe."""
        with await connect(target.address) as sock:
            await send(sock, _SSL_REQUEST)
            kind = await receive_exactly(sock, 1)
            if kind in {b"S", b"N"}:
                return Answer(well=True)
            rest = await receive_until(sock, lambda data: data.endswith(b"\0"), _MOST_OF_AN_ERROR)
        if kind == b"E":
            return Answer(well=False, why=_error(rest))
        return Answer(well=False, why=f"not PostgreSQL: {quoted(kind + rest)}")


def _error(message: bytes) -> str:
    """The text of an ErrorResponse: a length, then fields, each a letter and a string that ends with a zero.

    Before protocol 3, and from a postmaster that cannot fork, there is one string without length and letters.
    """
    fields = message[4:].split(b"\0")
    text = next((field[1:] for field in fields if field.startswith(b"M")), message.rstrip(b"\0\n"))
    return one_line(text.decode("utf-8", "replace")) or "an error without words"


class PostgresProbe:
    """Logs in, over TLS where the server has it, without looking at its certificate (sslmode "prefer")."""

    def __init__(self, check: Check, secret: str | None) -> None:
        self._role = check.role
        self._login = Login(check, secret)

    async def ask(self, target: Target) -> Answer:
        """See Probe."""
        from l4d.health.asyncpg_held import KNOWN

        loop = OwnLoop(target.address)
        try:
            return await self._converse(target.address, loop)
        except Exception as error:
            if loop.overflowed:
                raise ValueError(f"not PostgreSQL: {TOO_MUCH}") from None
            if isinstance(error, OSError):
                raise
            # Besides its own errors the library raises what its parser trips over: struct.error, IndexError, ...
            raise ValueError(self._login.failure(error, KNOWN, "PostgreSQL")) from None
        finally:
            loop.abort()

    async def _converse(self, address: Address, loop: OwnLoop) -> Answer:
        import asyncpg

        from l4d.health.asyncpg_held import Connection

        connection = await asyncpg.connect(**_where(address), **self._who(), loop=loop, connection_class=Connection)
        try:
            answer = await self._question(connection)
            await connection.close()
        finally:
            connection.terminate()  # nothing, once it is closed
        return answer

    async def _question(self, connection: Any) -> Answer:
        if self._role is Role.ANY:
            await connection.execute("SELECT 1")
            return Answer(well=True)
        recovering = await connection.fetchval("SELECT pg_catalog.pg_is_in_recovery()")
        return as_wanted(self._role, Role.REPLICA if recovering else Role.PRIMARY)

    def _who(self) -> dict[str, Any]:
        """Everything is said, so that the library does not look into the environment or a home folder for it."""
        login = self._login
        return {
            "user": login.user,
            "password": login.secret or "",
            "database": login.database or login.user,
            "ssl": "prefer",
            "statement_cache_size": 0,  # PgBouncer need not know of it
            "server_settings": {"application_name": "l4d"},
        }


def _where(address: Address) -> dict[str, Any]:
    if isinstance(address, Unix):
        return {"host": address.path, "port": 5432, "ssl": False}
    return {"host": address.host, "port": address.port}
