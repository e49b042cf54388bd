"""The same key to the same server."""

import os
import random
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest

from l4d.address import Inet, Unix
from l4d.terms import HashKey
from l4d.upstream.hashing import Hashing
from l4d.upstream.key import make_key
from l4d.upstream.server import Server
from tests.unit.making import Row

ROW = Row()
SERVERS = [ROW.server(name=f"s{number}", address=Inet(f"10.0.0.{number}", 80)) for number in range(10)]

CLIENTS = 10_000


def finish(balancer: Hashing) -> int:
    """Do all there is to do; in how many pieces."""
    pieces = 1
    while balancer.work():
        pieces += 1
    return pieces


def filled(members: Sequence[Server]) -> Hashing:
    balancer = Hashing()
    balancer.fill(members)
    finish(balancer)
    return balancer


def choices(balancer: Hashing, *tried: Server) -> list[Server | None]:
    """Who each of the clients gets."""
    key = make_key([HashKey.CLIENT])
    clients = [(f"192.168.{n >> 8}.{n & 255}", 40_000) for n in range(CLIENTS)]
    return [balancer.choose(tried, key(client, 80), 0.0) for client in clients]


def moved(before: list[Server | None], after: list[Server | None]) -> int:
    return sum(one is not other for one, other in zip(before, after, strict=True))


@pytest.fixture(scope="module")
def whole() -> list[Server | None]:
    """Who each client gets when all servers are there."""
    return choices(filled(SERVERS))


@pytest.mark.parametrize("leaver", range(10))
def test_one_of_ten_that_leaves_moves_little_more_than_its_own_share_and_coming_back_restores_it(
    whole: list[Server | None], leaver: int
) -> None:
    balancer = filled(SERVERS)
    balancer.fill([server for server in SERVERS if server is not SERVERS[leaver]])
    at_once = choices(balancer)
    assert moved(whole, at_once) == whole.count(SERVERS[leaver])
    finish(balancer)
    assert moved(whole, choices(balancer)) <= 1.15 * whole.count(SERVERS[leaver])
    assert SERVERS[leaver] not in choices(balancer)
    balancer.fill(SERVERS)
    finish(balancer)
    assert moved(whole, choices(balancer)) == 0


def test_one_that_is_full_or_was_tried_moves_its_own_clients_alone_to_all_the_others(
    whole: list[Server | None],
) -> None:
    after = choices(filled(SERVERS), SERVERS[3])
    assert moved(whole, after) == whole.count(SERVERS[3])
    took_over = [new for old, new in zip(whole, after, strict=True) if old is SERVERS[3]]
    share = len(took_over) / 9
    assert all(share / 2 < took_over.count(server) < share * 2 for server in SERVERS if server is not SERVERS[3])


def test_neither_names_nor_order_nor_what_was_before_matter(whole: list[Server | None]) -> None:
    other_node = [ROW.server(name=f"t{number}", address=server.address) for number, server in enumerate(SERVERS)]
    balancer = filled(other_node[:4])
    balancer.fill(other_node[::-1])
    finish(balancer)
    addresses = [server.address if server else None for server in choices(balancer)]
    assert addresses == [server.address if server else None for server in whole]


def test_two_separate_processes_choose_alike() -> None:
    """Whatever their hash seed is."""
    code = "from tests.unit.upstream.test_hashing import *; print([s.name for s in choices(filled(SERVERS))])"
    said = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=Path(__file__).parents[3],
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    ]
    assert said[0] == said[1] == f"{[s.name for s in choices(filled(SERVERS)) if s]}\n".encode()


def test_servers_at_the_same_address_are_told_apart() -> None:
    twins = [ROW.server(name=name, address=Unix("/run/db")) for name in ("one", "two")]
    got = choices(filled(twins))
    assert all(0.45 < got.count(server) / CLIENTS < 0.55 for server in twins)


def test_another_server_at_the_same_address_takes_the_place_at_once(whole: list[Server | None]) -> None:
    balancer = filled(SERVERS)
    again = ROW.server(name="again", address=SERVERS[0].address)
    balancer.fill([again, *SERVERS[1:]])
    assert not balancer.work()
    got = choices(balancer)
    assert moved(whole, got) == whole.count(SERVERS[0]) == got.count(again)


def test_the_first_table_is_there_at_once() -> None:
    balancer = Hashing()
    balancer.fill(SERVERS[:3])
    assert not balancer.work()
    assert set(choices(balancer)) == set(SERVERS[:3])


def test_so_is_the_next_when_nobody_of_the_old_one_is_left() -> None:
    balancer = filled(SERVERS[:3])
    balancer.fill(SERVERS[5:])
    assert not balancer.work()
    assert set(choices(balancer)) == set(SERVERS[5:])


def test_until_the_work_is_done_newcomers_wait() -> None:
    balancer = filled(SERVERS[:3])
    before = choices(balancer)
    balancer.fill(SERVERS[:4])
    assert balancer.work()
    assert choices(balancer) == before
    assert finish(balancer) > 50
    assert SERVERS[3] in choices(balancer)


def test_a_newcomer_that_waits_is_chosen_when_nobody_else_can_be() -> None:
    balancer = filled(SERVERS[:3])
    balancer.fill(SERVERS[:4])
    assert set(choices(balancer, *SERVERS[:3])) == {SERVERS[3]}
    assert set(choices(balancer, *SERVERS[:4])) == {None}


def test_a_server_that_was_away_for_a_moment_makes_no_work(whole: list[Server | None]) -> None:
    balancer = filled(SERVERS)
    balancer.fill(SERVERS[1:])
    assert balancer.work()
    balancer.fill(SERVERS)
    assert not balancer.work()
    assert choices(balancer) == whole


def test_the_table_before_is_kept() -> None:
    balancer = filled(SERVERS)
    balancer.fill(SERVERS[1:])
    finish(balancer)
    for members in (SERVERS, SERVERS[1:], SERVERS):
        balancer.fill(members)
        assert not balancer.work()
        assert set(choices(balancer)) == set(members)


def test_a_table_under_way_is_finished_before_the_one_for_newer_members_is_begun() -> None:
    """So changes that come faster than tables are laid do not keep the old one for ever."""

    def chosen() -> set[Server | None]:
        return {balancer.choose((), slot, 0.0) for slot in range(0, 65537, 500)}

    balancer = filled(SERVERS[:2])
    balancer.fill(SERVERS[:3])
    balancer.work()
    balancer.fill(SERVERS[:4])
    while SERVERS[2] not in chosen():
        assert balancer.work()
    assert chosen() == set(SERVERS[:3])
    assert finish(balancer) > 50
    assert chosen() == set(SERVERS[:4])


def test_weights_are_followed() -> None:
    heavy, light = ROW.server(name="h", address=Inet("10.1.0.1", 80), weight=3), SERVERS[0]
    balancer = filled([heavy, light])
    assert 0.7 < choices(balancer).count(heavy) / CLIENTS < 0.8
    heavy.weight = 1.0
    balancer.fill([heavy, light])
    finish(balancer)
    assert 0.45 < choices(balancer).count(heavy) / CLIENTS < 0.55


def test_a_hundred_thousand_keys_are_shared_equally() -> None:
    """A tenth of them each, within four standard deviations of independent draws."""
    balancer, keys = filled(SERVERS), random.Random(3)
    got = [balancer.choose((), keys.getrandbits(64), 0.0) for _ in range(100_000)]
    assert all(abs(got.count(server) - 10_000) <= 4 * 95 for server in SERVERS)


def test_without_members_there_is_nothing_to_do() -> None:
    balancer = filled([])
    assert balancer.choose((), 1, 0.0) is None
    balancer.fill(SERVERS)
    balancer.fill([])
    assert balancer.choose((), 1, 0.0) is None
    assert not balancer.work()


def test_the_slot_of_the_hash_is_told_and_when_its_server_takes_nobody() -> None:
    row = Row()
    members = [row.server(name=f"s{number}", address=Inet(f"10.0.0.{number}", 80)) for number in range(3)]
    balancer = filled(members)
    own = balancer.choose((), 7, 0.0)
    assert own is not None
    assert balancer.peek(7, 0.0) == (own, "its hash is that of slot 7 in Maglev's table", True)
    assert balancer.passed_over(own, 0.0) == "the hash is another one's"
    own.take()
    own.max_sessions = 1
    outlook = balancer.peek(7, 0.0)
    assert outlook is not None
    assert (outlook.server, outlook.certain) == (balancer.choose((), 7, 0.0), True)
    assert outlook.why == "slot 7 in Maglev's table, that of its hash, has nobody who takes it now"
    assert filled([]).peek(7, 0.0) is None
