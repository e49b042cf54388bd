"""A real nameserver whose zone changes: unbound, with a zone file."""

import asyncio
from pathlib import Path

from l4d.address import Inet
from l4d.names.found import Found
from tests.kit import needs
from tests.kit.servers import Zone
from tests.unit.names.asking import Listener, Watching, host, run, service, settings, until

pytestmark = needs("unbound")


def test_addresses_appear_change_and_vanish_with_the_zone(tmp_path: Path) -> None:
    told = Listener()

    async def conversation() -> None:
        async with Watching(settings(zone.address, max_ttl=0.2)) as names:
            names.watch(host("db.example.test"), told)
            await until("there is no such name", lambda: told.remarks == ["no such name"])
            zone.change("db 1 A 192.0.2.1", "db 1 AAAA 2001:db8::1")
            await until("both families are there", lambda: told.servers == ["192.0.2.1:5432", "[2001:db8::1]:5432"])
            zone.change("db 1 A 192.0.2.2", "db 1 A 192.0.2.3")
            await until("others are there", lambda: told.servers == ["192.0.2.2:5432", "192.0.2.3:5432"])
            zone.change("db 1 A 192.0.2.3")
            await until("one is gone", lambda: told.servers == ["192.0.2.3:5432"])
            zone.change()
            await until("the name is gone", lambda: told.remarks[-1] == "no such name")
            assert told.servers == ["192.0.2.3:5432"]

    with Zone(tmp_path) as zone:
        run(conversation())


def test_a_nameserver_that_ends_leaves_everything_as_it_was(tmp_path: Path) -> None:
    told = Listener()

    async def conversation() -> None:
        async with Watching(settings(zone.address, max_ttl=0.2)) as names:
            names.watch(host("db.example.test"), told)
            await until("it is there", lambda: told.servers == ["192.0.2.1:5432"])
            zone.close()
            await until("there is trouble", lambda: f"{zone.address}: connection refused" in told.remarks)
            assert told.servers == ["192.0.2.1:5432"]

    with Zone(tmp_path, "db 1 A 192.0.2.1") as zone:
        run(conversation())


def test_a_low_ttl_is_followed_and_a_high_one_is_not_waited_for(tmp_path: Path) -> None:
    low, high = Listener(), Listener()

    async def conversation() -> None:
        async with Watching(settings(zone.address, max_ttl=4)) as names:
            names.watch(host("low.example.test"), low)
            names.watch(host("high.example.test"), high)
            await until("both are there", lambda: low.history and high.history)
            zone.change("low 1 A 192.0.2.2", "high 86400 A 192.0.2.2")
            await until("the low one has changed", lambda: low.servers == ["192.0.2.2:5432"])
            await until("the high one has changed", lambda: high.servers == ["192.0.2.2:5432"])

    with Zone(tmp_path, "low 1 A 192.0.2.1", "high 86400 A 192.0.2.1") as zone:
        run(conversation())


def test_a_failing_dial_finds_the_new_address_whatever_the_ttl(tmp_path: Path) -> None:
    told = Listener()

    async def conversation() -> None:
        async with Watching(settings(zone.address, max_ttl=3600)) as names:
            names.watch(host("db.example.test"), told)
            await until("it is there", lambda: told.servers == ["192.0.2.1:5432"])
            zone.change("db 3600 A 192.0.2.2")
            while len(told.history) == 1:  # the new zone is there a moment from now
                names.again(host("db.example.test"))
                await asyncio.sleep(0.01)
            assert told.servers == ["192.0.2.2:5432"]

    with Zone(tmp_path, "db 3600 A 192.0.2.1") as zone:
        run(conversation())


def test_a_service_with_priorities_and_weights_changes_its_ranks(tmp_path: Path) -> None:
    hosts = ("one 1 A 192.0.2.1", "two 1 A 192.0.2.2", "three 1 CNAME two")
    told = Listener()

    async def conversation() -> None:
        async with Watching(settings(zone.address, max_ttl=0.2)) as names:
            names.watch(service("_pg._tcp.example.test"), told)
            await until("it is there", lambda: told.history)
            zone.change(*hosts, "_pg._tcp 1 SRV 20 3 5432 one", "_pg._tcp 1 SRV 10 4 5433 three")
            await until("the ranks have changed", lambda: len(told.history) == 2)

    with Zone(tmp_path, *hosts, "_pg._tcp 1 SRV 10 3 5432 one", "_pg._tcp 1 SRV 20 4 5432 two") as zone:
        run(conversation())
    one, two = Inet("192.0.2.1", 5432), Inet("192.0.2.2", 5432)
    assert told.history == [
        (Found(one, 3), Found(two, 4, backup=True)),
        (Found(one, 3, backup=True), Found(two.with_port(5433), 4)),
    ]


def test_more_addresses_than_fit_into_a_datagram_come_over_tcp(tmp_path: Path) -> None:
    told = Listener()

    async def conversation() -> None:
        async with Watching(settings(zone.address)) as names:
            names.watch(host("db.example.test"), told)
            await until("they are there", lambda: told.history)

    with Zone(tmp_path, *(f"db 1 A 192.0.2.{number}" for number in range(100))) as zone:
        run(conversation())
    assert len(told.servers) == 100
