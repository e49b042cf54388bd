"""The checks of one upstream: which of its servers are asked just now."""

from dataclasses import replace

from l4d.address import Address, Inet
from l4d.config.model import Upstream
from l4d.control.book import Book
from l4d.health.checker import Checker
from l4d.health.probe import Target
from l4d.stats.standing import Verdict


class Checks:
    """The servers of one upstream that a checker asks; none, where there are no checks."""

    def __init__(self, upstream: Upstream, book: Book, checker: Checker | None) -> None:
        self._upstream = upstream
        self._book = book
        self._checker = checker
        self._targets: dict[str, Target] = {}
        self._known: dict[str, Target] = {}  # with the server's own port

    def add(self, server: str, address: Address, host: str = "") -> None:
        """There is a server at *address* by the name *server*; if another one had that name, it is gone.

        *host* is the name its address was found by, if it was.
        """
        if server in self._known and self._known[server].address == address:
            return
        self.remove(server)
        self._known[server] = Target(self._upstream.name, server, address, host)
        self._book.come(self._upstream.name, server)
        self.look(server)

    def remove(self, server: str) -> None:
        """The server is gone."""
        self._known.pop(server, None)
        self._book.gone(self._upstream.name, server)
        self._stop(server)

    @property
    def known(self) -> bool:
        """Whether every server that is asked has been judged once."""
        judged = (self._book.known(self._upstream.name, server).verdict for server in self._targets)
        return all(verdict is not Verdict.UNKNOWN for verdict in judged)

    def look(self, server: str) -> None:
        """What is wished of the server may have changed: one in maint is not asked."""
        if self._checker is None or server not in self._known:
            return
        if not self._book.wants_checks(self._upstream.name, server):
            self._stop(server)
        elif server not in self._targets:
            known = self._known[server]
            target = self._targets[server] = replace(known, address=self._where(known.address))
            self._checker.watch(target, self._book.known(self._upstream.name, server))

    def _stop(self, server: str) -> None:
        target = self._targets.pop(server, None)
        if target is not None and self._checker is not None:
            self._checker.forget(target)

    def _where(self, address: Address) -> Address:
        port = self._upstream.check.port
        return address.with_port(port) if port and isinstance(address, Inet) else address

    async def close(self) -> None:
        """Ask nobody any more."""
        if self._checker is not None:
            await self._checker.close()
