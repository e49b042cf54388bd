"""Every command that talks to a running l4d: what may be typed, and the sentences that explain it.

The parser, the help and the completions of the shells (packaging/completions) all go by these tables.
"""

import enum
from dataclasses import dataclass

DEFAULT_CONFIG = "/etc/l4d/l4d.toml"

MOST_SESSIONS = 1000
"""How many sessions are shown unless the operator says otherwise; the API's own default."""


class Value(enum.Enum):
    """What stands for a thing on the command line: a shell completes it by this."""

    FILE = "file"
    LISTENER = "listener"
    UPSTREAM = "upstream"
    SERVER = "server"  # UPSTREAM/SERVER
    SESSION = "session"
    SORT = "sort"
    SIGNAL = "signal"
    OTHER = "other"  # a number, a network, a duration: nothing to offer


@dataclass(frozen=True, slots=True)
class Option:
    """One that begins with a dash. Without *metavar* it is there or not."""

    flag: str
    why: str
    metavar: str = ""
    value: Value = Value.OTHER
    repeatable: bool = False

    @property
    def name(self) -> str:
        """Its name among what was typed."""
        return self.flag.lstrip("-")


@dataclass(frozen=True, slots=True)
class Argument:
    """One without a dash, by its place."""

    metavar: str
    value: Value
    many: str = ""  # as argparse has it: "?" one or none, "+" one or more

    @property
    def name(self) -> str:
        return self.metavar.lower()

    @property
    def usage(self) -> str:
        return {"": self.metavar, "?": f"[{self.metavar}]", "+": f"{self.metavar}..."}[self.many]


@dataclass(frozen=True, slots=True)
class Command:
    """One command."""

    name: str
    why: str
    arguments: tuple[Argument, ...] = ()
    options: tuple[Option, ...] = ()
    more: str = ""  # what its own help says besides
    hidden: bool = False  # for the shells' completions


SOCKET = Option("--socket", "the admin socket of the running l4d", "PATH", Value.FILE)
CONFIG = Option("-c", "the configuration that names it (admin.socket)", "FILE", Value.FILE)
JSON = Option("--json", "for programs: what the API says, one JSON document")
YES = Option("--yes", "do not ask first")
_FIND = (SOCKET, CONFIG)
_COMMON = (*_FIND, JSON)

SORTS = ("age", "client", "idle", "listener", "server", "bytes")
"""What sessions can be sorted by: the longest, largest or first in the alphabet comes first."""

FILTERS = (
    Option("--listener", "those of this listener", "NAME", Value.LISTENER),
    Option("--upstream", "those of this upstream", "NAME", Value.UPSTREAM),
    Option("--server", "those of this server: pg/two, or its address", "SERVER", Value.SERVER),
    Option("--client", "those of this client: an address, with a port, or a network as in 10.0.0.0/8", "CLIENT"),
    Option("--older", "those that have lasted at least so long: 30s, 10m, 1h", "TIME"),
)

_SERVERS = Argument("UPSTREAM/SERVER", Value.SERVER, "+")

_ALL = (
    Command(
        "status",
        "is all well? listeners, upstreams, workers, the last reload, the newest bad ends",
        options=_COMMON,
    ),
    Command(
        "top",
        "the same, live, with rates; q quits",
        options=(
            *_FIND,
            Option("--interval", "seconds between two pictures; 1 when not given", "SECONDS"),
            Option("--once", "one picture, and no more; so it is where there is no terminal"),
        ),
        more="Keys: q quits; s, r, f, c, n sort by sessions, rate, failures, connect time, name.",
    ),
    Command(
        "sessions",
        "who is connected",
        options=(
            *FILTERS,
            Option("--limit", f"show so many at most; {MOST_SESSIONS} when not given", "N"),
            Option("--sort", f"by {', '.join(SORTS)}", "KEY", Value.SORT),
            *_COMMON,
        ),
    ),
    Command(
        "kill",
        "end sessions: one by its id, or all that the filters name",
        (Argument("ID", Value.SESSION, "?"),),
        (*FILTERS, YES, *_COMMON),
        "Give an id, or at least one filter; a session must meet every filter. They end with KD.",
    ),
    Command(
        "servers",
        "every server: state, why, sessions, failures, connect time",
        (Argument("UPSTREAM", Value.UPSTREAM, "?"),),
        _COMMON,
    ),
    Command("drain", "give servers nothing new; what lives may finish", (_SERVERS,), _COMMON),
    Command("ready", "give servers sessions again", (_SERVERS,), _COMMON),
    Command("maint", "give servers nothing new, and do not check them", (_SERVERS,), _COMMON),
    Command(
        "weight",
        "change the weight of servers: 1 to 65535, or 'file' for what the file says",
        (_SERVERS, Argument("N", Value.OTHER)),
        _COMMON,
    ),
    Command(
        "explain",
        "which server would this client get, and why none of the others",
        (Argument("LISTENER", Value.LISTENER), Argument("CLIENT", Value.OTHER)),
        _COMMON,
        "CLIENT is an IP address, or with a port: 10.0.0.7:4711.",
    ),
    Command(
        "diff",
        "what would a reload change, and how many sessions would it touch?",
        options=(
            SOCKET,
            Option("-c", "the configuration to compare, it also names the socket (admin.socket)", "FILE", Value.FILE),
            Option("--set", "override one key, as l4d was started with", "KEY=VALUE", repeatable=True),
            Option("--json", "for programs: one JSON document"),
        ),
    ),
    Command(
        "names",
        "all things of a KIND: listener, upstream, server, session",
        (Argument("KIND", Value.OTHER),),
        _FIND,
        "",
        True,
    ),
)

COMMANDS = {command.name: command for command in _ALL}

LASTING = "An operator's change holds over reloads, until the file's value for that key changes."
"""Said in the help of the commands that change a server."""
