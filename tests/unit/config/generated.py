"""What the property tests are fed: documents in every way TOML can be written, and configurations that are right."""

import json
import re
from typing import Any

from hypothesis import strategies as st

from l4d.config.toml import written, written_key

# Documents, written in as many ways as TOML has.

LETTERS = st.characters(codec="utf-8", exclude_categories=("Cs", "Cc"))
NAMES = st.one_of(
    st.sampled_from(["a", "b", "list", "x-1", "a.b", "ü", "#", "]", "=", '"', ""]), st.text(LETTERS, max_size=4)
)
SCALARS = st.sampled_from(
    ["1", "-inf", "true", "1979-05-27 07:32:00", '"#"', "'}'", '"\\""', '"]"', "'''a'''", '"""b\n"""']
)
SPACE = st.sampled_from(["", " ", "\t "])
GAP = st.sampled_from(["", " ", "\n", " # ] } , \" '''\n", "\n\n  "])


@st.composite
def keys(draw: st.DrawFn, name: str) -> str:
    """*name* as a key, in one of the ways it can be written."""
    literal = [f"'{name}'"] if "'" not in name and name.isprintable() else []
    return draw(st.sampled_from([written_key(name), json.dumps(name), *literal])) + draw(SPACE)


@st.composite
def values(draw: st.DrawFn, depth: int = 2) -> str:
    kind = draw(st.integers(0, 3 if depth else 1))
    if kind < 2:
        return draw(SCALARS)
    if kind == 2:
        items = [draw(GAP) + draw(values(depth - 1)) + draw(GAP) for _ in range(draw(st.integers(0, 3)))]
        return f"[{draw(GAP)}" + ",".join(items) + (draw(st.sampled_from(["", ","])) + draw(GAP) if items else "") + "]"
    pairs = [draw(keys(name)) + "=" + draw(SPACE) + draw(values(depth - 1)) for name in draw(names())]
    return "{" + draw(SPACE) + ", ".join(pairs) + draw(SPACE) + "}"


def names() -> st.SearchStrategy[list[str]]:
    return st.lists(NAMES, max_size=3, unique=True)


@st.composite
def documents(draw: st.DrawFn) -> str:
    """TOML with every kind of header, key and value, between comments and empty lines."""
    lines = [draw(keys(name)) + "=" + draw(SPACE) + draw(values()) for name in draw(names())]
    for index in range(draw(st.integers(0, 4))):
        path = [f"t{index}" if draw(st.booleans()) else "shared", *draw(names())]
        dotted = (draw(SPACE) + ".").join([draw(keys(part)) for part in path])
        opened, closed = draw(st.sampled_from([("[", "]"), ("[[", "]]")]))
        lines.append(f"{opened}{draw(SPACE)}{dotted}{closed}{draw(st.sampled_from(['', ' # ]']))}")
        lines += [
            f"{draw(keys('k'))}.{draw(keys(name))}= {draw(values())} # = ["
            if draw(st.booleans())
            else f"{draw(keys('v' + name))}= {draw(values())}"
            for name in draw(names())
        ]
    return draw(st.sampled_from(["\n", "\n\n", "\n# [x]\n"])).join(lines)


# Configurations that are right.

DURATIONS = st.one_of(
    st.integers(1, 8760).map(lambda n: f"{n}h"),
    st.integers(1, 10**6).map(lambda n: f"{n}ms"),
    st.integers(1, 10**6),
    st.floats(0.001, 10**6),
)
SIZES = st.one_of(st.integers(0, 1024).map(lambda n: f"{n}k"), st.integers(0, 2**30))
HOSTS = st.one_of(st.ip_addresses(v=4).map(str), st.ip_addresses(v=6).map(lambda ip: f"[{ip}]"))
LABELS = st.text("abcXYZ019_-.", min_size=1, max_size=8)
COMMON = {"idle_timeout": DURATIONS, "max_session_time": DURATIONS, "receive_buffer": SIZES, "send_buffer": SIZES}
KEEPALIVES = st.one_of(
    st.booleans(),
    st.fixed_dictionaries(
        {}, optional={"idle": st.integers(0, 32767), "interval": st.just("9s"), "count": st.integers(0, 127)}
    ),
)
TCP = st.fixed_dictionaries(
    {"bind": st.just([]), "upstream": st.just("")},
    optional={
        **COMMON,
        "half_close": st.booleans(),
        "half_close_timeout": DURATIONS,
        "backlog": st.integers(1, 2**31 - 1),
        "keepalive": KEEPALIVES,
        "relay": st.sampled_from(["auto", "copy", "splice"]),
    },
)
UDP = st.fixed_dictionaries(
    {"bind": st.just([]), "upstream": st.just(""), "protocol": st.just("udp")},
    optional={**COMMON, "responses": st.integers(-1, 9), "requests": st.integers(0, 9)},
)
PORTS = st.integers(1, 65535)
DNS_NAMES = st.from_regex(r"[a-zA-Z_]([a-z0-9_-]{0,6}[a-z0-9])?(\.[A-Za-z]{1,5}){0,2}\.?", fullmatch=True)
ADDRESSES = st.builds("{}:{}".format, st.one_of(HOSTS, DNS_NAMES), PORTS)
_SERVER_KEYS = {
    "weight": st.integers(1, 65535),
    "max_sessions": st.integers(0, 2**31 - 1),
    "backup": st.booleans(),
    "state": st.sampled_from(["ready", "drain", "maint"]),
}
SERVERS = st.one_of(
    st.fixed_dictionaries({"address": ADDRESSES}, optional=_SERVER_KEYS),
    st.fixed_dictionaries({"srv": DNS_NAMES}, optional=_SERVER_KEYS),
)

TEXTS = st.text(LETTERS, max_size=5)
ANY_TEXTS = st.text(st.characters(codec="utf-8"), max_size=5)
PATTERNS = ANY_TEXTS.map(re.escape) | st.sampled_from([r"^\+PONG\r\n", "(?i)ok|well", "[\x00-\x1f]{2,}", ""])
HEX = st.binary(max_size=4).map(lambda data: data.hex(" "))
STATUSES = st.one_of(st.integers(100, 599), st.just("200-399"), st.integers(100, 599).map("{0}-{0}".format))
SECURE = {"verify": st.just(True), "server_name": st.just("") | DNS_NAMES.map(lambda name: name.rstrip("."))}
SECRET = st.sampled_from([{}, {"password_file": "/run/pw"}, {"password_env": "PW"}])
ROLES = st.sampled_from(["", "primary", "replica"])


def _joined(*tables: st.SearchStrategy[dict[str, Any]]) -> st.SearchStrategy[dict[str, Any]]:
    """A table with the keys of all *tables*."""
    return st.tuples(*tables).map(lambda parts: {name: value for part in parts for name, value in part.items()})


def _keys(**optional: st.SearchStrategy[Any]) -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({}, optional=optional)


SENT = st.one_of(_keys(send=ANY_TEXTS), _keys(send_hex=HEX))
EXPECTED = st.one_of(
    st.fixed_dictionaries({"expect": PATTERNS.filter(bool)}), st.fixed_dictionaries({"expect_hex": HEX.filter(bool)})
)
LOGINS = _joined(_keys(role=ROLES, database=TEXTS), SECRET, st.just({"user": "l4d"}))
OF_TYPE: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "off": st.just({}),
    "tcp": st.just({}),
    "tls": _keys(**SECURE, ca_file=st.just("/ca.pem")) | st.just({"verify": False, "server_name": "a"}),
    "http": _joined(
        _keys(path=st.just("/x?y"), host=DNS_NAMES, method=st.sampled_from(["GET", "POST"]), body=PATTERNS),
        _keys(status=st.lists(STATUSES, min_size=1, max_size=3)),
        st.just({}) | _joined(st.just({"tls": True}), _keys(**SECURE)),
    ),
    "send_expect": _joined(SENT, EXPECTED),
    "udp": _joined(st.just({}) | EXPECTED, st.fixed_dictionaries({"send": ANY_TEXTS.filter(bool)})),
    "dns": st.fixed_dictionaries(
        {"query": st.just(".") | DNS_NAMES},
        optional={"query_type": st.sampled_from(["A", "aaaa", "SOA"]), "answer": PATTERNS},
    ),
    "postgres": st.just({}) | LOGINS,
    "mysql": st.just({}) | LOGINS,
    "redis": _joined(_keys(role=ROLES), SECRET),
    "exec": st.builds(lambda rest: {"command": ["check", *rest]}, st.lists(TEXTS, max_size=2)),
    "agent": _keys(send=ANY_TEXTS),
}


@st.composite
def checks(draw: st.DrawFn) -> object:
    """A check of any type, as a table or, where nothing has to be said about it, a word."""
    kind = draw(st.sampled_from(sorted(OF_TYPE)))
    own = draw(OF_TYPE[kind])
    common = draw(
        _keys(interval=DURATIONS, timeout=DURATIONS, fall=st.integers(1, 9), rise=st.integers(1, 9), port=PORTS)
    )
    table = {"type": kind, **common, **own}
    return table if len(table) > 1 else draw(st.sampled_from([kind, table]))


BALANCES = st.one_of(
    _joined(
        st.just({"balance": "hash"}),
        _keys(hash_key=st.permutations(["client", "client_port", "listener_port"]).map(" + ".join)),
    ),
    st.just({"balance": "first"}),
    _joined(
        _keys(balance=st.sampled_from(["round_robin", "least_conn", "random", "least_time"])),
        _keys(slow_start=DURATIONS),
    ),
)
UPSTREAMS = _joined(
    st.fixed_dictionaries(
        {"servers": st.lists(SERVERS, min_size=1, max_size=3, unique_by=lambda one: one.get("srv") or one["address"])},
        optional={
            "connect_timeout": DURATIONS,
            "tries": st.integers(0, 9),
            "max_fails": st.integers(0, 9),
            "on_down": st.sampled_from(["keep", "close"]),
            "queue": st.integers(0, 9),
            "queue_timeout": DURATIONS,
            "check": checks(),
        },
    ),
    BALANCES,
)
RESOLVERS = _keys(
    nameservers=st.lists(HOSTS | st.builds("{}:{}".format, HOSTS, PORTS), max_size=3),
    timeout=DURATIONS,
    min_ttl=st.sampled_from(["500ms", "2s", 60]),
    max_ttl=st.sampled_from(["60s", "1h"]),
)
MAINS = st.fixed_dictionaries(
    {},
    optional={
        "workers": st.one_of(st.just("auto"), st.integers(1, 500)),
        "drain_timeout": DURATIONS,
        "handover": st.booleans(),
        "pid_file": st.text(LETTERS, max_size=5).map(lambda name: "/run/" + "".join(name.split())),
    },
)


@st.composite
def configurations(draw: st.DrawFn) -> str:
    """A file that is right, with addresses that do not clash."""
    upstreams = draw(st.dictionaries(LABELS, UPSTREAMS, min_size=1, max_size=3))
    listeners = draw(st.dictionaries(LABELS, st.one_of(TCP, UDP), max_size=3))
    for index, listener in enumerate(listeners.values()):
        host = draw(st.sampled_from(["*", "127.0.0.1", "[::1]"]))
        first = index * 100 + 1
        listener["bind"] = [f"{host}:{first}", f"{host}:{first + 1}-{first + draw(st.integers(1, 5))}"]
        listener["upstream"] = draw(st.sampled_from(sorted(upstreams)))
    return "".join(
        f"{name} = {written(table)}\n"
        for name, table in (
            ("main", draw(MAINS)),
            ("resolver", draw(RESOLVERS)),
            ("listeners", listeners),
            ("upstreams", upstreams),
        )
    )
