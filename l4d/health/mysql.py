"""The check of type mysql: with a `user`, a server that lets it log in and is of the wanted role is well.

Without one, a server that greets: MySQL's documentation, "Protocol::HandshakeV10". It then counts the connection as an
interrupted handshake, and after max_connect_errors (100) in a row from one address, without a client from there that
got through, it blocks that address; HAProxy's mysql-check without a user does the same. The clients of a proxy come
from its address, and each that gets through sets the count to zero; still, a user without rights is the better check.
"""

import re
from typing import Any

from l4d.address import Address, Unix
from l4d.config.model import Check
from l4d.health.connection import connect, receive_exactly
from l4d.health.login import Login, as_wanted
from l4d.health.own import MOST_READ, TOO_MUCH
from l4d.health.probe import Answer, Target
from l4d.health.words import one_line, quoted
from l4d.terms import Role

_HEADER = 4  # three bytes of length, the lowest first, and the number of the packet
_SHORTEST_GREETING = 18
_LONGEST_GREETING = 1024
_VERSION_10 = b"\x0a"
_ERROR = b"\xff"


class MysqlGreeting:
    """Reads the greeting, sends nothing."""

    async def ask(self, target: Target) -> Answer:
        """See Probe."""
        with await connect(target.address) as sock:
            header = await receive_exactly(sock, _HEADER)
            length = int.from_bytes(header[:3], "little")
            if not 0 < length <= _LONGEST_GREETING or header[3] != 0:
                return Answer(well=False, why=f"not MySQL: {quoted(header)}")
            packet = await receive_exactly(sock, length)
        if packet.startswith(_VERSION_10) and length >= _SHORTEST_GREETING:
            return Answer(well=True)
        if packet.startswith(_ERROR):
            return Answer(well=False, why=_error(packet))
        return Answer(well=False, why=f"not MySQL: {quoted(packet)}")


def _error(packet: bytes) -> str:
    """The text of an ERR packet: 0xff, a number of two bytes, perhaps "#" and five letters, the text."""
    text = packet[9:] if packet[3:4] == b"#" else packet[3:]
    return one_line(text.decode("utf-8", "replace")) or "an error without words"


class MysqlProbe:
    """Logs in. A server that is read_only is a replica."""

    def __init__(self, check: Check, secret: str | None) -> None:
        self._role = check.role
        self._login = Login(check, secret)

    async def ask(self, target: Target) -> Answer:
        """See Probe."""
        import aiomysql

        login = self._login
        who = {"user": login.user, "password": login.secret or "", "db": login.database or None}
        # Not aiomysql.connect(): cancelled, it leaves the connection open.
        connection = aiomysql.Connection(**_where(target.address), **who, program_name="l4d")
        try:
            _bound(connection)
            await connection._connect()
            answer = await self._question(connection)
            await connection.ensure_closed()  # says goodbye
        except Exception as error:
            # Besides its own errors the library raises what its parser trips over: struct.error, AssertionError, ...
            raise ValueError(_without_number(login.failure(error, (aiomysql.Error, EOFError), "MySQL"))) from None
        finally:
            connection.close()
        return answer

    async def _question(self, connection: Any) -> Answer:
        if self._role is Role.ANY:
            await connection.ping(reconnect=False)
            return Answer(well=True)
        async with connection.cursor() as cursor:
            await cursor.execute("SELECT @@global.read_only")
            (read_only,) = await cursor.fetchone()
        return as_wanted(self._role, Role.REPLICA if read_only else Role.PRIMARY)


def _bound(connection: Any) -> None:
    """Let it read so much and no more: a packet announces up to 16 MiB, and any number of such may follow."""
    read_bytes, so_far = connection._read_bytes, 0

    async def read(number: int) -> Any:
        nonlocal so_far
        so_far += number
        if so_far > MOST_READ:
            raise ValueError(TOO_MUCH)
        return await read_bytes(number)

    connection._read_bytes = read


def _where(address: Address) -> dict[str, Any]:
    if isinstance(address, Unix):
        return {"unix_socket": address.path}
    return {"host": address.host, "port": address.port}


def _without_number(text: str) -> str:
    """The library's errors read as tuples do: (1045, "Access denied ...")."""
    match = _NUMBERED.fullmatch(text)
    return match[1] if match else text


_NUMBERED = re.compile(r"""\([0-9]+, ["'](.*)["']\)""")
