"""Every key there is: its name, how it is read, its default, and the sentence that explains it.

Reading, showing, the suggestions for mistyped keys and the test of conf/l4d.toml all go by these tables, in this
order. A key that is not here does not exist.
"""

from collections.abc import Collection, Iterator
from dataclasses import asdict

from l4d.address import Srv
from l4d.config.addresses import (
    dial_written,
    listen_written,
    name_written,
    nameserver_written,
    network,
    network_written,
    socket_path,
    to_ask,
    to_bind,
    to_dial,
    to_dial_from,
    to_listen,
    to_look_up,
)
from l4d.config.checks import CHECK, CHECK_TABLE
from l4d.config.kinds import Key, One, Section, Several, Table, Values, section
from l4d.config.model import Keepalive, Server
from l4d.config.values import (
    LONGEST_WORD,
    access_target,
    access_target_or_none,
    boolean,
    choice,
    choice_written,
    described,
    duration,
    duration_written,
    file_mode,
    file_mode_written,
    hash_key,
    hash_key_written,
    integer,
    keepalive_time,
    log_format,
    log_target,
    path_or_none,
    size,
    size_written,
    text,
    word,
    workers,
    workers_written,
)
from l4d.terms import Affinity, Balance, Level, OnDown, Protocol, Relay, ServerState

_MANY = 2**31 - 1
_FILES = 2**30  # what the kernel grants at most
_USER_TIMEOUT = 596 * 3600  # the kernel counts it in milliseconds, in an int

TCP, UDP = (Protocol.TCP,), (Protocol.UDP,)
HASHED = (Balance.HASH,)
WEIGHED = (Balance.ROUND_ROBIN, Balance.LEAST_CONN, Balance.RANDOM, Balance.LEAST_TIME)
"""Where a weight can grow: it decides nothing with `first`, and whose server it is with `hash`."""

_BOOLEAN = One(boolean)
_TEXT = One(text)
_TIME = One(duration(), duration_written)
_TIME_OR_NONE = One(duration(or_zero=True), duration_written)
_KEEPALIVE_TIME = One(keepalive_time, duration_written)
_SIZE = One(size(2**30), size_written)
_COUNT = One(integer(0, _MANY))
_HASH_KEY = One(hash_key, hash_key_written)
_NAMESERVER = One(to_ask, nameserver_written)
_BALANCE = One(choice(Balance), choice_written)

TOP = section(
    "the top of the file",
    Key("include", Several(_TEXT, may_be_empty=True), [], 'more files to read: ["conf.d/*.toml"]; in name order'),
)

MAIN = section(
    "[main]",
    Key("workers", One(workers, workers_written), "auto", "auto: one for each CPU this process may run on"),
    Key("user", _TEXT, "", "given up to after the sockets are bound, when started as root"),
    Key("group", _TEXT, "", 'with user; "": the group of that user'),
    Key("pid_file", One(path_or_none), "", "written when every worker accepts; relative: from where l4d is started"),
    Key("max_sessions", _COUNT, 0, "per worker; 0: what the descriptor limit allows"),
    Key("rlimit_nofile", One(integer(64, _FILES, or_zero=True)), 0, "descriptors a process may open; 0: as it is"),
    Key("cpu_affinity", One(choice(Affinity), choice_written), "off", "auto: worker k stays on CPU k"),
    Key("drain_timeout", _TIME_OR_NONE, "30s", 'longest graceful stop; "0": no bound'),
    Key("handover", _BOOLEAN, True, "a reload moves live sessions to the new workers; false: old workers keep theirs"),
)

LOG = section(
    "[log]",
    Key("level", One(choice(Level), choice_written), "info", "debug, info, warning, error"),
    Key("error", One(log_target), "stderr", "stderr, syslog, journal, or a path (relative: from where l4d is started)"),
    Key(
        "access", One(access_target), "off", "a line for each session: off, stdout, stderr, syslog, journal, or a path"
    ),
    Key("format", One(log_format), "text", 'of that line: text, json, or a template: "$client $server $end"'),
)

ADMIN = section(
    "[admin]",
    Key("socket", One(socket_path), "", "a unix socket: everything, guarded by the file's mode and owner"),
    Key("socket_mode", One(file_mode, file_mode_written), "0600", "who may use it, in octal"),
    Key("listen", One(to_listen, listen_written), "", "IP:port over TCP: read only (metrics, status page, GET)"),
    Key("allow", Several(One(network, network_written)), ["127.0.0.0/8", "::1/128"], "who is answered there"),
)

RESOLVER = section(
    "[resolver]",
    Key(
        "nameservers",
        Several(_NAMESERVER, may_be_empty=True),
        [],
        "IP or IP:port; empty: those of /etc/resolv.conf, and /etc/hosts is honoured",
    ),
    Key("timeout", _TIME, "2s", "a query that has no answer from any nameserver by then has failed"),
    Key("min_ttl", _TIME, "1s", "a name is not asked for again sooner, unless dialling or resolving it fails"),
    Key("max_ttl", _TIME, "60s", "a name is asked for again after this long at the latest"),
)

KEEPALIVE = section(
    "keepalive = { }",
    Key("idle", _KEEPALIVE_TIME, "0", 'silence before the first probe; "0": the system\'s'),
    Key("interval", _KEEPALIVE_TIME, "0", 'between probes; "0": the system\'s'),
    Key("count", One(integer(0, 127)), 0, "unanswered probes that end the connection; 0: the system's"),
)


_KEEPALIVE = Table(
    KEEPALIVE,
    short=_BOOLEAN,
    from_short=lambda enabled: {"enabled": enabled},
    make=lambda values: Keepalive(**{"enabled": True, **values}),
    take=lambda keepalive: None if keepalive == Keepalive(keepalive.enabled) else asdict(keepalive),
    shorten=lambda keepalive: keepalive.enabled,
)

LISTENER = section(
    "[listeners.*]",
    Key("bind", Several(One(to_bind)), None, "an address, or a list: IP:port, *:port, a range of ports, unix:/path"),
    Key("protocol", One(choice(Protocol), choice_written), "tcp", "tcp, udp"),
    Key("upstream", _TEXT, None, "the name of the servers that clients are taken to"),
    Key("idle_timeout", _TIME, "10m", "no byte either way for this long ends a session", udp_default="60s"),
    Key("half_close", _BOOLEAN, True, "one side's FIN is passed on and the other direction lives", only=TCP),
    Key("half_close_timeout", _TIME, "60s", "one side has finished, and the other is silent this long", only=TCP),
    Key("max_session_time", _TIME_OR_NONE, "0", 'longest session, less up to 10 %; "0": no bound'),
    Key("backlog", One(integer(1, _MANY)), 4096, "connections that may wait for a worker, per socket", only=TCP),
    Key(
        "keepalive",
        _KEEPALIVE,
        True,
        'or { idle = "60s", interval = "10s", count = 6 }, both sides',
        only=TCP,
    ),
    Key(
        "user_timeout",
        One(duration(_USER_TIMEOUT, or_zero=True), duration_written),
        "0",
        'data unacknowledged this long ends a session; "0": the system\'s bound',
        only=TCP,
    ),
    Key("fast_open", _BOOLEAN, False, "data may come with the SYN (TCP Fast Open)", only=TCP),
    Key("defer_accept", _BOOLEAN, False, "clients are taken only once they have sent a byte", only=TCP),
    Key("relay", One(choice(Relay), choice_written), "auto", "how bytes cross: auto, copy, splice", only=TCP),
    Key("receive_buffer", _SIZE, "0", 'SO_RCVBUF; "0": the system\'s for tcp, up to 4m for udp'),
    Key("send_buffer", _SIZE, "0", "SO_SNDBUF; the same"),
    Key("access_log", One(access_target_or_none), "", 'as "access" under [log]; "": what that says'),
    Key(
        "responses",
        One(integer(-1, _MANY)),
        -1,
        "datagrams from the server that end a session; -1: only idle_timeout ends it; 0: none expected",
        only=UDP,
    ),
    Key("requests", _COUNT, 0, "datagrams from a client after which it is balanced anew; 0: never", only=UDP),
    later="allow deny accept_proxy trusted preread_timeout upload_rate download_rate limits routes",
)

SERVER = section(
    "servers",
    Key(
        "address",
        One(to_dial, dial_written),
        None,
        "IP:port, name:port, unix:/path; without a port: the one the client came to",
        optional=True,
    ),
    Key(
        "srv",
        One(to_look_up, name_written),
        None,
        "instead of address: an SRV record; each target is a server",
        optional=True,
    ),
    Key("name", One(word), None, "in logs and metrics; by default the address as written", optional=True),
    Key("weight", One(integer(1, 65535)), 1, "its share of the sessions, beside the others' weights"),
    Key("max_sessions", _COUNT, 0, "over all workers; 0: no bound"),
    Key("backup", _BOOLEAN, False, "serves when no ordinary server can"),
    Key(
        "state",
        One(choice(ServerState), choice_written),
        "ready",
        "ready, drain (nothing new), maint (nothing new, no checks)",
    ),
)


def _server(values: Values) -> Server:
    rest = {name: value for name, value in values.items() if name not in {"address", "srv"}}
    address = values["srv"] if "srv" in values else values["address"].address
    return Server(**{"name": _as_written(values), **rest, "address": address})


def _as_written(values: Values) -> str:
    """The address of a server, or the name of its SRV record; "" when neither could be read."""
    if "srv" in values:
        return str(values["srv"])
    return values["address"].text if "address" in values else ""


def _examine_server(values: Values, tried: Collection[str]) -> Iterator[tuple[str, str]]:
    if "address" not in tried and "srv" not in tried:
        yield "", f"has no 'address': {SERVER.keys['address'].why}"
    elif "address" in tried and "srv" in tried:
        yield "srv", "cannot be given beside 'address'"
    elif "name" not in tried and len(written := _as_written(values)) > LONGEST_WORD:
        yield "", f"{described(written)} is longer than {LONGEST_WORD} characters; give it a 'name'"


def _server_values(server: Server) -> Values:
    rest = {name: getattr(server, name) for name in SERVER.keys if name not in {"address", "srv"}}
    return {"srv" if isinstance(server.address, Srv) else "address": server.address, **rest}


_SERVER = Table(
    SERVER,
    short=One(to_dial),
    from_short=lambda written: {"address": written},
    make=_server,
    take=_server_values,
    examine=_examine_server,
)

UPSTREAM = section(
    "[upstreams.*]",
    Key(
        "servers",
        Several(_SERVER),
        None,
        'addresses, or { address = "10.0.0.2:5432", name = "two", weight = 2, backup = false, state = "ready" }',
    ),
    Key("balance", _BALANCE, "round_robin", "round_robin, least_conn, random, hash, first, least_time"),
    Key("hash_key", _HASH_KEY, "client", "client, client_port, listener_port, or several joined by +", only=HASHED),
    Key("connect_timeout", _TIME, "5s", "a server that has not answered by then has failed"),
    Key("tries", One(integer(0, 65535)), 0, "servers tried for a session before giving up; 0: each once"),
    Key("tries_timeout", _TIME, "30s", "no further server is tried after this long"),
    Key("max_fails", One(integer(0, 65535)), 3, "this many failed dials within fail_timeout ... (0: never)"),
    Key("fail_timeout", _TIME, "10s", "... keep the server out for this long"),
    Key("early_close", _TIME_OR_NONE, "0", "a server that closes without a byte within this time has failed"),
    Key(
        "slow_start",
        _TIME_OR_NONE,
        "0",
        "a server whose checks are good again gets its weight over this time",
        only=WEIGHED,
    ),
    Key(
        "on_down",
        One(choice(OnDown), choice_written),
        "keep",
        "close: a server that goes down, or is removed, loses its sessions",
    ),
    Key("queue", _COUNT, 0, "sessions that may wait when every server is at max_sessions"),
    Key("queue_timeout", _TIME, "10s", "the longest such wait"),
    Key("check", CHECK_TABLE, "off", 'a type, or a table: { type = "tcp", interval = "2s", fall = 3, rise = 2 }'),
    Key("source", One(to_dial_from), "", 'local IP address to dial from; "": the system chooses'),
    later="send_proxy",
)

SECTIONS: tuple[Section, ...] = (TOP, MAIN, LOG, ADMIN, RESOLVER, LISTENER, KEEPALIVE, UPSTREAM, SERVER, CHECK)
