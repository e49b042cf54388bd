"""Checks decide who is given sessions: a server goes down, comes back, and everybody knows, whatever dies meanwhile."""

import os
import time
from functools import partial
from pathlib import Path
from signal import SIGKILL

from l4d.address import Address
from tests.kit import Daemon, Echo, Start, UdpClient, UdpEcho, ask, is_alive, wait_until
from tests.kit.awkward import FullServer
from tests.kit.processes import children, title
from tests.kit.programs import port_of

QUICK = 'check = { type = "tcp", interval = "100ms", timeout = "1s", fall = 2, rise = 2 }'


def config(one: Address, two: Address, more: str = "", check: str = QUICK) -> str:
    return f"""
        [log]
        level = "debug"

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [upstreams.web]
        servers = [{{ address = "{one}", name = "one" }}, {{ address = "{two}", name = "two" }}]
        {check}
        {more}
    """


def control(daemon: Daemon) -> int:
    """The pid of the control process; 0: there is none."""
    found = [pid for pid in children(daemon.pid) if title(pid) == "l4d: control process"]
    return found[0] if found else 0


def answers(daemon: Daemon, times: int = 10) -> set[str]:
    return {ask(daemon.address("web")) for _ in range(times)}


def answered(client: UdpClient) -> bool:
    try:
        return client.send(b"b").receive().endswith(b" b")
    except TimeoutError:
        return False


def has_died(pid: int) -> bool:
    return not is_alive(pid)


def closes(daemon: Daemon) -> bool:
    """Whether a client is closed without a word."""
    with daemon.client() as client:
        return client.read_all() == b""


def answer_all(daemon: Daemon, *names: str) -> bool:
    wait_until(f"{names} answer", lambda: answers(daemon) == set(names))
    return True


def test_a_server_that_fails_its_checks_is_given_nothing_and_comes_back_when_they_are_good(start: Start) -> None:
    with Echo("one") as one:
        two = Echo("two")
        daemon = start(config(one.address, two.address, "max_fails = 0"))
        daemon.wait_log("server web/two is up: the check was good")
        assert answer_all(daemon, "one", "two")
        two.close()
        daemon.wait_log("server web/two is down: 2 checks failed, the last: connection refused")
        failures = daemon.log().count("dialling")
        assert answers(daemon, 20) == {"one"}
        assert daemon.log().count("dialling") == failures, "nobody dials a server that is known to be down"
        with Echo("two", two.address):
            daemon.wait_log("server web/two is up: 2 checks were good")
            assert answer_all(daemon, "one", "two")
        assert daemon.log().count("is down") == 1, "a change of state is one line"


def test_when_every_server_is_down_the_client_is_closed_at_once(start: Start) -> None:
    one, two = Echo("one"), Echo("two")
    daemon = start(config(one.address, two.address))
    one.close()
    two.close()
    daemon.wait_log("is down", times=2)
    wait_until("clients are told at once", lambda: closes(daemon) and "end=PC no server is up" in daemon.log())


def test_the_first_check_decides_at_once(start: Start) -> None:
    with Echo("one") as one:
        two = Echo("two")
        two.close()
        check = 'check = { type = "tcp", interval = "1h", fall = 9 }'
        daemon = start(config(one.address, two.address, check=check))
        daemon.wait_log("server web/two is down: the check failed: connection refused")


def test_sessions_of_a_server_that_goes_down_go_on_unless_told_otherwise(start: Start) -> None:
    with Echo("one") as one, Echo("two") as two, Echo() as asked:
        check = f'check = {{ type = "tcp", interval = "100ms", port = {port_of(asked.address)}, fall = 1, rise = 1 }}'
        daemon = start(config(one.address, two.address, check=check))
        with daemon.client() as client:
            client.send(b"a\n").read_line()
            asked.close()
            daemon.wait_log("is down", times=2)
            assert client.send(b"b\n").read_line().endswith(b"b\n")


def test_sessions_of_a_server_that_goes_down_are_closed_where_that_is_wanted(start: Start) -> None:
    with Echo("one") as one, Echo("two") as two, Echo() as asked:
        daemon = start(f"""
            [log]
            level = "debug"

            [listeners.web]
            bind = "127.0.0.1:0"
            upstream = "web"

            [upstreams.web]
            servers = [{{ address = "{one.address}", name = "one" }}]
            check = {{ type = "tcp", interval = "100ms", port = {port_of(asked.address)}, fall = 1, rise = 1 }}
            on_down = "close"

            [listeners.other]
            bind = "127.0.0.1:0"
            upstream = "other"

            [upstreams.other]
            servers = [{{ address = "{two.address}", name = "two" }}]
        """)
        clients = [daemon.client("web") for _ in range(250)]
        with daemon.client("other") as other:
            for client in (*clients, other):
                client.send(b"a\n").read_line()
            asked.close()
            for client in clients:
                with client:
                    client.read_all()
            daemon.wait_log("end=SK server went down", times=250)
            assert other.send(b"b\n").read_line() == b"two b\n"


def test_a_server_that_went_down_while_it_was_dialled_is_not_given_the_session(start: Start, tmp_path: Path) -> None:
    well = tmp_path / "slow is well"
    well.touch()
    with FullServer() as slow, Echo("two") as two:
        daemon = start(f"""
            [log]
            level = "debug"

            [listeners.web]
            bind = "127.0.0.1:0"
            upstream = "web"

            [upstreams.web]
            servers = [
                {{ address = "{slow.address}", name = "slow" }},
                {{ address = "{two.address}", name = "two", backup = true }},
            ]
            connect_timeout = "1m"
            tries_timeout = "1m"
            on_down = "close"

            [upstreams.web.check]
            type = "exec"
            command = ["/bin/sh", "-c", "test $L4D_SERVER = two || test -e '{well}'"]
            interval = "100ms"
            fall = 1
        """)
        daemon.wait_log("server web/slow is up")
        before = dials(slow.address)
        with daemon.client() as client:
            client.send(b"a\n")
            wait_until("it is dialled", lambda: dials(slow.address) > before)
            well.unlink()
            daemon.wait_log("server web/slow is down: the check failed: exited with status 1")
            slow.make_room()  # so that it answers
            assert client.read_line() == b"two a\n"
        daemon.wait_log("-> web/two")
        assert "SK" not in daemon.log()


def dials(address: Address) -> int:
    """How many wait for the answer of *address*: those in SYN_SENT (proc_net_tcp(5))."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text("utf-8").splitlines()]
    return len([row for row in rows if row[2].endswith(f":{port_of(address):04X}") and row[3] == "02"])


def test_udp_flows_of_a_server_that_goes_down_are_closed_and_the_next_datagram_begins_another(start: Start) -> None:
    with UdpEcho("one") as one, UdpEcho("two") as two, Echo() as asked:
        daemon = start(f"""
            [log]
            level = "debug"

            [listeners.dns]
            bind = "127.0.0.1:0"
            protocol = "udp"
            upstream = "dns"

            [upstreams.dns]
            servers = [
                {{ address = "{one.address}", name = "one" }},
                {{ address = "{two.address}", name = "two", backup = true }},
            ]
            check = {{ type = "tcp", interval = "100ms", port = {port_of(asked.address)}, fall = 1, rise = 1 }}
            on_down = "close"
        """)
        with daemon.udp_client() as client:
            assert client.send(b"a").receive() == b"one a"
            asked.close()
            daemon.wait_log("end=SK server went down")
            with Echo("", asked.address):
                client.socket.settimeout(0.3)
                wait_until("the same client has a new flow", lambda: answered(client))


def test_if_control_dies_traffic_goes_on_and_what_was_known_is_known(start: Start) -> None:
    with Echo("one") as one:
        two = Echo("two")
        two.close()
        daemon = start(config(one.address, two.address))
        daemon.wait_log("server web/two is down")
        with daemon.client() as client:
            client.send(b"a\n").read_line()
            first = control(daemon)
            os.kill(first, SIGKILL)
            began = time.monotonic()
            second = wait_until("there is another control process", lambda: control(daemon) not in {0, first})
            assert second
            assert time.monotonic() - began < 3, "within a second, and a busy machine's share"
            assert client.send(b"b\n").read_line() == b"one b\n"
            assert answer_all(daemon, "one")
        with Echo("two", two.address):
            daemon.wait_log("server web/two is up")
            assert answer_all(daemon, "one", "two")
        assert daemon.log().count("is down") == 1, "it was down all the time"


def test_control_that_dies_again_and_again_is_replaced_and_harms_nobody(start: Start) -> None:
    with Echo("one") as one, Echo("two") as two:
        daemon = start(config(one.address, two.address))
        for _ in range(4):
            pid = wait_until("there is a control process", lambda: control(daemon))
            os.kill(pid, SIGKILL)
            wait_until("it is gone", partial(has_died, pid))
            assert answer_all(daemon, "one", "two")
        wait_until("there is a control process", lambda: control(daemon))


def test_a_reload_keeps_what_is_known_and_there_is_one_control_process(start: Start) -> None:
    with Echo("one") as one:
        two = Echo("two")
        two.close()
        text = config(one.address, two.address)
        daemon = start(text)
        daemon.wait_log("server web/two is down")
        for _ in range(3):
            daemon.reload(text)
            assert answer_all(daemon, "one")
        with Echo("two", two.address):
            daemon.wait_log("server web/two is up")
        wait_until("one control process is left", lambda: len(controls(daemon)) == 1)


def test_a_reload_that_takes_the_checks_away_takes_their_verdicts_with_it(start: Start) -> None:
    with Echo("one") as one:
        two = Echo("two")
        two.close()
        daemon = start(config(one.address, two.address))
        daemon.wait_log("server web/two is down")
        daemon.reload(config(one.address, two.address, check=""))
        wait_until("no control process is needed", lambda: not controls(daemon))
        with Echo("two", two.address):
            wait_until("two is asked", lambda: "two" in answers(daemon))


def test_a_server_in_maint_is_not_checked(start: Start) -> None:
    with Echo("one") as one, Echo("two") as two:
        daemon = start(f"""
            [listeners.web]
            bind = "127.0.0.1:0"
            upstream = "web"

            [upstreams.web]
            servers = [
                {{ address = "{one.address}", name = "one" }},
                {{ address = "{two.address}", name = "two", state = "maint" }},
            ]
            {QUICK}
        """)
        wait_until("the other one is checked", lambda: one.served > 3)
        assert two.served == 0
        assert answer_all(daemon, "one")


def test_an_l4d_without_checks_and_names_has_no_control_process(daemon: Daemon) -> None:
    assert controls(daemon) == []


def controls(daemon: Daemon) -> list[int]:
    return [pid for pid in children(daemon.pid) if title(pid) == "l4d: control process"]
