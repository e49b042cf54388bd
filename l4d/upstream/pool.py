"""A pool: the servers of an upstream as they are now, and the choice among them.

In this order: ordinary servers that are in; backups that are in; ordinary servers that are out by failed dials
alone; such backups. A server that was tried for a session is not tried for it again.
"""

from collections.abc import Callable, Collection, Sequence

from l4d.upstream.balance import Balancer
from l4d.upstream.server import Server


class Pool:
    """The members of one upstream, in one worker."""

    def __init__(self, servers: Sequence[Server], balancer: Balancer, bell: Callable[[], int]) -> None:
        """*bell* gives a number that changes when another worker has put a server out."""
        self.servers = tuple(servers)
        self._balancer = balancer
        self._bell = bell
        self._heard = -1  # nothing yet: it may have rung since the servers were made
        ready = [server for server in servers if server.ready]
        self._ordinary = [server for server in ready if not server.backup]
        self._backups = [server for server in ready if server.backup]
        self._all_in_at = 0.0  # when the last ordinary server is in again

    def choose(self, tried: Collection[Server], now: float) -> Server | None:
        """The server for a session that has *tried* some; None when nobody can take it."""
        if self._bell() != self._heard:
            self._refresh()
        if not tried and now >= self._all_in_at and self._ordinary:
            return self._balancer.choose(self._ordinary)
        for members in (self._ordinary, self._backups):
            candidates = [server for server in members if now >= server.out_until and server not in tried]
            if candidates:
                return self._balancer.choose(candidates)
        for members in (self._ordinary, self._backups):
            candidates = [server for server in members if server not in tried]
            if candidates:
                return self._balancer.choose(candidates)
        return None

    def _refresh(self) -> None:
        self._heard = self._bell()
        for server in self.servers:
            server.refresh()
        self._all_in_at = max((server.out_until for server in self._ordinary), default=0.0)
