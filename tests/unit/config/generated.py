"""What the property tests are fed: documents in every way TOML can be written, and configurations that are right."""

import json

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
SERVERS = st.fixed_dictionaries(
    {"address": st.builds("{}:{}".format, HOSTS, st.integers(1, 65535))},
    optional={
        "weight": st.integers(1, 65535),
        "backup": st.booleans(),
        "state": st.sampled_from(["ready", "drain", "maint"]),
    },
)
UPSTREAMS = st.fixed_dictionaries(
    {"servers": st.lists(SERVERS, min_size=1, max_size=3, unique_by=lambda server: str(server["address"]))},
    optional={"connect_timeout": DURATIONS, "tries": st.integers(0, 9), "max_fails": st.integers(0, 9)},
)
MAINS = st.fixed_dictionaries(
    {},
    optional={
        "workers": st.one_of(st.just("auto"), st.integers(1, 500)),
        "drain_timeout": DURATIONS,
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
        for name, table in (("main", draw(MAINS)), ("listeners", listeners), ("upstreams", upstreams))
    )
