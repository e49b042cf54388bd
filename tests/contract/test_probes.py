"""What every probe promises, whatever it speaks: one set of tests for all of them.

A server, in the event loop of the probe, is well, mute, talks nonsense, resets; the program of an exec check does the
like in its way.
"""

import asyncio
import errno
import random
import struct
import subprocess
import sys
import tracemalloc
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import dns.flags
import dns.message
import dns.rrset
import pytest

from l4d.address import Inet
from l4d.health.lack import NotAskedError, lack_in
from l4d.health.make import make_probe
from l4d.health.probe import Answer, Probe, Target
from l4d.health.words import reason
from l4d.terms import CheckType, Role
from tests.kit.ports import free_port
from tests.kit.scripted import (
    Reply,
    Serving,
    Talk,
    datagram_server,
    endless,
    mute,
    nothing_left,
    resetting,
    saying,
    stream_server,
)
from tests.kit.starved import starved
from tests.unit.health.making import make_check

_rng = random.Random(4)

NONSENSE: list[bytes] = [
    b"",
    b"\0",
    b"\n",
    b"\0" * 300,
    b"\xff" * 300,
    b"\r\n" * 300,
    b"A" * 5000,
    b"\x1b[2J\x07 \xe2\x80\xae",
    b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
    b"HTTP/9.9 99999 \r\n\r\n",
    b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nzzzz",
    b"+PON",
    b"$99999999\r\n",
    b"$-7\r\n",
    b"*99999999\r\n",
    b"*2\r\n*2\r\n",
    b"-\r\n",
    b":x\r\n",
    b"%1\r\n+a\r\n",
    b"E\0\0\0\4",
    b"E\x7f\xff\xff\xff",
    b"NR\0\0\0\x08\0\0\0\x63",
    b"NR\0\0\0\0\0\0",
    b"NZ\0\0\0\5I",
    b"NE\0\0\0\x0bSFATAL\0\xff\xfe\0",
    b"\xff\xff\xff\0" + b"\x0a" * 50,
    b"\1\0\0\0\xff",
    b"\1\0\0\0\x0a",
    b"\5\0\0\0\x0a8.0\0",
    b"\7\0\0\0\x09oldest",
    b"\x16\x03\x03\xff\xff" + b"\2" * 200,
    b"\x15\x03\x03\0\2\2\x28",
    *(_rng.randbytes(size) for size in (1, 3, 12, 60, 500, 4096, 20000)),
]


async def http_well(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\r\n\r\n")
    writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nfine")
    await reader.read()


async def line_well(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    await reader.readuntil(b"\n")
    writer.write(b"up 80%\n")
    await reader.read()


async def redis_well(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Knows two commands."""
    answers = {b"PING": b"+PONG\r\n", b"ROLE": b"*3\r\n$6\r\nmaster\r\n:0\r\n*0\r\n"}
    while line := await reader.readline():
        for _ in range(int(line[1:])):
            await reader.readline()
            word = (await reader.readline()).strip()
            if word in answers:
                writer.write(answers[word])
            elif word == b"CLIENT":
                writer.write(b"-ERR unknown command\r\n")


async def postgres_well(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """No TLS, no password, one answer."""
    await reader.readexactly(8)
    writer.write(b"N")
    (length,) = struct.unpack("!I", await reader.readexactly(4))
    await reader.readexactly(length - 4)
    settings = b"".join(
        b"S" + struct.pack("!I", len(pair) + 4) + pair
        for pair in (b"server_version\x0015.1\0", b"client_encoding\0UTF8\0", b"standard_conforming_strings\0on\0")
    )
    ready = b"Z\0\0\0\5I"
    writer.write(b"R\0\0\0\x08\0\0\0\0" + settings + b"K\0\0\0\x0c\0\0\0\1\0\0\0\2" + ready)
    while kind := await reader.read(1):
        (length,) = struct.unpack("!I", await reader.readexactly(4))
        await reader.readexactly(length - 4)
        if kind == b"X":
            return
        writer.write(b"C\0\0\0\x0dSELECT 1\0" + ready)


GREETING = (
    b"\x0a8.0.30\0" + b"\1\0\0\0" + b"saltsalt\0" + b"\xff\xf7\x21\2\0\xff\x81\x15" + b"\0" * 10 + b"saltsaltsalt\0"
    b"mysql_native_password\0"
)


async def mysql_well(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Lets in whoever asks, and is pleased with every command."""
    writer.write(struct.pack("<I", len(GREETING)) + GREETING)
    while header := await reader.read(4):
        packet = await reader.readexactly(int.from_bytes(header[:3], "little"))
        if packet == b"\1":
            return
        writer.write(b"\7\0\0" + bytes([header[3] + 1]) + b"\0\0\0\2\0\0\0")


def dns_well(query: bytes) -> bytes:
    response = dns.message.make_response(dns.message.from_wire(query))
    response.answer.append(dns.rrset.from_text("example.test.", 60, "IN", "A", "192.0.2.7"))
    return response.to_wire()


@dataclass
class Case:
    """One type of check, and a server that is well by it."""

    type: CheckType
    keys: dict[str, Any] = field(default_factory=dict)
    talk: Talk | None = None
    reply: Reply | None = None
    gullible: bool = False  # it cannot tell nonsense from an answer
    takes: tuple[bytes, ...] = ()  # the beginnings of nonsense that is an answer to it
    secret: str | None = None

    @property
    def probe(self) -> Probe:
        return make_probe(make_check(self.type, timeout=60.0, **self.keys), self.secret)


LOGIN = {"user": "l4d", "database": "l4d"}

CASES = {
    "tcp": Case(CheckType.TCP, talk=mute, gullible=True),
    "tls": Case(CheckType.TLS, {"verify": False}),
    "http": Case(CheckType.HTTP, {"body": "^fine$"}, talk=http_well),
    "https": Case(CheckType.HTTP, {"tls": True, "verify": False}),
    "send_expect": Case(CheckType.SEND_EXPECT, {"send": "QUIT\r\n", "expect": "^221 "}, talk=saying(b"221 bye\r\n")),
    "hex": Case(CheckType.SEND_EXPECT, {"expect_hex": b"\xff\xfd\x18"}, talk=saying(b"\xff\xfd\x18\xff")),
    "udp": Case(CheckType.UDP, {"send": "ping", "expect": "pong"}, reply=lambda data: b"pong"),
    "udp any": Case(CheckType.UDP, {"send": "ping"}, reply=lambda data: b"pong", gullible=True),
    "dns": Case(CheckType.DNS, {"query": "example.test"}, reply=dns_well),
    "redis": Case(CheckType.REDIS, talk=redis_well),
    "redis role": Case(CheckType.REDIS, {"role": Role.PRIMARY}, talk=redis_well),
    "postgres": Case(CheckType.POSTGRES, talk=saying(b"N"), takes=(b"N",)),
    "postgres login": Case(CheckType.POSTGRES, LOGIN, talk=postgres_well, secret="hunter2"),
    "mysql": Case(CheckType.MYSQL, talk=saying(struct.pack("<I", len(GREETING)) + GREETING)),
    "mysql login": Case(CheckType.MYSQL, LOGIN, talk=mysql_well, secret="hunter2"),
    "agent": Case(CheckType.AGENT, {"send": "web\n"}, talk=line_well),
}
SCRIPTED = [name for name, case in CASES.items() if case.talk or case.reply]
STREAMS = [name for name, case in CASES.items() if not case.reply]
TALKING = [name for name, case in CASES.items() if not case.gullible]


def run(conversation: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(conversation, 20))


@asynccontextmanager
async def serving(case: Case, talk: Talk | None = None, reply: Reply | None = None) -> AsyncIterator[Serving]:
    """A server of the kind the case has, that does as it is told; without that, well."""
    if case.reply:
        async with datagram_server(reply or case.reply) as server:
            yield server
    else:
        assert talk or case.talk
        async with stream_server(talk or case.talk or mute) as server:
            yield server


async def ask(probe: Probe, address: Inet | Any) -> Answer:
    """What comes of it, as the checker takes it: whatever else is raised is a bug, and fails the test."""
    try:
        answer = await probe.ask(Target("web", "one", address))
    except (OSError, EOFError, ValueError) as error:
        answer = Answer(well=False, why=reason(error))
    assert len(answer.why) <= 200
    assert not answer.why or answer.why.isprintable()
    assert answer.well or answer.why
    assert "hunter2" not in answer.why
    return answer


@pytest.fixture(autouse=True)
def _no_noise(caplog: pytest.LogCaptureFixture) -> Any:
    """asyncio's own log is where exceptions in callbacks go."""
    yield
    assert caplog.records == []


@pytest.mark.parametrize("name", SCRIPTED)
def test_a_well_server_is_well(name: str) -> None:
    async def conversation() -> None:
        case = CASES[name]
        async with serving(case) as server:
            async with nothing_left():
                answer = await ask(case.probe, server.address)
                assert answer.well, answer

    run(conversation())


@pytest.mark.parametrize("name", CASES)
def test_where_nobody_listens_the_reason_is_a_refusal(name: str) -> None:
    async def conversation() -> None:
        async with nothing_left():
            answer = await ask(CASES[name].probe, Inet("127.0.0.1", free_port()))
            assert (answer.well, answer.why) == (False, "connection refused")

    run(conversation())


@pytest.mark.parametrize("name", CASES)
def test_without_a_descriptor_to_spare_it_is_told_that_the_lack_is_ours(name: str) -> None:
    async def conversation() -> None:
        probe = CASES[name].probe
        await ask(probe, Inet("127.0.0.1", free_port()))  # whatever it imports is imported then
        async with nothing_left():
            with starved():
                with pytest.raises((OSError, ValueError)) as caught:
                    await probe.ask(Target("web", "one", Inet("127.0.0.1", 9)))
            assert lack_in(caught.value) == "too many open files"

    run(conversation())


@pytest.mark.parametrize("name", [name for name in CASES if name != "tcp"])
def test_a_mute_server_is_waited_for_until_the_check_is_cancelled(name: str) -> None:
    async def conversation() -> None:
        case = CASES[name]
        async with serving(case, mute, lambda data: None) as server:
            async with nothing_left():
                task = asyncio.ensure_future(ask(case.probe, server.address))
                await server.meets()
                done, _ = await asyncio.wait([task], timeout=0.05)
                assert not done
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task

    run(conversation())


def _always(answer: bytes, _: bytes) -> bytes:
    return answer


@pytest.mark.parametrize("name", TALKING)
def test_nonsense_is_a_failed_check(name: str) -> None:
    async def conversation() -> None:
        case = CASES[name]
        for nonsense in NONSENSE[1:] if case.reply else NONSENSE:  # asyncio sends no empty datagram
            async with serving(case, saying(nonsense), partial(_always, nonsense)) as server:
                async with nothing_left():
                    task = asyncio.ensure_future(ask(case.probe, server.address))
                    await asyncio.wait([task], timeout=None if not case.reply or case.type is CheckType.DNS else 0.05)
                    if task.done():
                        assert task.result().well is nonsense.startswith(case.takes), (nonsense, task.result())
                    else:  # a datagram that does not fit is passed over
                        task.cancel()
                        await asyncio.wait([task])

    run(conversation())


@pytest.mark.parametrize("block", [b"A" * 65536, b"\0" * 65536, b"+\r\n" * 20000], ids=["A", "zeros", "lines"])
@pytest.mark.parametrize("name", [name for name in STREAMS if name != "tcp"])
def test_endless_nonsense_is_read_to_a_bound(name: str, block: bytes) -> None:
    async def conversation() -> None:
        case = CASES[name]
        async with serving(case, endless(block)) as server:
            probe = case.probe
            tracemalloc.start()
            try:
                async with nothing_left():
                    answer = await ask(probe, server.address)
                    assert not answer.well
                assert tracemalloc.get_traced_memory()[1] < 24 << 20  # modules are loaded, too
            finally:
                tracemalloc.stop()

    run(conversation())


@pytest.mark.parametrize("name", [name for name in STREAMS if name != "tcp"])
def test_a_server_that_resets_is_a_failed_check(name: str) -> None:
    async def conversation() -> None:
        case = CASES[name]
        async with serving(case, resetting) as server:
            async with nothing_left():
                assert not (await ask(case.probe, server.address)).well

    run(conversation())


@pytest.mark.parametrize("name", SCRIPTED)
def test_a_check_may_be_cancelled_at_any_moment(name: str) -> None:
    async def conversation() -> None:
        case = CASES[name]
        probe = case.probe
        async with serving(case) as server:
            await ask(probe, server.address)  # what is imported the first time takes turns of its own
            async with nothing_left():
                for turns in range(60):
                    task = asyncio.ensure_future(ask(probe, server.address))
                    for _ in range(turns):
                        await asyncio.sleep(0)
                    task.cancel()
                    await asyncio.wait([task])
                    assert task.cancelled() or task.result().well

    run(conversation())


PROGRAMS: dict[str, tuple[str, bool | None]] = {
    "is well": ("print('fine')", True),
    "says nothing": ("pass", True),
    "fails": ("import sys; sys.exit('the disk is full')", False),
    "talks nonsense": ("import os; os.write(1, os.urandom(5000))", True),
    "kills itself": ("import os; os.kill(os.getpid(), 9)", False),
    "talks without end": ("while True: print('A' * 60000)", False),
    "is mute": ("import time; time.sleep(600)", None),
}


@pytest.mark.parametrize("what", PROGRAMS)
def test_a_program_keeps_the_same_promises(what: str) -> None:
    async def conversation() -> None:
        text, well = PROGRAMS[what]
        probe = make_probe(make_check(CheckType.EXEC, command=(sys.executable, "-S", "-c", text)))
        async with nothing_left():
            task = asyncio.ensure_future(ask(probe, Inet("127.0.0.1", 80)))
            await asyncio.wait([task], timeout=30 if well is not None else 0.3)
            if well is None:
                assert not task.done()
                task.cancel()
                await asyncio.wait([task])
            else:
                assert task.result().well is well

    run(conversation())


def test_a_program_that_cannot_be_started_for_a_lack_of_ours_is_no_failed_check() -> None:
    async def conversation() -> None:
        probe = make_probe(make_check(CheckType.EXEC, command=("/bin/true",)))
        async with nothing_left():
            with starved():
                with pytest.raises(NotAskedError, match=r"^cannot run /bin/true: too many open files$"):
                    await probe.ask(Target("web", "one", Inet("127.0.0.1", 9)))

    run(conversation())


def test_no_more_processes_are_no_failed_check(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_fork(*args: object, **options: object) -> None:
        raise BlockingIOError(errno.EAGAIN, "Resource temporarily unavailable")

    async def conversation() -> None:
        monkeypatch.setattr(subprocess, "Popen", no_fork)
        probe = make_probe(make_check(CheckType.EXEC, command=("/bin/true",)))
        async with nothing_left():
            with pytest.raises(NotAskedError, match="cannot run /bin/true: resource temporarily unavailable"):
                await probe.ask(Target("web", "one", Inet("127.0.0.1", 9)))

    run(conversation())


def test_a_program_may_be_cancelled_at_any_moment() -> None:
    async def conversation() -> None:
        probe = make_probe(make_check(CheckType.EXEC, command=("/bin/true",)))
        async with nothing_left():
            for turns in range(20):
                task = asyncio.ensure_future(ask(probe, Inet("127.0.0.1", 80)))
                for _ in range(turns):
                    await asyncio.sleep(0)
                task.cancel()
                await asyncio.wait([task])

    run(conversation())
