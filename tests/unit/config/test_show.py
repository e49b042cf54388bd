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
handover = true

[log]
level = "info"
error = "stderr"
access = "off"
format = "text"

[admin]
socket = ""
socket_mode = "0600"
listen = ""
allow = [
    "127.0.0.0/8",
    "::1/128",
]

[resolver]
nameservers = []
timeout = "2s"
min_ttl = "1s"
max_ttl = "1m"

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
access_log = ""

[upstreams.web]
servers = [{ address = "10.0.0.1:80", name = "10.0.0.1:80", weight = 1, max_sessions = 0, backup = false, \
state = "ready" }]
balance = "round_robin"
connect_timeout = "5s"
tries = 0
tries_timeout = "30s"
max_fails = 3
fail_timeout = "10s"
early_close = "0"
slow_start = "0"
on_down = "keep"
queue = 0
queue_timeout = "10s"
check = "off"
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
servers = [
    "10.0.0.1:1", "::1:1", "unix:/run/y", "DB.example:5", { srv = "_a._tcp.example", max_sessions = 7 },
    { address = "10.0.0.2:1", name = "two", weight = 3, backup = true },
]
check = "tcp"
on_down = "close"
[upstreams.v]
servers = ["[fe80::1%eth0]:53"]
early_close = 0.0005
balance = "hash"
hash_key = "listener_port + client"
[upstreams.v.check]
type = "udp"
send_hex = "00FF"
expect = "a\\u0000\\\\d"
[resolver]
nameservers = "9.9.9.9"
"""


def test_every_key_is_shown_with_its_default(tmp_path: Path) -> None:
    assert show(loaded(tmp_path, SERVED)) == SHOWN


def test_what_is_shown_reads_back_as_equal(tmp_path: Path) -> None:
    text = EVERYTHING.replace("::1:1", "[::1]:1")
    config = loaded(tmp_path, text)
    shown = show(config)
    assert '[listeners."a.b"]' in shown
    assert '\nhash_key = "listener_port+client"\n' in shown
    assert '\nnameservers = ["9.9.9.9:53"]\n' in shown
    assert '{ srv = "_a._tcp.example", name = "_a._tcp.example", weight = 1, max_sessions = 7, ' in shown
    assert 'address = "db.example:5", name = "DB.example:5"' in shown
    assert 'keepalive = { idle = "1m", interval = "0", count = 0 }' in shown
    assert replace(loaded(tmp_path, shown), files=()) == replace(config, files=())


HTTP = """
[upstreams.web.check]
type = "http"
interval = "2s"
timeout = "1s"
fall = 3
rise = 2
port = 8080
path = "/healthz"
host = ""
method = "GET"
status = [
    "200",
    "301-399",
]
body = ""
tls = false
verify = true
server_name = ""
ca_file = ""
"""


def test_a_check_is_shown_under_its_own_header_with_the_keys_of_its_type(tmp_path: Path) -> None:
    check = 'check = { type = "http", path = "/healthz", port = 8080, status = [200, "301-399"] }\n'
    shown = show(loaded(tmp_path, SERVED + check))
    assert shown.endswith('\nqueue_timeout = "10s"\nsource = ""\n' + HTTP)
    assert show(loaded(tmp_path, shown)) == shown


def test_a_check_that_is_off_is_a_word_whatever_it_had(tmp_path: Path) -> None:
    shown = show(loaded(tmp_path, SERVED + 'check = { type = "off", path = "/healthz" }\n'))
    assert '\ncheck = "off"\n' in shown
    assert "healthz" not in shown


def test_the_keys_of_another_balance_are_not_shown(tmp_path: Path) -> None:
    shown = {
        balance: show(loaded(tmp_path, f'{SERVED}balance = "{balance}"\n'))
        for balance in ("hash", "first", "least_time")
    }
    assert {name for name, text in shown.items() if "\nhash_key = " in text} == {"hash"}
    assert {name for name, text in shown.items() if "\nslow_start = " in text} == {"least_time"}


def test_a_server_without_a_port_is_shown_without(tmp_path: Path) -> None:
    text = SERVED.replace(":80", ":80-81", 1).replace("10.0.0.1:80", "10.0.0.1")
    assert 'address = "10.0.0.1", name' in show(loaded(tmp_path, text))


def test_two_elements_of_a_list_are_two_lines(tmp_path: Path) -> None:
    text = SERVED.replace('"127.0.0.1:80"', '["127.0.0.1:80", "127.0.0.1:81"]')
    assert 'bind = [\n    "127.0.0.1:80",\n    "127.0.0.1:81",\n]\n' in show(loaded(tmp_path, text))
