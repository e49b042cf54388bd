"""One server of an upstream as a worker sees it: may it be given a session now?

Passive failures hold for all workers together. Each worker counts its own failed dials on its own row of
the board and sums over all rows: *max_fails* of them within *fail_timeout* put the server out for *fail_timeout*.
Once that is over the server is on probation: the next failure puts it out again at once. A success clears what
the worker that has it counted, probation included.
"""

from l4d.address import SAME_PORT, Address, Inet
from l4d.config.model import Server as ServerConfig
from l4d.config.model import Upstream
from l4d.stats.failures import SharedFailures
from l4d.stats.tally import ServerTally
from l4d.terms import ServerState


class Server:
    """A member of a pool. Identity is what counts: a server is itself alone."""

    __slots__ = (
        "_fail_timeout",
        "_failures",
        "_max_fails",
        "_suspect",
        "address",
        "backup",
        "label",
        "name",
        "out_until",
        "patience",
        "ready",
        "tally",
        "weight",
    )

    def __init__(self, upstream: Upstream, server: ServerConfig, failures: SharedFailures, tally: ServerTally) -> None:
        self.name = server.name
        self.label = f"{upstream.name}/{server.name}"
        self.address: Address = server.address
        self.weight = server.weight
        self.backup = server.backup
        self.ready = server.state is ServerState.READY
        self.tally = tally
        self.patience = 0  # see session/dialling.py
        self.out_until = failures.out_until()
        self._max_fails = upstream.max_fails
        self._fail_timeout = upstream.fail_timeout
        self._failures = failures
        self._suspect = False

    def address_for(self, port: int) -> Address:
        """Where to dial for a client that came to *port*."""
        if isinstance(self.address, Inet) and self.address.port == SAME_PORT:
            return self.address.with_port(port)
        return self.address

    def refresh(self) -> None:
        """Take over what other workers have said."""
        self.out_until = self._failures.out_until()

    def failed(self, now: float) -> bool:
        """A dial has failed. True when that puts the server out."""
        if not self._max_fails:
            return False
        self._suspect = True
        if self._failures.add(now, self._fail_timeout) < self._max_fails:
            return False
        was_in = now >= self.out_until
        self.out_until = now + self._fail_timeout
        self._failures.put_out(self.out_until, probation=self._max_fails - 1)
        return was_in

    def succeeded(self) -> None:
        """A dial was answered."""
        if self._suspect:
            self._suspect = False
            self._failures.clear()
