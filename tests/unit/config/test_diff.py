"""What differs between two effective configurations."""

from pathlib import Path
from typing import Any

from l4d.config.diff import Change, Kind, compare
from l4d.config.show import show
from l4d.config.toml import parse
from tests.unit.config.helpers import loaded

BEFORE = """
[listeners.pg]
bind = "127.0.0.1:5000"
upstream = "pg"
[upstreams.pg]
servers = [
    { name = "one", address = "10.0.0.1:1" },
    { name = "two", address = "10.0.0.2:1", weight = 2 },
    { name = "three", address = "10.0.0.3:1" },
]
check = "tcp"
"""


def differences(after: str, before: str = BEFORE, *, folder: Path) -> list[Change]:
    documents = [parse(show(loaded(folder, text))) for text in (before, after)]
    return compare(*documents)


def said(after: str, tmp_path: Path, before: str = BEFORE) -> list[str]:
    return [f"{change.key}: {change.words}" for change in differences(after, before, folder=tmp_path)]


def test_the_same_is_no_difference(tmp_path: Path) -> None:
    assert said(BEFORE, tmp_path) == []


def test_keys_are_told_with_both_values(tmp_path: Path) -> None:
    after = "main.workers = 3\n" + BEFORE.replace('upstream = "pg"', 'upstream = "pg"\nidle_timeout = "5m"')
    assert said(after, tmp_path) == ['main.workers: "auto" -> 3', 'listeners.pg.idle_timeout: "10m" -> "5m"']


def test_servers_are_known_by_name(tmp_path: Path) -> None:
    after = BEFORE.replace('{ name = "one", address = "10.0.0.1:1" },', "").replace("weight = 2", "weight = 5")
    after = after.replace('"10.0.0.3:1" },', '"10.0.0.3:1" }, "10.0.0.4:1",')
    assert said(after, tmp_path) == [
        "upstreams.pg.servers.two.weight: 2 -> 5",
        'upstreams.pg.servers."10.0.0.4:1": added',
        "upstreams.pg.servers.one: removed",
    ]


def test_another_order_of_servers_is_one_difference(tmp_path: Path) -> None:
    after = BEFORE.replace('"one"', '"x"').replace('"two"', '"one"').replace('"x"', '"two"')
    after = after.replace("10.0.0.1", "y").replace("10.0.0.2", "10.0.0.1").replace("y", "10.0.0.2")
    after = after.replace(":1, weight = 2", ":1").replace(", weight = 2", "").replace('0.2:1"', '0.2:1", weight = 2')
    assert said(after, tmp_path) == ["upstreams.pg.servers: in another order"]


def test_listeners_and_upstreams_come_and_go(tmp_path: Path) -> None:
    after = (
        BEFORE.replace("listeners.pg", "listeners.new").replace('"pg"', '"db"').replace("upstreams.pg", "upstreams.db")
    )
    assert said(after, tmp_path) == [
        "listeners.new: added",
        "listeners.pg: removed",
        "upstreams.db: added",
        "upstreams.pg: removed",
    ]


def test_keys_within_a_check_are_told_one_by_one(tmp_path: Path) -> None:
    after = BEFORE.replace('check = "tcp"', 'check = { type = "tcp", interval = "5s" }')
    assert said(after, tmp_path) == ['upstreams.pg.check.interval: "2s" -> "5s"']
    off = BEFORE.replace('check = "tcp"', 'check = "off"')
    assert [change.split(":")[0] for change in said(off, tmp_path)] == ["upstreams.pg.check"]


def test_a_key_that_comes_with_another_is_told_and_one_that_goes_is_not(tmp_path: Path) -> None:
    hashed = BEFORE + 'balance = "hash"\n'
    assert said(hashed, tmp_path) == [
        'upstreams.pg.balance: "round_robin" -> "hash"',
        'upstreams.pg.hash_key: "client", added',
    ]


def test_another_protocol_is_one_difference(tmp_path: Path) -> None:
    after = BEFORE.replace('upstream = "pg"', 'upstream = "pg"\nprotocol = "udp"\nidle_timeout = "10m"')
    assert said(after, tmp_path) == ['listeners.pg.protocol: "tcp" -> "udp"']


def test_a_long_value_is_cut(tmp_path: Path) -> None:
    binds = ", ".join(f'"127.0.0.1:{port}"' for port in range(6000, 6020))
    [change] = differences(BEFORE.replace('"127.0.0.1:5000"', f"[{binds}]"), folder=tmp_path)
    assert (change.path, change.kind) == (("listeners", "pg", "bind"), Kind.CHANGED)
    assert len(change.words) < 120 and change.words.endswith("...")


def test_what_is_no_configuration_is_an_empty_one() -> None:
    odd: dict[str, Any] = {"main": 3, "listeners": ["x"], "upstreams": {"pg": {"servers": "x"}, "db": 7}}
    assert compare(odd, {}) == [
        Change(("upstreams", "pg"), Kind.REMOVED, before={"servers": "x"}),
        Change(("upstreams", "db"), Kind.REMOVED, before=7),
    ]
    server = {"name": "one"}
    assert compare(odd, {"upstreams": {"pg": {"servers": [server]}, "db": {}}}) == [
        Change(("upstreams", "pg", "servers", "one"), Kind.ADDED, after=server)
    ]
