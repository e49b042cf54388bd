"""The checks that send and expect what the operator wrote: send_expect and udp, and the agent's line."""

import asyncio

import pytest

from l4d.terms import CheckType, ServerState
from tests.health.asking import ask, run
from tests.kit.scripted import datagram_server, saying, stream_server

TALK, UDP, AGENT = CheckType.SEND_EXPECT, CheckType.UDP, CheckType.AGENT


def test_an_answer_that_comes_in_pieces_is_put_together() -> None:
    async def slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(await reader.readexactly(6))
        for piece in (b"250-", b"one\n", b"250 ", b"two\n"):
            writer.write(piece)
            await asyncio.sleep(0.01)
        await reader.read()

    async def conversation() -> None:
        async with stream_server(slowly) as server:
            assert (await ask(TALK, server.address, send="EHLO\r\n", expect="one.*250 two")).well
            assert (await ask(TALK, server.address, send_hex=b"EHLO\r\n", expect_hex=b"250-one")).well
        assert heard == [b"EHLO\r\n"] * 2

    heard: list[bytes] = []
    run(conversation())


def test_another_answer_is_shown() -> None:
    async def conversation() -> None:
        async with stream_server(saying(b"554 go\x1b away\r\n")) as server:
            answer = await ask(TALK, server.address, expect="^220 ")
            assert (answer.well, answer.why) == (False, "answered otherwise: '554 go\\x1b away'")
            answer = await ask(TALK, server.address, expect_hex=b"220")
            assert (answer.well, answer.why) == (False, "answered otherwise: '554 go\\x1b away'")
        async with stream_server(saying(b"")) as server:
            answer = await ask(TALK, server.address, expect="^220 ")
            assert (answer.well, answer.why) == (False, "closed without an answer")

    run(conversation())


def test_a_wrong_beginning_is_not_waited_on() -> None:
    async def open_ended(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"2xx")
        await reader.read()

    async def conversation() -> None:
        async with stream_server(open_ended) as server:
            assert not (await ask(TALK, server.address, expect_hex=b"220 ready")).well

    run(conversation())


def test_a_datagram_that_fits_is_waited_for() -> None:
    async def conversation() -> None:
        answers = iter([b"no", b"pong"])
        async with datagram_server(lambda data: next(answers)) as server:
            task = asyncio.ensure_future(ask(UDP, server.address, send="ping", expect="pong"))
            await asyncio.wait([task], timeout=0.1)
            assert not task.done()
            task.cancel()
            await asyncio.wait([task])
            assert (await ask(UDP, server.address, send="ping", expect="pong")).well

    run(conversation())


def test_silence_is_well_where_nothing_is_expected() -> None:
    async def conversation() -> None:
        async with datagram_server(lambda data: None) as server:
            answer = await ask(UDP, server.address, send="ping", timeout=0.2)
            assert (answer.well, answer.why) == (True, "did not refuse")

    run(conversation())


def test_an_agent_is_asked_and_heard() -> None:
    async def agent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        name = await reader.readline()
        writer.write({b"one\n": b"ready,50%\r\nmore", b"two\n": b"drain down #disk\n"}[name])
        await reader.read()

    async def conversation() -> None:
        async with stream_server(agent) as server:
            one = await ask(AGENT, server.address, send="one\n")
            assert (one.well, one.definite, one.state, one.percent) == (True, False, ServerState.READY, 50)
            two = await ask(AGENT, server.address, send="two\n")
            assert (two.well, two.definite, two.state, two.why) == (False, True, ServerState.DRAIN, "says down: disk")
        async with stream_server(saying(b"up")) as server:  # ended by the connection's end
            assert (await ask(AGENT, server.address)).well
        async with stream_server(saying(b"")) as server:
            assert (await ask(AGENT, server.address)).why == "closed before it had answered"

    run(conversation())


@pytest.mark.parametrize("kind", [TALK, AGENT])
def test_nothing_is_sent_where_nothing_is_to_be_sent(kind: CheckType) -> None:
    async def conversation() -> None:
        async def listening(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"up\n")
            heard.append(await reader.read())

        async with stream_server(listening) as server:
            assert (await ask(kind, server.address, expect="up")).well
        assert heard == [b""]

    heard: list[bytes] = []
    run(conversation())
