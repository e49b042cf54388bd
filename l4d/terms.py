"""The words an operator sees: in the configuration, the logs, the metrics.

Every choice in the program is one of these enums, and its value is the word itself, so that no second
spelling of a thing can exist.
"""

import enum


class Word(enum.Enum):
    """A choice. Each member is one object, so its identity will do for a hash, and costs less than its name's."""

    __hash__ = object.__hash__


class Protocol(Word):
    TCP = "tcp"
    UDP = "udp"


class Relay(Word):
    """How the bytes of a TCP session cross: through our memory, through a pipe in the kernel, or by what pays."""

    AUTO = "auto"
    COPY = "copy"
    SPLICE = "splice"


class Balance(Word):
    ROUND_ROBIN = "round_robin"
    LEAST_CONN = "least_conn"
    RANDOM = "random"
    HASH = "hash"
    FIRST = "first"
    LEAST_TIME = "least_time"


class HashKey(Word):
    """What of a session is hashed, for `balance = "hash"`."""

    CLIENT = "client"  # its address
    CLIENT_PORT = "client_port"
    LISTENER_PORT = "listener_port"  # the one the client came to


class ServerState(Word):
    """What the operator wants of a server."""

    READY = "ready"
    DRAIN = "drain"  # nothing new
    MAINT = "maint"  # nothing new, no checks


class OnDown(Word):
    """What becomes of the sessions of a server that goes down."""

    KEEP = "keep"
    CLOSE = "close"


class CheckType(Word):
    """How a server is asked whether it is well."""

    OFF = "off"
    TCP = "tcp"
    TLS = "tls"
    HTTP = "http"
    SEND_EXPECT = "send_expect"
    UDP = "udp"
    DNS = "dns"
    POSTGRES = "postgres"
    MYSQL = "mysql"
    REDIS = "redis"
    EXEC = "exec"
    AGENT = "agent"


class Role(Word):
    """What a server of a replicated database must be to be up."""

    ANY = ""
    PRIMARY = "primary"
    REPLICA = "replica"


class Affinity(Word):
    OFF = "off"
    AUTO = "auto"


class WorkerState(Word):
    """What a worker does."""

    STARTING = "starting"  # it serves nobody yet
    SERVING = "serving"
    FULL = "full"  # it serves, and takes nobody new until there is room
    LEAVING = "leaving"  # it takes nobody new any more


class Level(Word):
    """How loud a log line is, loudest first."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    DEBUG = "debug"


class End(Word):
    """Why a session is over.

    The first letter says by whom: `-` all were done, `C` client, `S` server, `c` and `s` a timeout while waiting
    for that side, `P` refused by the proxy, `R` the proxy lacked a resource, `D` the server was removed, `K` an
    operator, `X` the proxy stopped. The second says in which phase: `Q` queued, `C` connecting, `D` data, `L` last
    data (one side is done). `T` is max_session_time, `SK` a server that went down, and `U` begins the ends that only
    UDP knows.
    """

    FINISHED = "--"
    CLIENT_RESET = "CD"
    CLIENT_RESET_LAST = "CL"
    SERVER_RESET = "SD"
    SERVER_RESET_LAST = "SL"
    IDLE = "cD"
    CLIENT_SILENT_LAST = "cL"
    SERVER_SILENT_LAST = "sL"
    NO_SERVER_ACCEPTED = "SC"
    CONNECT_TIMEOUT = "sC"
    CLIENT_LEFT_CONNECTING = "CC"
    NO_SERVER_UP = "PC"
    NO_RESOURCE = "RC"
    STOPPED = "XD"
    SESSION_TIME = "TD"
    LIMIT = "PL"
    QUEUE_TIMEOUT = "sQ"
    CLIENT_LEFT_QUEUED = "CQ"
    SERVER_DOWN = "SK"
    SERVER_REMOVED = "DD"
    KILLED = "KD"
    UDP_IDLE = "UD"
    UDP_RESPONDED = "UR"
    UDP_UNREACHABLE = "UI"

    @property
    def words(self) -> str:
        """What the two letters say."""
        return _WORDS[self]


_WORDS = {
    End.FINISHED: "finished",
    End.CLIENT_RESET: "client reset",
    End.CLIENT_RESET_LAST: "client reset while the last data passed",
    End.SERVER_RESET: "server reset",
    End.SERVER_RESET_LAST: "server reset while the last data passed",
    End.IDLE: "idle timeout",
    End.CLIENT_SILENT_LAST: "timeout waiting for the client's last data",
    End.SERVER_SILENT_LAST: "timeout waiting for the server's last data",
    End.NO_SERVER_ACCEPTED: "no server accepted",
    End.CONNECT_TIMEOUT: "connect timeout",
    End.CLIENT_LEFT_CONNECTING: "client left while connecting",
    End.NO_SERVER_UP: "no server is up",
    End.NO_RESOURCE: "out of descriptors, ports or memory",
    End.STOPPED: "proxy stopped",
    End.SESSION_TIME: "max_session_time",
    End.LIMIT: "refused by a limit",
    End.QUEUE_TIMEOUT: "queue timeout",
    End.CLIENT_LEFT_QUEUED: "client left while queued",
    End.SERVER_DOWN: "server went down",
    End.SERVER_REMOVED: "server removed",
    End.KILLED: "killed by the operator",
    End.UDP_IDLE: "idle",
    End.UDP_RESPONDED: "all responses seen",
    End.UDP_UNREACHABLE: "server's port unreachable",
}
