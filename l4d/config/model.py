"""What was asked for, complete and valid: the configuration once it has been read.

Nobody who holds one of these asks again whether it makes sense. Durations are seconds, sizes are bytes, and 0 means
"none" or "the system's" as SPEC says for each key. The keys, their defaults and the sentences that explain
them stand in schema.py.
"""

from dataclasses import dataclass

from l4d.address import Address
from l4d.terms import Affinity, Balance, Level, Protocol, Relay, ServerState


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


@dataclass(frozen=True, slots=True)
class Log:
    level: Level
    error: str  # "stderr", "syslog", "journal" or a path


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


@dataclass(frozen=True, slots=True)
class Server:
    name: str  # as given, else the address as written
    address: Address  # port SAME_PORT: that of the listener
    weight: int
    backup: bool
    state: ServerState


@dataclass(frozen=True, slots=True)
class Upstream:
    name: str
    servers: tuple[Server, ...]
    balance: Balance
    connect_timeout: float
    tries: int
    tries_timeout: float
    max_fails: int
    fail_timeout: float
    early_close: float
    source: str  # an IP address to dial from; "": the system chooses


@dataclass(frozen=True, slots=True)
class Config:
    main: Main
    log: Log
    listeners: dict[str, Listener]
    upstreams: dict[str, Upstream]
    files: tuple[str, ...]  # every file it was read from, the main one first
