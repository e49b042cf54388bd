"""What a worker that was replaced, or that never came to serve, leaves behind: nothing that hurts."""

import os
import signal
from pathlib import Path
from signal import SIGKILL, SIGQUIT, SIGUSR1

from tests.kit import Daemon, Echo, Start, ask, command, free_port, wait_until


def toml(bind: str, server: Echo, log: Path | str = "stderr", more: str = "") -> str:
    return f"""
        [main]
        workers = 1
        {more}

        [log]
        error = "{log}"
        level = "debug"

        [listeners.web]
        bind = "{bind}"
        upstream = "web"

        [upstreams.web]
        servers = ["{server.address}"]
    """


def replace_the_worker(daemon: Daemon, number: int) -> None:
    [old] = daemon.workers()
    os.kill(old, number)
    wait_until("another worker has its place", lambda: daemon.workers() not in ([], [old]))


def test_a_worker_born_after_the_log_was_reopened_writes_to_the_new_file(start: Start, tmp_path: Path) -> None:
    log = tmp_path / "l4d.log"
    with Echo("one") as one:
        daemon = start(toml("127.0.0.1:0", one, log))
        address = daemon.address()
        log.rename(tmp_path / "l4d.log.1")
        daemon.signal(SIGUSR1)
        wait_until("the log is reopened", lambda: log.exists() and "reopened" in log.read_text())
        replace_the_worker(daemon, SIGKILL)
        assert [ask(address) for _ in range(5)] == ["one"] * 5
        wait_until("the new worker's lines are there", lambda: log.read_text().count("end=--") == 5)
        assert "exited with status" not in log.read_text()


def test_a_worker_killed_by_a_signal_without_a_name_is_replaced(start: Start) -> None:
    with Echo("one") as one:
        daemon = start(toml("127.0.0.1:0", one))
        replace_the_worker(daemon, signal.SIGRTMIN + 1)
        assert ask(daemon.address()) == "one"
        daemon.wait_log(f"was killed by signal {signal.SIGRTMIN + 1}")


def test_a_worker_does_not_heed_the_quit_of_a_terminal(start: Start) -> None:
    with Echo("one") as one:
        daemon = start(toml("127.0.0.1:0", one))
        [worker] = daemon.workers()
        with daemon.client() as client:
            os.kill(worker, SIGQUIT)
            assert client.send(b"?\n").read_line() == b"one ?\n"
            assert ask(daemon.address()) == "one"
        assert daemon.workers() == [worker]


def test_a_check_takes_an_address_for_fine_that_overlaps_with_one_being_served(start: Start) -> None:
    port = free_port()
    with Echo("one") as one:
        daemon = start(toml(f"127.0.0.1:{port}", one))
        daemon.write(toml(f"0.0.0.0:{port}", one))
        outcome = command("-t", "-c", daemon.config)
        assert outcome.returncode == 0, outcome.stderr
        daemon.reload()
        assert ask(daemon.address()) == "one"


def test_a_server_without_a_port_is_logged_with_the_port_it_was_dialled_on(start: Start) -> None:
    with Echo("one") as one:
        port = str(one.address).rpartition(":")[2]
        daemon = start(
            f"""
            [log]
            level = "debug"

            [listeners.web]
            bind = ["127.0.0.2:{port}", "127.0.0.3:{free_port()}"]
            upstream = "web"

            [upstreams.web]
            servers = ["127.0.0.1"]
        """
        )
        assert ask(daemon.addresses("web")[0]) == "one"
        daemon.wait_log(f"-> web/127.0.0.1 127.0.0.1:{port} ")
