"""What was asked for, complete and valid: the configuration once it has been read.

Nobody who holds one of these asks again whether it makes sense. Durations are seconds, sizes are bytes, and 0 means
"none" or "the system's" as SPEC says for each key. The keys, their defaults and the sentences that explain
them stand in schema.py.
"""

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network
from typing import TypeAlias

from l4d.address import Address, Host, Inet, Named, Srv, Unix
from l4d.terms import (
    Affinity,
    Balance,
    CheckType,
    HashKey,
    Level,
    OnDown,
    Protocol,
    Relay,
    Role,
    ServerState,
)

MOST_NAMES = 256
"""The most servers that may be given by name: at a reload the board has room for twice as many."""

SEATS = 64
"""The most addresses of one name that are servers at a time. Each has its place on the board from the beginning."""


Network: TypeAlias = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class Main:
    workers: int  # 0: "auto", one for each CPU this process may run on
    user: str
    group: str
    pid_file: str
    max_sessions: int
    rlimit_nofile: int
    cpu_affinity: Affinity
    drain_timeout: float
    handover: bool  # at a reload that asks for this configuration


@dataclass(frozen=True, slots=True)
class Log:
    level: Level
    error: str  # "stderr", "syslog", "journal" or a path
    access: str  # the same, "off" or "stdout"
    format: str  # "text", "json" or a template


@dataclass(frozen=True, slots=True)
class Admin:
    """Where the operator is answered."""

    socket: str  # a path; "": none
    socket_mode: int
    listen: Inet | None  # port 0 is any free port
    allow: tuple[Network, ...]  # who is answered there

    @property
    def addresses(self) -> tuple[Address, ...]:
        """The unix socket's, which is answered everything, and that which is for reading; as far as they are given."""
        unix = (Unix(self.socket),) if self.socket else ()
        return (*unix, self.listen) if self.listen is not None else unix


@dataclass(frozen=True, slots=True)
class Resolver:
    nameservers: tuple[Inet, ...]  # empty: those of /etc/resolv.conf, and /etc/hosts is honoured
    timeout: float
    min_ttl: float
    max_ttl: float


@dataclass(frozen=True, slots=True)
class Keepalive:
    """TCP keepalive. A time or count of 0 leaves the system's value."""

    enabled: bool
    idle: float = 0.0
    interval: float = 0.0
    count: int = 0


@dataclass(frozen=True, slots=True)
class Listener:
    name: str
    bind: tuple[str, ...]  # as written
    addresses: tuple[Address, ...]  # as bound: "*" is two, a range is many; port 0 is any free port
    protocol: Protocol
    upstream: str
    idle_timeout: float
    half_close: bool
    half_close_timeout: float
    max_session_time: float
    backlog: int
    keepalive: Keepalive
    user_timeout: float
    fast_open: bool
    defer_accept: bool
    relay: Relay
    receive_buffer: int
    send_buffer: int
    responses: int
    requests: int
    access_log: str  # as Log.access; "": what that says


@dataclass(frozen=True, slots=True)
class Server:
    """One entry of `servers`. One given by a name stands for as many servers as it has addresses."""

    name: str  # as given, else the address as written
    address: Address | Named  # port SAME_PORT: that of the listener
    weight: int
    max_sessions: int
    backup: bool
    state: ServerState

    @property
    def named(self) -> bool:
        """Whether the control process has to find the addresses."""
        return isinstance(self.address, (Host, Srv))

    @property
    def seats(self) -> tuple[str, ...]:
        """The names of the servers it may stand for: its own, or for a name `NAME#1`, `NAME#2` and so on."""
        return tuple(f"{self.name}#{number}" for number in range(1, SEATS + 1)) if self.named else (self.name,)


@dataclass(frozen=True, slots=True)
class Check:
    """How the servers of an upstream are asked whether they are well. Which keys count depends on the type."""

    type: CheckType
    interval: float
    timeout: float
    fall: int
    rise: int
    port: int  # 0: the server's own
    role: Role
    send: str
    send_hex: bytes
    expect: str  # a regular expression, searched for in the bytes of the answer
    expect_hex: bytes  # what the answer must begin with
    path: str
    host: str  # "": the server's name, or its address
    method: str
    status: tuple[tuple[int, int], ...]  # ranges, both ends included
    body: str  # a regular expression; "": any
    tls: bool
    verify: bool
    server_name: str  # sent as SNI and verified; "": the server's name, or its address, which is not sent
    ca_file: str  # "": the system's authorities
    query: str
    query_type: str
    answer: str  # a regular expression for a record of the answer; "": any answer will do
    user: str
    password_file: str
    password_env: str
    database: str
    command: tuple[str, ...]

    @property
    def payload(self) -> bytes:
        """What is sent, in whichever form it was written."""
        return self.send_hex or self.send.encode()


@dataclass(frozen=True, slots=True)
class Upstream:
    name: str
    servers: tuple[Server, ...]
    balance: Balance
    hash_key: tuple[HashKey, ...]
    connect_timeout: float
    tries: int
    tries_timeout: float
    max_fails: int
    fail_timeout: float
    early_close: float
    slow_start: float
    on_down: OnDown
    queue: int
    queue_timeout: float
    check: Check
    source: str  # an IP address to dial from; "": the system chooses

    @property
    def checked(self) -> bool:
        """Whether its servers are asked if they are well."""
        return self.check.type is not CheckType.OFF


@dataclass(frozen=True, slots=True)
class Config:
    main: Main
    log: Log
    admin: Admin
    resolver: Resolver
    listeners: dict[str, Listener]
    upstreams: dict[str, Upstream]
    files: tuple[str, ...]  # every file it was read from, the main one first

    def access_log_of(self, listener: Listener) -> str:
        """Where the sessions of *listener* are logged; "off": nowhere."""
        return listener.access_log or self.log.access

    def access_logs(self) -> dict[str, str]:
        """Every target of access logs, with the key that names it first."""
        targets = {self.log.access: "log.access"} if self.log.access != "off" else {}
        for name, listener in self.listeners.items():
            if listener.access_log not in {"", "off"}:
                targets.setdefault(listener.access_log, f"listeners.{name}.access_log")
        return targets
