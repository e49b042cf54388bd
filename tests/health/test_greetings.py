"""The checks of databases without a user: what a server says first."""

import asyncio

import pytest

from l4d.terms import CheckType
from tests.health.asking import ask, run
from tests.kit.scripted import saying, stream_server

POSTGRES, MYSQL, REDIS = CheckType.POSTGRES, CheckType.MYSQL, CheckType.REDIS

FATAL = b"SFATAL\0C53300\0Msorry, too many\tclients already\0\0"


@pytest.mark.parametrize(
    ("kind", "said", "why"),
    [
        (POSTGRES, b"E" + (len(FATAL) + 4).to_bytes(4, "big") + FATAL, "sorry, too many clients already"),
        (POSTGRES, b"Ecould not fork new process: no memory\n\0", "could not fork new process: no memory"),
        (POSTGRES, b"HTTP/1.1 400 Bad Request\r\n\0", "not PostgreSQL: 'HTTP/1.1 400 Bad Request \\x00'"),
        (POSTGRES, b"", "closed before it had answered"),
        (MYSQL, b"\x17\0\0\0\xff\x10\x04Too many connections", "Too many connections"),
        (MYSQL, b"\x10\0\0\0\xff\x69\x04#HY000blocked", "blocked"),
        (MYSQL, b"SSH-2.0-OpenSSH\r\n", "not MySQL: 'SSH-'"),
        (MYSQL, b"\x20\0\0\0\x0a8.0", "closed before it had answered"),
        (
            REDIS,
            b"-LOADING Redis is loading the dataset in memory\r\n",
            "LOADING Redis is loading the dataset in memory",
        ),
        (REDIS, b"-\r\n", "an error without words"),
        (REDIS, b"+PON", "closed before it had answered"),
        (REDIS, b"+NO\r\n", "not Redis: '+NO'"),
    ],
)
def test_what_is_no_welcome_is_the_reason(kind: CheckType, said: bytes, why: str) -> None:
    async def conversation() -> None:
        async with stream_server(saying(said)) as server:
            answer = await ask(kind, server.address)
            assert (answer.well, answer.why, answer.definite) == (False, why, False)

    run(conversation())


def test_after_a_login_what_is_not_redis_is_not_quoted() -> None:
    """It may be the password, or a part of it."""

    async def conversation() -> None:
        async with stream_server(saying(b"+hunte\r\n")) as server:
            assert (await ask(REDIS, server.address, secret="hunter2")).why == "not Redis"

    run(conversation())


def test_a_password_that_redis_sends_back_is_not_shown() -> None:
    async def echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard = await reader.read(100)
        writer.write(b"-ERR what is " + heard.replace(b"\r\n", b" ") + b"\r\n")
        await reader.read()

    async def conversation() -> None:
        async with stream_server(echo) as server:
            answer = await ask(REDIS, server.address, secret="hunter2")
            assert answer.why == "ERR what is *2 $4 AUTH $7 ***"

    run(conversation())
