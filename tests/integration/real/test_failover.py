"""A pair of PostgreSQL servers: sessions go to the primary, and after a failover to the new one."""

import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from signal import SIGCONT, SIGSTOP

import pytest

from l4d.address import Address
from tests.kit import Daemon, Start, find_program, needs, wait_until
from tests.kit.programs import run
from tests.kit.servers import PostgreSQL, conninfo

pytestmark = needs("postgres", "initdb", "pg_basebackup", "pg_ctl", "psql")

INTERVAL = 0.5
FALL = 3
TIMEOUT = 0.5


@pytest.fixture
def pair() -> Iterator[tuple[PostgreSQL, PostgreSQL]]:
    with PostgreSQL() as primary, PostgreSQL(primary) as replica:
        yield primary, replica


def config(primary: PostgreSQL, replica: PostgreSQL) -> str:
    servers = f"""[
        {{ address = "{primary.address}", name = "one" }},
        {{ address = "{replica.address}", name = "two" }},
    ]"""
    check = f'type = "postgres", user = "postgres", interval = {INTERVAL}, timeout = {TIMEOUT}, fall = {FALL}'
    return f"""
        [log]
        level = "debug"

        [listeners.primary]
        bind = "127.0.0.1:0"
        upstream = "primary"

        [upstreams.primary]
        servers = {servers}
        check = {{ {check}, role = "primary" }}
        on_down = "close"

        [listeners.replica]
        bind = "127.0.0.1:0"
        upstream = "replica"

        [upstreams.replica]
        servers = {servers}
        check = {{ {check}, role = "replica" }}
    """


def port_behind(address: Address) -> str:
    """The port of the server that a new session comes to; "": none takes it."""
    try:
        return run("psql", "-XAtc", "select inet_server_port()", conninfo(address), timeout=20).strip()
    except AssertionError:
        return ""


def comes_to(daemon: Daemon, listener: str, server: PostgreSQL) -> None:
    where = str(server.port)
    wait_until(f"{listener} is {where}", lambda: port_behind(daemon.address(listener)) == where, 20)


def test_new_sessions_go_to_the_new_primary_and_the_old_ones_end(
    start: Start, pair: tuple[PostgreSQL, PostgreSQL]
) -> None:
    one, two = pair
    daemon = start(config(one, two))
    comes_to(daemon, "primary", one)
    comes_to(daemon, "replica", two)
    assert {port_behind(daemon.address("primary")) for _ in range(5)} == {str(one.port)}
    assert {port_behind(daemon.address("replica")) for _ in range(5)} == {str(two.port)}
    with ThreadPoolExecutor(1) as pool:
        session = pool.submit(sleep_behind, daemon.address("primary"))
        wait_until("the long session is there", lambda: sleepers(one) == 1)
        one.signal(SIGSTOP)  # it hangs: its old sessions live, and nobody new is answered
        two.promote()
        began = time.monotonic()
        comes_to(daemon, "primary", two)
        took = time.monotonic() - began
        assert session.result() != 0, "the old session is ended; it could have written to what is no primary any more"
        one.signal(SIGCONT)
    assert took < (INTERVAL + TIMEOUT) * FALL + 1 + 2, "and 2 s for what psql and a busy machine take"
    daemon.wait_log("server primary/one is down: 3 checks failed, the last: ")
    daemon.wait_log("server primary/two is up: is a primary")
    daemon.wait_log("server replica/two is down: is a primary")
    daemon.wait_log("end=SK server went down")


def sleep_behind(address: Address) -> int:
    """A session that would last a minute: the exit status of its client."""
    line = [find_program("psql") or "psql", "-XAtc", "select pg_sleep(60)", conninfo(address)]
    return subprocess.run(line, capture_output=True, check=False, timeout=60).returncode


def sleepers(server: PostgreSQL) -> int:
    asked = "select count(*) from pg_stat_activity where query like '%pg_sleep(60)%' and pid <> pg_backend_pid()"
    return int(run("psql", "-XAtc", asked, conninfo(server.address)))
