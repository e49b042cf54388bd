"""All that a run consists of: l4d, the servers behind it, and those who come to it."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

from l4d.address import Inet
from tests.chaos.actor import Actor
from tests.chaos.facts import Fact
from tests.chaos.options import Options
from tests.chaos.settings import Servers
from tests.chaos.target import Target
from tests.kit import is_alive
from tests.kit.closing import Closing
from tests.kit.ports import free_port
from tests.kit.programs import run
from tests.kit.servers import PostgreSQL, conninfo

CLIENTS = ("long", "short", "flows", "download", "pgbench")
"""The generators, by the names of their modules."""

_FLOW_RATE = 5  # datagrams a second
_DOWNLOADS, _DOWNLOAD_RATE = 2, 8_000_000  # bytes a second, each
_PGBENCHES, _PGBENCH_SECONDS = 4, 5
_FIRST = {"long": 1, "short": 100_000, "download": 900_000, "flows": 950_000}
"""The number of the first session of each kind: no two have the same."""


class Server(Closing):
    """A server that can die and come back to its address.

    Its host is not the one that connections are made from: else one of them might take its port while it is away.
    """

    def __init__(self, folder: Path, module: str, host: str) -> None:
        self.address = Inet(host, free_port(host=host))
        self._folder, self._module = folder, module
        self.is_away = False
        """From its death on, until another process serves in its place."""
        self.lives = [self._start()]

    def kill(self) -> None:
        """KILL it, until it is gone with all that it had."""
        self.is_away = True
        self.process.kill()

    def come_back(self) -> bool:
        """Have another process in its place; whether that serves already."""
        if self.process.has_ended():
            self.lives.append(self._start())
        self.is_away = not self.process.is_ready()
        return not self.is_away

    @property
    def process(self) -> Actor:
        """The last one."""
        return self.lives[-1]

    def _start(self) -> Actor:
        return Actor(self._folder, self._module, self.address.host, self.address.port)

    def close(self) -> None:
        for life in self.lives:
            life.close()


class Bed(Closing):
    """Everything, ready for a run; what has been started is ended when it is closed."""

    def __init__(self, options: Options, folder: Path) -> None:
        self._options = options
        self._folder = folder
        self._opened = ExitStack()
        self.clients: dict[str, Actor] = {}
        self.missing: list[str] = []
        """Who has not finished as it should."""
        try:
            self._open()
        except BaseException:
            self.close()
            raise

    def _open(self) -> None:
        enter = self._opened.enter_context
        self.servers = [enter(Server(self._folder, "backend", f"127.0.0.{11 + number}")) for number in range(3)]
        self._stream = enter(Server(self._folder, "stream", "127.0.0.11"))
        self._postgres = enter(PostgreSQL())
        run("pgbench", "--initialize", "--quiet", "--scale", 1, conninfo(self._postgres.address))
        for server in (*self.servers, self._stream):
            server.process.wait_ready()
        echo = [server.address for server in self.servers]
        self.target = Target(self._folder, Servers(echo, self._stream.address, self._postgres.address))
        self._opened.callback(self.target.kill)

    def start_traffic(self) -> None:
        """Until every session has been answered once."""
        options, ports = self._options, self.target.ports
        seed = options.seed
        arguments: dict[str, tuple[int, ...]] = {
            "long": (ports["echo"], options.sessions, _FIRST["long"], seed),
            "short": (ports["echo"], options.rate, _FIRST["short"], seed),
            "flows": (ports["flows"], options.flows, _FLOW_RATE, _FIRST["flows"], seed),
            "download": (ports["stream"], _DOWNLOADS, _FIRST["download"], _DOWNLOAD_RATE),
            "pgbench": (ports["postgres"], _PGBENCHES, _PGBENCH_SECONDS),
        }
        for name in CLIENTS:
            self.clients[name] = self._opened.enter_context(Actor(self._folder, name, *arguments[name]))
        for client in self.clients.values():
            client.wait_ready()

    def stop_traffic(self) -> None:
        """Until all have finished and said what came of it."""
        actors = list(self.clients.values())
        for actor in actors:
            actor.end_input()
        for actor in actors:
            if status := actor.finish():
                self.missing.append(f"{actor.name} ended with status {status}")

    def check(self) -> None:
        """Who has ended although nobody told it to is missing."""
        there = [server.process for server in (*self.servers, self._stream) if not server.is_away]
        actors = [*self.clients.values(), *there]
        gone = [actor.name for actor in actors if actor.has_ended()]
        gone += [] if is_alive(self.target.pid) else [f"l4d: {self.target.daemon.log()[-2000:]}"]
        assert not gone, f"{', '.join(gone)} ended unasked"

    def facts(self) -> Iterator[Fact]:
        """All that was said."""
        servers = [life for server in (*self.servers, self._stream) for life in server.lives]
        for actor in (*self.clients.values(), *servers):
            yield from actor.facts()

    def transactions(self) -> int:
        """How many the database has."""
        asked = "select count(*) from pgbench_history"
        return int(run("psql", "-X", "-A", "-t", "-c", asked, conninfo(self._postgres.address)))

    def close(self) -> None:
        self._opened.close()
