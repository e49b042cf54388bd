"""The check of type redis: a server that answers PING, and is of the wanted role, is well.

One that loads its data answers LOADING, one that wants a password that is not configured NOAUTH. Both are failed
checks: the former cannot serve yet; of the latter nothing is known but that it listens, which a tcp check tells, too.

Three commands of RESP 2 ("Redis serialization protocol specification") are spoken here, and not by redis-py: the one
of Debian 12 reads a line without end until memory is short, and its replacements need to be told what it does not know.
"""

import socket

from l4d.config.model import Check
from l4d.health.connection import connect, receive_until, send
from l4d.health.login import Login, as_wanted
from l4d.health.probe import Answer, Target
from l4d.health.words import quoted
from l4d.terms import Role

_LONGEST_REPLY = 1024
_END = b"\r\n"
_PRIMARY = b"$6\r\nmaster\r\n"
_REPLICA = b"$5\r\nslave\r\n"


class RedisProbe:
    """Logs in when there is a password, on a connection of its own."""

    def __init__(self, check: Check, secret: str | None) -> None:
        self._wanted = check.role
        self._login = Login(check, secret)

    async def ask(self, target: Target) -> Answer:
        """See Probe. What the server refuses is raised in its own words."""
        login = self._login
        with await connect(target.address) as sock:
            if login.secret is not None:
                user = [login.user] if login.user else []  # before version 6 there are none
                self._expect(b"+OK", await _command(sock, "AUTH", *user, login.secret))
            self._expect(b"+PONG", await _command(sock, "PING"))
            if self._wanted is Role.ANY:
                return Answer(well=True)
            return as_wanted(self._wanted, self._role(await _command(sock, "ROLE", lines=3)))

    def _expect(self, wanted: bytes, reply: bytes) -> None:
        if reply != wanted + _END:
            raise self._refusal(reply)

    def _role(self, reply: bytes) -> Role:
        """ROLE answers with an array, whose first member is the role as a bulk string."""
        kind, _, members = reply.partition(_END)
        if kind.startswith(b"*"):
            for beginning, role in ((_PRIMARY, Role.PRIMARY), (_REPLICA, Role.REPLICA)):
                if members.startswith(beginning):
                    return role
        raise self._refusal(reply)

    def _refusal(self, reply: bytes) -> Exception:
        if not reply.endswith(_END) and len(reply) < _LONGEST_REPLY:
            return EOFError("closed before it had answered")
        if not reply.startswith(b"-"):
            # Not quoted where we have logged in: it may be what we have said, or a part of it.
            return ValueError("not Redis" if self._login.secret else f"not Redis: {quoted(reply)}")
        text = reply[1:].decode("utf-8", "replace").strip()
        return ValueError(self._login.failure(ValueError(text or "an error without words")))


async def _command(sock: socket.socket, *words: str, lines: int = 1) -> bytes:
    """Its reply: so many lines, or one when that is an error. Raises OSError."""
    parts = [word.encode() for word in words]
    await send(sock, b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts))
    return await receive_until(sock, lambda data: _is_whole(data, lines), _LONGEST_REPLY)


def _is_whole(data: bytes, lines: int) -> bool:
    return data.count(_END) >= (lines if data.startswith(b"*") else 1)
