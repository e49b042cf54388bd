"""Names that are watched: told what changes, asked for again when it is time, and at once when a dial fails."""

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path
from random import Random

import pytest

from l4d.address import Inet
from l4d.log.log import Log
from l4d.names.found import Found
from l4d.names.watch import Names
from l4d.terms import Level
from tests.kit import Manner, Nameserver, free_port
from tests.unit.making import Lines
from tests.unit.names.asking import NOWHERE, Listener, Watching, host, run, service, settings, until


@pytest.fixture
def nameserver() -> Iterator[Nameserver]:
    with Nameserver() as nameserver:
        yield nameserver


def test_what_is_found_is_told_as_servers_of_the_entry(nameserver: Nameserver) -> None:
    nameserver.set("db.test", "A", "192.0.2.2", "192.0.2.1")
    told = Listener()

    async def conversation() -> None:
        async with Watching(settings(nameserver.address)) as names:
            names.watch(host(weight=3), told)
            await until("it is told", lambda: told.history)

    run(conversation())
    assert told.history == [(Found(Inet("192.0.2.1", 5432), 3), Found(Inet("192.0.2.2", 5432), 3))]
    assert (told.whole, told.remarks) == ([True], [])


def test_a_name_is_asked_for_again_when_its_ttl_runs_out_and_only_a_change_is_told(nameserver: Nameserver) -> None:
    nameserver.set("db.test", "A", "192.0.2.1", ttl=0)
    told = Listener()

    async def conversation() -> None:
        async with Watching(settings(nameserver.address)) as names:
            names.watch(host(), told)
            await until("it was asked for three times", lambda: nameserver.count("db.test", "A") >= 3)
            assert told.servers == ["192.0.2.1:5432"]
            nameserver.set("db.test", "A", "192.0.2.1", "192.0.2.2", ttl=0)
            await until("the second address is told", lambda: len(told.servers) == 2)
            nameserver.set("db.test", "A", "192.0.2.2", ttl=0)
            await until("the first address is gone", lambda: told.servers == ["192.0.2.2:5432"])

    run(conversation())
    assert len(told.history) == 3


def test_a_long_ttl_is_cut_to_the_longest(nameserver: Nameserver) -> None:
    nameserver.set("db.test", "A", "192.0.2.1", ttl=86400)

    async def conversation() -> None:
        async with Watching(settings(nameserver.address, max_ttl=0.1)) as names:
            names.watch(host(), Listener())
            await until("it was asked for three times", lambda: nameserver.count("db.test", "A") >= 3)

    run(conversation())


def test_a_long_ttl_is_waited_for_unless_a_dial_fails(nameserver: Nameserver) -> None:
    nameserver.set("db.test", "A", "192.0.2.1", ttl=3600)
    nameserver.set("other.test", "A", "192.0.2.1", ttl=0)
    told = Listener()

    async def conversation() -> None:
        async with Watching(settings(nameserver.address)) as names:
            names.watch(host(), told)
            names.watch(host("other.test"), Listener())
            await until("another was asked for often", lambda: nameserver.count("other.test", "A") >= 5)
            assert nameserver.count("db.test", "A") == 1
            nameserver.set("db.test", "A", "192.0.2.2", ttl=3600)
            names.again(host())
            await until("the new address is told", lambda: told.servers == ["192.0.2.2:5432"])

    run(conversation())
    assert nameserver.count("db.test", "A") == 2


def test_a_thousand_failing_dials_are_one_question(nameserver: Nameserver) -> None:
    nameserver.set("db.test", "A", "192.0.2.1", ttl=3600)

    async def conversation() -> None:
        async with Watching(settings(nameserver.address, min_ttl=1.0)) as names:
            names.watch(host(), told := Listener())
            await until("it is told", lambda: told.history)
            for _dial in range(1000):
                names.again(host())
                await asyncio.sleep(0)
            await until("it was asked for again", lambda: nameserver.count("db.test", "A") == 2)

    run(conversation())
    assert nameserver.count("db.test", "A") == 2


def test_a_dial_that_fails_when_all_is_over_is_too_late(nameserver: Nameserver) -> None:
    async def conversation() -> None:
        async with Watching(settings(nameserver.address)) as names:
            names.watch(host(), Listener())
        names.again(host())

    run(conversation())


def test_a_failing_nameserver_is_said_once_and_leaves_what_was_found(nameserver: Nameserver) -> None:
    nameserver.set("db.test", "A", "192.0.2.1", ttl=0)
    told = Listener()

    async def conversation() -> None:
        async with Watching(settings(nameserver.address, max_ttl=0.1)) as names:
            names.watch(host(), told)
            await until("it is told", lambda: told.history)
            nameserver.behave(Manner.SERVFAIL)
            await until("there is trouble", lambda: told.remarks)
            asked = nameserver.count()
            await until("it was asked for again", lambda: nameserver.count() >= asked + 6)
            assert told.remarks == [f"{nameserver.address}: SERVFAIL"]
            nameserver.behave(Manner.REFUSED)
            await until("the reason is another", lambda: len(told.remarks) == 2)
            nameserver.behave(Manner.WELL)
            await until("all is well", lambda: told.remarks[-1] == "well")

    run(conversation())
    assert told.remarks[1:] == [f"{nameserver.address}: REFUSED", "well"]
    assert len(told.history) == 1


def test_a_name_without_an_answer_has_a_reason_and_is_found_later(nameserver: Nameserver) -> None:
    told = Listener()

    async def conversation() -> None:
        async with Watching(settings(nameserver.address, max_ttl=0.1)) as names:
            names.watch(host(), told)
            await until("there is a reason", lambda: told.remarks == ["no such name"])
            assert told.history == []
            nameserver.set("db.test", "A", "192.0.2.1")
            await until("it is told", lambda: told.servers == ["192.0.2.1:5432"])

    run(conversation())
    assert told.remarks == ["no such name", "well"]


def test_nobody_waits_for_a_nameserver_that_answers_after_30_seconds(nameserver: Nameserver) -> None:
    """Not even the other names."""
    nameserver.behave(Manner.WELL, "slow.test", after=30)
    nameserver.set("slow.test", "A", "192.0.2.1")
    nameserver.set("db.test", "A", "192.0.2.2")

    async def conversation() -> None:
        async with Watching(settings(nameserver.address, timeout=60)) as names:
            names.watch(host("slow.test"), slow := Listener())
            names.watch(host(), quick := Listener())
            await until("the other name is told", lambda: quick.servers == ["192.0.2.2:5432"])
            assert (slow.history, slow.remarks) == ([], [])

    run(conversation())


def test_until_everything_was_answered_once_what_is_found_is_not_whole(nameserver: Nameserver) -> None:
    nameserver.set("db.test", "A", "192.0.2.1", ttl=0)
    nameserver.set("db.test", "AAAA", "::1", ttl=0)
    nameserver.behave(Manner.SERVFAIL, "db.test", "AAAA")
    told = Listener()

    async def conversation() -> None:
        async with Watching(settings(nameserver.address)) as names:
            names.watch(host(), told)
            await until("one family is told", lambda: told.servers == ["192.0.2.1:5432"])
            nameserver.behave(Manner.WELL, "db.test", "AAAA")
            await until("both are told", lambda: len(told.servers) == 2)
            nameserver.behave(Manner.SERVFAIL, "db.test", "AAAA")
            nameserver.set("db.test", "A", "192.0.2.2", ttl=0)
            await until("one family has changed", lambda: "192.0.2.2:5432" in told.servers)

    run(conversation())
    assert told.servers == ["192.0.2.2:5432", "[::1]:5432"]
    assert told.whole == [False, True, True]


def test_a_part_that_is_never_answered_is_not_waited_for_for_ever(nameserver: Nameserver) -> None:
    nameserver.set("db.test", "A", "192.0.2.1", ttl=0)
    nameserver.behave(Manner.SERVFAIL, "db.test", "AAAA")
    told = Listener()

    async def conversation() -> None:
        async with Watching(settings(nameserver.address, max_ttl=0.2)) as names:
            names.watch(host(), told)
            await until("it is whole", lambda: told.whole == [False, True])

    run(conversation())
    assert told.servers == ["192.0.2.1:5432"]


def test_one_name_in_several_entries_is_asked_for_once(nameserver: Nameserver) -> None:
    nameserver.set("db.test", "A", "192.0.2.1")
    first, second, late = Listener(), Listener(), Listener()

    async def conversation() -> None:
        async with Watching(settings(nameserver.address)) as names:
            names.watch(host(port=1), first)
            names.watch(host(port=2), second)
            await until("both are told", lambda: first.history and second.history)
            names.watch(host(port=3), late)
            assert late.servers == ["192.0.2.1:3"]

    run(conversation())
    assert (first.servers, second.servers) == (["192.0.2.1:1"], ["192.0.2.1:2"])
    assert nameserver.count("db.test", "A") == 1


def test_one_who_comes_late_hears_of_the_trouble(nameserver: Nameserver) -> None:
    first, late = Listener(), Listener()

    async def conversation() -> None:
        async with Watching(settings(nameserver.address)) as names:
            names.watch(host(port=1), first)
            await until("there is trouble", lambda: first.remarks)
            names.watch(host(port=2), late)
            assert late.remarks == first.remarks

    run(conversation())


def test_a_service_is_followed_as_well(nameserver: Nameserver) -> None:
    nameserver.set("_pg._tcp.test", "SRV", "0 5 5432 one.test.", ttl=0)
    nameserver.set("one.test", "A", "192.0.2.1", ttl=0)
    told = Listener()

    async def conversation() -> None:
        async with Watching(settings(nameserver.address)) as names:
            names.watch(service(weight=2), told)
            await until("it is told", lambda: told.history)
            nameserver.set("_pg._tcp.test", "SRV", "0 5 5432 one.test.", "1 1 5433 one.test.", ttl=0)
            await until("there is a backup", lambda: len(told.servers) == 2)

    run(conversation())
    assert told.history[0] == (Found(Inet("192.0.2.1", 5432), 10),)
    assert told.history[1][1] == Found(Inet("192.0.2.1", 5433), 2, backup=True)


def test_questions_are_counted_by_their_result(nameserver: Nameserver) -> None:
    nameserver.set("db.test", "A", "192.0.2.1")

    async def conversation() -> list[str]:
        watching = Watching(settings(nameserver.address))
        async with watching as names:
            names.watch(host(), told := Listener())
            await until("it is told", lambda: told.history)
        return watching.results

    assert sorted(run(conversation())) == ["answered", "empty"]


def test_the_files_of_the_system_hold_only_without_nameservers_of_our_own(
    nameserver: Nameserver, tmp_path: Path
) -> None:
    hosts = tmp_path / "hosts"
    hosts.write_text("192.0.2.9 db.test\n")
    nameserver.set("db.test", "A", "192.0.2.1")
    by_file, by_nameserver = Listener(), Listener()

    async def conversation() -> None:
        async with Watching(settings(), hosts=str(hosts)) as names:
            names.watch(host(), by_file)
            await until("the file's is told", lambda: by_file.servers == ["192.0.2.9:5432"])
        async with Watching(settings(nameserver.address), hosts=str(hosts)) as names:
            names.watch(host(), by_nameserver)
            await until("the nameserver's is told", lambda: by_nameserver.servers == ["192.0.2.1:5432"])

    run(conversation())


def test_closing_leaves_nothing_open_whatever_is_on_its_way(nameserver: Nameserver) -> None:
    nameserver.behave(Manner.SILENT)
    nobody = Inet("127.0.0.1", free_port())
    before = len(os.listdir("/proc/self/fd"))

    async def conversation() -> None:
        open_at_first = len(os.listdir("/proc/self/fd"))
        async with Watching(settings(nobody, nameserver.address)) as names:
            for number in range(20):
                names.watch(host(f"n{number}.test"), Listener())
            await until("all were asked for", lambda: nameserver.count() >= 40)
        assert len(os.listdir("/proc/self/fd")) == open_at_first

    run(conversation())
    assert len(os.listdir("/proc/self/fd")) == before


def test_an_error_of_ours_is_said_and_the_name_is_asked_for_again(nameserver: Nameserver) -> None:
    nameserver.set("db.test", "A", "192.0.2.1", ttl=0)
    lines = Lines()

    class Broken(Listener):
        def found(self, found: tuple[Found, ...], whole: bool) -> None:
            raise RuntimeError("deliberate")

    async def conversation() -> None:
        log = Log(lines, Level.DEBUG, "test")
        names = Names(settings(nameserver.address), log, Random(1), lambda _result: None, NOWHERE, NOWHERE)
        names.watch(host(), Broken())
        await until("it was asked for again", lambda: nameserver.count("db.test", "A") >= 2)
        await names.close()

    run(conversation())
    assert lines.texts[0].startswith("a bug in resolving db.test")
