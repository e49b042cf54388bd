"""A server that comes back is given its weight little by little."""

import time

from tests.kit import Echo, Start, ask, wait_until

OVER = 4.0
"""Seconds of slow_start."""


def test_a_server_that_comes_back_gets_few_sessions_first_and_its_share_in_the_end(start: Start) -> None:
    with Echo("one") as one:
        two = Echo("two")
        two.close()
        daemon = start(f"""
            [listeners.web]
            bind = "127.0.0.1:0"
            upstream = "web"

            [upstreams.web]
            servers = [{{ address = "{one.address}", name = "one" }}, {{ address = "{two.address}", name = "two" }}]
            check = {{ type = "tcp", interval = "50ms", rise = 1 }}
            slow_start = "{OVER}s"
            max_fails = 0
        """)
        daemon.wait_log("server web/two is down")
        before = time.monotonic()
        with Echo("two", two.address):
            daemon.wait_log("server web/two is up")
            early = []
            while time.monotonic() < before + OVER / 4:  # so it has a quarter of its weight at the most
                early.append(ask(daemon.address()))
            assert early.count("two") <= len(early) * 0.3, "a tenth, and what a weight makes of a few sessions"
            wait_until("its time is over", lambda: time.monotonic() > before + OVER + 0.5)
            assert 18 <= [ask(daemon.address()) for _ in range(40)].count("two") <= 22
