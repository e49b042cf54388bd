"""The effective configuration as TOML."""

from dataclasses import replace
from pathlib import Path

from l4d.config.show import show
from tests.unit.config.helpers import SERVED, loaded

SHOWN = """\
[main]
workers = "auto"
user = ""
group = ""
pid_file = ""
max_sessions = 0
rlimit_nofile = 0
cpu_affinity = "off"
drain_timeout = "30s"

[log]
level = "info"
error = "stderr"

[listeners.web]
bind = ["127.0.0.1:80"]
protocol = "tcp"
upstream = "web"
idle_timeout = "10m"
half_close = true
half_close_timeout = "1m"
max_session_time = "0"
backlog = 4096
keepalive = true
user_timeout = "0"
fast_open = false
defer_accept = false
relay = "auto"
receive_buffer = "0"
send_buffer = "0"

[upstreams.web]
servers = [{ address = "10.0.0.1:80", name = "10.0.0.1:80", weight = 1, backup = false, state = "ready" }]
balance = "round_robin"
connect_timeout = "5s"
tries = 0
tries_timeout = "30s"
max_fails = 3
fail_timeout = "10s"
early_close = "0"
source = ""
"""

EVERYTHING = """
[listeners."a.b"]
bind = ["*:5000-5001", "unix:/run/x"]
upstream = "u"
keepalive = { idle = "60s" }
[listeners.udp]
bind = "[::1]:53"
protocol = "udp"
upstream = "v"
responses = 1
[upstreams.u]
servers = ["10.0.0.1:1", "::1:1", "unix:/run/y", { address = "10.0.0.2:1", name = "two", weight = 3, backup = true }]
[upstreams.v]
servers = ["[fe80::1%eth0]:53"]
early_close = 0.0005
"""


def test_every_key_is_shown_with_its_default(tmp_path: Path) -> None:
    assert show(loaded(tmp_path, SERVED)) == SHOWN


def test_what_is_shown_reads_back_as_equal(tmp_path: Path) -> None:
    text = EVERYTHING.replace("::1:1", "[::1]:1")
    config = loaded(tmp_path, text)
    shown = show(config)
    assert '[listeners."a.b"]' in shown
    assert 'keepalive = { idle = "1m", interval = "0", count = 0 }' in shown
    assert replace(loaded(tmp_path, shown), files=()) == replace(config, files=())


def test_a_server_without_a_port_is_shown_without(tmp_path: Path) -> None:
    text = SERVED.replace(":80", ":80-81", 1).replace("10.0.0.1:80", "10.0.0.1")
    assert 'address = "10.0.0.1", name' in show(loaded(tmp_path, text))


def test_two_elements_of_a_list_are_two_lines(tmp_path: Path) -> None:
    text = SERVED.replace('"127.0.0.1:80"', '["127.0.0.1:80", "127.0.0.1:81"]')
    assert 'bind = [\n    "127.0.0.1:80",\n    "127.0.0.1:81",\n]\n' in show(loaded(tmp_path, text))
