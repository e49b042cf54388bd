"""Redis, its benchmark and its client."""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kit import Daemon, Start, descriptors, needs, wait_until
from tests.kit.programs import LOOPBACK, port_of, run
from tests.kit.servers import Redis

pytestmark = needs("redis-server", "redis-cli", "redis-benchmark")

LARGE = 8 << 20


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    with Redis(tmp_path) as redis:
        yield redis


@pytest.fixture
def daemon(start: Start, redis: Redis) -> Daemon:
    """l4d in front of Redis."""
    return start(f"""
        [listeners.redis]
        bind = "127.0.0.1:0"
        upstream = "redis"

        [upstreams.redis]
        servers = ["{redis.address}"]
    """)


def test_pipelined_commands_are_all_answered(daemon: Daemon, redis: Redis) -> None:
    before = [descriptors(pid) for pid in daemon.workers()]
    load = ("-n", 100_000, "-c", 20, "-P", 16, "-t", "set,get,lpush,incr", "--csv")
    report = run("redis-benchmark", "-h", LOOPBACK, "-p", port_of(daemon.address()), *load)
    assert [line.split(",")[0] for line in report.splitlines()[1:]] == ['"SET"', '"GET"', '"INCR"', '"LPUSH"']
    assert run("redis-cli", "-p", redis.port, "llen", "mylist") == "100000\n"
    wait_until("descriptors are given back", lambda: [descriptors(pid) for pid in daemon.workers()] == before)


def test_a_large_value_comes_back_as_it_was_set(daemon: Daemon) -> None:
    value = random.Random(2).randbytes(LARGE // 2).hex()
    client = ("redis-cli", "-p", port_of(daemon.address()))
    assert run(*client, "-x", "set", "large", stdin=value) == "OK\n"
    assert run(*client, "strlen", "large") == f"{LARGE}\n"
    assert run(*client, "--raw", "get", "large") == value + "\n"
