"""What checks cost: little time, and no more descriptors than there are."""

import time
from contextlib import ExitStack

from l4d.address import Inet
from tests.integration.test_checks import control
from tests.kit import Echo, Server, Start, ask, descriptors, wait_until
from tests.kit.measure import cpu_seconds
from tests.kit.programs import port_of


def config(addresses: list[str], check: str, more: str = "") -> str:
    listed = ", ".join(f'"{address}"' for address in addresses)
    return f"""
        [main]
        workers = 1
        rlimit_nofile = 64

        [log]
        level = "debug"

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [upstreams.web]
        servers = [{listed}]
        check = {{ type = "tcp", {check} }}
        {more}
    """


def test_ten_servers_checked_every_other_second_cost_next_to_nothing(start: Start) -> None:
    with ExitStack() as stack:
        servers = [stack.enter_context(Echo()) for _ in range(10)]
        daemon = start(config([str(server.address) for server in servers], 'interval = "2s"'))
        wait_until("all were asked", lambda: all(server.served for server in servers))
        pids = [daemon.pid, control(daemon), *daemon.workers()]
        before, began = [cpu_seconds(pid) for pid in pids], time.monotonic()
        wait_until("all were asked again", lambda: all(server.served > 1 for server in servers))
        took = time.monotonic() - began
        spent = [after - earlier for after, earlier in zip(map(cpu_seconds, pids), before, strict=True)]
        assert took > 1
        assert sum(spent) < 0.1 + 0.03 * took, f"{spent} s of {took:.1f} s"


SLOW = """
        [upstreams.slow]
        servers = [{}]
        check = {{ type = "redis", interval = "2s", timeout = "1s" }}

        [listeners.slow]
        bind = "127.0.0.1:0"
        upstream = "slow"
"""


def test_servers_that_l4d_has_no_descriptors_for_are_neither_down_nor_forgotten(start: Start) -> None:
    """Checks of mute servers take all there are, for half of the time; 300 others are well, and each has its turn."""
    everywhere = Inet("0.0.0.0", 0)
    hosts = [f"127.0.{number >> 8}.{number & 255}" for number in range(10, 310)]
    with Echo("one", everywhere) as one, Server(everywhere, backlog=1000) as mute:
        well = [f"{host}:{port_of(one.address)}" for host in hosts]
        slow = ", ".join(f'"{host}:{port_of(mute.address)}"' for host in hosts[:70])
        daemon = start(config(well, 'interval = "10s"', SLOW.format(slow)))
        pid = wait_until("there is a control process", lambda: control(daemon))
        daemon.wait_log("checks of slow have to wait, what was known holds: too many open files")
        for address in well:
            daemon.wait_log(f"server web/{address} is up")
        assert not [line for line in daemon.log().splitlines() if "server web" in line and "is down" in line]
        assert daemon.log().count("checks of slow have to wait") == 1
        assert ask(daemon.address("web")) == "one"
        assert control(daemon) == pid
        mute.close()
        wait_until("those of all checks are given back", lambda: descriptors(pid) < 20)
