"""The metrics of a running l4d, read from its board: counters never go back, whatever happens, and they add up."""

import os
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from textwrap import dedent
from threading import Event
from typing import TypeAlias

import pytest
from prometheus_client.parser import text_string_to_metric_families

from l4d.stats.health import judge
from l4d.stats.process import processes
from tests.kit import Daemon, Echo, Start, UdpEcho, ask, ask_udp, find_program, free_port, needs, wait_until
from tests.kit.board import BoardOf
from tests.kit.rights import needs_root

pytestmark = needs_root

Series: TypeAlias = tuple[str, tuple[tuple[str, str], ...]]
"""A sample's name and labels."""


def toml(one: Echo, other: UdpEcho) -> str:
    return f"""
        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [listeners.dns]
        bind = "127.0.0.1:0"
        protocol = "udp"
        upstream = "dns"
        idle_timeout = "1s"

        [listeners.nowhere]
        bind = "127.0.0.1:0"
        upstream = "nowhere"

        [upstreams.web]
        servers = [{{ address = "{one.address}", name = "one" }}]
        check = {{ type = "tcp", interval = "100ms" }}

        [upstreams.dns]
        servers = [{{ address = "{other.address}", name = "one" }}]

        [upstreams.nowhere]
        servers = [{{ address = "127.0.0.1:{free_port()}", name = "nobody" }}]
    """


@pytest.fixture
def daemon(start: Start) -> Iterator[Daemon]:
    with Echo("one") as one, UdpEcho("one") as other:
        yield start(toml(one, other))


def counters(board: BoardOf) -> dict[Series, float]:
    """Every number that only grows, the buckets of histograms too."""
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(board.metrics())
        if family.type in {"counter", "histogram"}
        for sample in family.samples
    }


class Watch:
    """Looks again and again, and remembers what went back."""

    def __init__(self, board: BoardOf) -> None:
        self._board = board
        self._over = Event()
        self.looks = 0
        self.went_back: list[str] = []

    def look(self) -> None:
        """Until told that it is over."""
        last: Mapping[Series, float] = {}
        while not self._over.is_set():
            now = counters(self._board)
            for series, value in last.items():
                if now.get(series, 0) < value:
                    self.went_back.append(f"{series} went from {value} to {now.get(series)}")
            last = now
            self.looks += 1

    def end(self) -> None:
        self._over.set()


@contextmanager
def watched(board: BoardOf) -> Iterator[Watch]:
    """While the block runs, every counter is looked at."""
    watch = Watch(board)
    with ThreadPoolExecutor(1) as threads:
        looking = threads.submit(watch.look)
        try:
            yield watch
            before = watch.looks
            wait_until("it was looked once more", lambda: watch.looks > before + 1 or looking.done())
        finally:
            watch.end()
        looking.result()


def some_sessions(daemon: Daemon) -> None:
    for _ in range(10):
        assert ask(daemon.address("web")) == "one"
        assert ask_udp(daemon.address("dns")) == "one"
        with daemon.client("nowhere") as refused:
            assert refused.read_all() == b""


def kill_a_worker(daemon: Daemon) -> None:
    victim = daemon.workers()[0]
    os.kill(victim, signal.SIGKILL)
    wait_until("another worker has its place", lambda: len(daemon.workers()) == 2 and victim not in daemon.workers())


def value(board: BoardOf, name: str, **labels: str) -> float:
    """The sum of the series with these labels."""
    return sum(
        number
        for (sample, found), number in counters(board).items()
        if sample == name and labels.items() <= dict(found).items()
    )


def problems(board: BoardOf) -> list[str]:
    """What is wrong with l4d itself."""
    every = processes(board.numbers.board, board.numbers.columns)
    return list(judge(every, time.monotonic(), {}).problems)


def test_no_counter_goes_back_over_reloads_deaths_and_upgrades(daemon: Daemon) -> None:
    with BoardOf(daemon) as board:
        with watched(board) as watch:
            some_sessions(daemon)
            for change in (Daemon.hand_over, kill_a_worker, Daemon.upgrade, Daemon.hand_over):
                with daemon.client("web") as lives:
                    assert lives.send(b"a\n").read_line() == b"one a\n"
                    change(daemon)
                some_sessions(daemon)
        assert watch.went_back == []
        assert watch.looks > 10
        assert value(board, "l4d_reloads_total", result="success") == 3
        assert value(board, "l4d_reloads_total", result="failure") == 0
        assert value(board, "l4d_process_restarts_total", role="worker") == 1


def test_when_all_is_quiet_the_ends_and_the_durations_are_as_many_as_the_sessions(daemon: Daemon) -> None:
    with BoardOf(daemon) as board:
        some_sessions(daemon)
        daemon.hand_over()
        with daemon.client("web") as lives:
            assert lives.send(b"a\n").read_line() == b"one a\n"
            some_sessions(daemon)
            wait_until("the flows are over", lambda: value(board, "l4d_session_ends_total", listener="dns") == 20)
            for listener, live in (("web", 1), ("dns", 0), ("nowhere", 0)):
                begun, ended, timed = (
                    value(board, f"l4d_{name}", listener=listener)
                    for name in ("sessions_total", "session_ends_total", "session_duration_seconds_count")
                )
                assert begun == ended + live == 20 + live
                assert timed == ended
        assert value(board, "l4d_server_sessions_total", upstream="web") == 21
        assert value(board, "l4d_connect_seconds_count", upstream="web") == 21
        assert value(board, "l4d_connect_seconds_count", upstream="dns") == 20
        assert value(board, "l4d_server_failures_total", upstream="nowhere", reason="refused") >= 20


def test_what_workers_do_is_counted_and_lasts(daemon: Daemon) -> None:
    with BoardOf(daemon) as board:
        some_sessions(daemon)
        wait_until("they had to do", lambda: value(board, "l4d_worker_cpu_seconds_total") > 0)
        turns, used = (value(board, f"l4d_worker_{name}") for name in ("loop_seconds_count", "cpu_seconds_total"))
        assert turns > 60
        daemon.hand_over()
        assert value(board, "l4d_worker_loop_seconds_count") >= turns
        assert value(board, "l4d_worker_cpu_seconds_total") >= used


def test_a_reload_that_fails_is_counted_as_that(daemon: Daemon) -> None:
    with BoardOf(daemon) as board:
        daemon.write("nonsense = 1")
        daemon.signal(signal.SIGHUP)
        daemon.wait_log("the reload failed")
        assert value(board, "l4d_reloads_total", result="failure") == 1
        assert value(board, "l4d_reloads_total", result="success") == 0


def test_a_worker_without_room_is_seen_before_its_clients_complain(start: Start) -> None:
    with Echo("one") as one, UdpEcho("one") as other:
        daemon = start("main.workers = 1\nmain.max_sessions = 1\n" + dedent(toml(one, other)))
        with BoardOf(daemon) as board:
            assert problems(board) == []
            with daemon.client("web") as first:
                assert first.send(b"a\n").read_line() == b"one a\n"
                with daemon.client("web") as second:
                    wait_until("the worker has no room", lambda: problems(board))
                    assert f"(pid {daemon.workers()[0]}) has no room" in problems(board)[0]
                    first.finish()
                    assert second.send(b"b\n").read_line() == b"one b\n"


def test_a_worker_that_is_held_up_is_seen_by_its_heartbeat(daemon: Daemon) -> None:
    with BoardOf(daemon) as board:
        victim = daemon.workers()[0]
        os.kill(victim, signal.SIGSTOP)
        try:
            wait_until("it is missed", lambda: problems(board))
            assert f"(pid {victim}) has not been heard of for" in problems(board)[0]
        finally:
            os.kill(victim, signal.SIGCONT)
        wait_until("it is well again", lambda: not problems(board))


@needs("promtool")
def test_promtool_finds_nothing_to_say_about_a_running_l4d(daemon: Daemon) -> None:
    with BoardOf(daemon) as board:
        some_sessions(daemon)
        promtool = find_program("promtool")
        assert promtool
        text = board.metrics()
    found = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")
    assert 'l4d_server_up{server="one",upstream="web"} 1.0' in text
    assert 'l4d_workers{state="serving"} 2.0' in text
    assert 'l4d_worker_resident_bytes{slot="1"} 0.0' not in text
