"""PostgreSQL and its own clients."""

import filecmp
import re
from pathlib import Path

import pytest

from tests.kit import Daemon, Start, descriptors, is_alive, needs, wait_until
from tests.kit.programs import Running, run
from tests.kit.servers import PostgreSQL, conninfo

pytestmark = needs("initdb", "postgres", "psql", "pgbench")

ROWS = 300_000
CLIENTS = 8

FAILED = re.compile("number of failed transactions: [1-9]")
"""pgbench before PostgreSQL 15 knows of failure only as its own end with a bad status."""


@pytest.fixture
def daemon(start: Start, postgresql: PostgreSQL) -> Daemon:
    """l4d in front of PostgreSQL."""
    return start(f"""
        [listeners.postgres]
        bind = "127.0.0.1:0"
        upstream = "postgres"

        [upstreams.postgres]
        servers = ["{postgresql.address}"]
    """)


@pytest.fixture
def tables(postgresql: PostgreSQL) -> None:
    """What pgbench works on."""
    run("pgbench", "--initialize", "--quiet", "--scale", 1, conninfo(postgresql.address))


@pytest.mark.usefixtures("tables")
def test_pgbench_runs_without_a_failed_transaction(daemon: Daemon) -> None:
    before = [descriptors(pid) for pid in daemon.workers()]
    report = run("pgbench", "-n", "-c", CLIENTS, "-j", 2, "-T", 5, conninfo(daemon.address()))
    assert _transactions(report) > CLIENTS
    assert not FAILED.search(report)
    wait_until("descriptors are given back", lambda: [descriptors(pid) for pid in daemon.workers()] == before)


def test_rows_copied_out_and_in_are_the_same_rows(daemon: Daemon, postgresql: PostgreSQL, tmp_path: Path) -> None:
    _psql(
        postgresql,
        "drop table if exists original, copy",
        "create table original as select i, md5(i::text), repeat(chr(33 + i % 90), i % 50)"
        f" from generate_series(1, {ROWS}) i",
        "create table copy (like original)",
    )
    there, back, expected = tmp_path / "there", tmp_path / "back", tmp_path / "expected"

    _psql(daemon, f"\\copy (select * from original order by i) to '{there}'")
    _psql(daemon, f"\\copy copy from '{there}'")
    _psql(daemon, f"\\copy (select * from copy order by i) to '{back}'")

    _psql(postgresql, f"\\copy (select * from original order by i) to '{expected}'")
    assert filecmp.cmp(there, expected, shallow=False)
    assert filecmp.cmp(back, expected, shallow=False)
    everything = "select count(*), md5(string_agg(t::text, '' order by i)) from {} t"
    inserted = _psql(daemon, everything.format("copy"))
    assert inserted == _psql(postgresql, everything.format("original"))
    assert inserted.startswith(f"{ROWS}|")


@pytest.mark.usefixtures("tables")
def test_a_reload_leaves_running_transactions_alone(daemon: Daemon, tmp_path: Path) -> None:
    with Running(tmp_path, "pgbench", "-n", "-c", CLIENTS, "-T", 4, "-P", 1, conninfo(daemon.address())) as pgbench:
        wait_until("pgbench is at work", lambda: "progress: 1" in pgbench.output())
        old = daemon.workers()
        daemon.reload()
        wait_until("others take the clients", lambda: not set(old) & set(daemon.workers()))
        assert not pgbench.has_ended()
        report = pgbench.finish()
    assert not FAILED.search(report)
    wait_until("the old workers have left", lambda: not any(map(is_alive, old)))


@pytest.mark.usefixtures("tables")
def test_those_who_connect_again_and_again_do_not_notice_reloads(daemon: Daemon, tmp_path: Path) -> None:
    by_connection = ("pgbench", "-n", "-S", "-C", "-c", CLIENTS, "-T", 4, "-P", 1)
    with Running(tmp_path, *by_connection, conninfo(daemon.address())) as pgbench:
        wait_until("pgbench is at work", lambda: "progress: 1" in pgbench.output())
        for _ in range(3):
            daemon.reload()
        assert not pgbench.has_ended()
        report = pgbench.finish()
    assert not FAILED.search(report)


def _psql(server: Daemon | PostgreSQL, *commands: str) -> str:
    """What psql prints, columns parted by "|"."""
    address = server.address() if isinstance(server, Daemon) else server.address
    asked = [word for command in commands for word in ("-c", command)]
    return run("psql", "-X", "-q", "-A", "-t", "-v", "ON_ERROR_STOP=1", *asked, conninfo(address))


def _transactions(report: str) -> int:
    _, _, rest = report.partition("number of transactions actually processed: ")
    return int(rest.split()[0].partition("/")[0])
