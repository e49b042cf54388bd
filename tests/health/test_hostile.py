"""What servers of databases do that are none, or mean harm: a failed check, and nothing is left of it."""

import asyncio
import base64
import struct
import tracemalloc
from pathlib import Path
from typing import Any

import pytest
from asyncpg.protocol import protocol

from l4d.terms import CheckType, Role
from tests.health.asking import ask, run
from tests.kit.scripted import Talk, stream_server

POSTGRES, MYSQL = CheckType.POSTGRES, CheckType.MYSQL
LOGIN: dict[str, Any] = {"user": "l4d", "secret": "hunter2", "role": Role.PRIMARY}

SCRAM = Path(protocol.__file__).with_name("scram.pyx")
HASHES_IN_C = SCRAM.exists() and "pbkdf2_hmac" in SCRAM.read_text()
"""Where asyncpg does not, control's guard ends it: tests/unit/control/test_guard.py."""

READY = b"Z\0\0\0\x05I"


def message(kind: bytes, body: bytes) -> bytes:
    """As PostgreSQL's protocol has them."""
    return kind + struct.pack("!I", len(body) + 4) + body


LET_IN = message(b"R", struct.pack("!I", 0))


def postgres(*answers: bytes) -> Talk:
    """It has no TLS, and gives these answers in turn, whatever it hears."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for answer in (b"N", *answers):
            await reader.read(4096)
            writer.write(answer)
        await reader.read()

    return talk


@pytest.mark.parametrize("settings", [b"", message(b"S", b"server_version\0abc\0")], ids=["none", "odd"])
def test_a_server_without_a_version_is_not_known_and_leaves_no_socket_open(settings: bytes) -> None:
    async def conversation() -> None:
        async with stream_server(postgres(LET_IN + settings + READY)) as server:
            answer = await ask(POSTGRES, server.address, **LOGIN)
            assert not answer.well
            assert answer.why.startswith("not PostgreSQL as we know it: ")

    run(conversation())


async def scram(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Wants more rounds of hashing than there is time for (RFC 5802)."""
    await reader.readexactly(8)
    writer.write(b"N")
    await reader.read(4096)
    writer.write(message(b"R", struct.pack("!I", 10) + b"SCRAM-SHA-256\0\0"))
    nonce = (await reader.read(4096)).partition(b"r=")[2]
    salt = base64.b64encode(b"salt" * 4)
    writer.write(message(b"R", struct.pack("!I", 11) + b"r=" + nonce + b"more,s=" + salt + b",i=2000000000"))
    await reader.read()


@pytest.mark.skipif(not HASHES_IN_C, reason="this asyncpg does not hash in C")
def test_a_server_that_wants_hashing_for_minutes_does_not_get_it() -> None:
    async def conversation() -> None:
        async with stream_server(scram) as server:
            answer = await ask(POSTGRES, server.address, **LOGIN)
            assert (answer.well, answer.why) == (
                False,
                "not PostgreSQL as we know it: wants 2000000000 rounds of hashing",
            )

    run(conversation())


async def flood_of_postgres(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One message of 2 GiB."""
    await reader.readexactly(8)
    writer.write(b"N")
    await reader.read(4096)
    writer.write(b"R\x7f\xff\xff\xff")
    while True:
        writer.write(b"x" * 65536)
        await writer.drain()


async def flood_of_mysql(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """A greeting of any number of packets, each as long as one may be."""
    number = 0
    while True:
        writer.write(b"\xff\xff\xff" + bytes([number % 256]) + b"\x0a" * 0xFFFFFF)
        await writer.drain()
        number += 1


@pytest.mark.parametrize(
    ("kind", "talk", "why"),
    [
        (POSTGRES, flood_of_postgres, "not PostgreSQL: says more than 1 MiB"),
        (MYSQL, flood_of_mysql, "not MySQL as we know it: says more than 1 MiB"),
    ],
)
def test_a_flood_is_read_to_a_bound(kind: CheckType, talk: Talk, why: str) -> None:
    async def conversation() -> None:
        async with stream_server(talk) as server:
            assert (await ask(kind, server.address, **LOGIN)).why == why  # what it imports is imported by now
            tracemalloc.start()
            try:
                assert (await ask(kind, server.address, **LOGIN)).why == why
                assert tracemalloc.get_traced_memory()[1] < 48 << 20  # the server itself has 32 of these
            finally:
                tracemalloc.stop()

    run(conversation())


async def no_tls_after_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Agrees to TLS, and does not speak it; without TLS it says nothing."""
    if await reader.read(4096) == b"\0\0\0\x08\x04\xd2\x16\x2f":
        writer.write(b"S")
        await reader.read(4096)
        writer.write(b"x" * 500)
        await writer.drain()


def test_a_server_that_fails_at_tls_is_not_told_by_the_number_that_openssl_has_for_it() -> None:
    async def conversation() -> None:
        async with stream_server(no_tls_after_all) as server:
            answer = await ask(POSTGRES, server.address, **LOGIN)
            assert not answer.well
            assert "not permitted" not in answer.why  # EPERM is 1, and so is OpenSSL's number

    run(conversation())
