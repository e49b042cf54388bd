"""The first server that is not full, in the order of the configuration: the others are touched only when needed."""

from collections.abc import Collection, Sequence

from l4d.upstream.outlook import Outlook
from l4d.upstream.server import Server


class First:
    """No turns and no weights."""

    __slots__ = ("_members",)

    def __init__(self) -> None:
        self._members: list[Server] = []

    def fill(self, members: Sequence[Server]) -> None:
        self._members = list(members)

    def choose(self, tried: Collection[Server], key: int, now: float) -> Server | None:  # noqa: ARG002 - Balancer
        for server in self._members:
            if server.takes(tried):
                return server
        return None

    def peek(self, key: int, now: float) -> Outlook | None:
        server = self.choose((), key, now)
        return Outlook(server, "the first in order that has room") if server is not None else None

    def passed_over(self, server: Server, now: float) -> str:  # noqa: ARG002 - Balancer
        return "another one comes first in order"

    def work(self) -> bool:
        return False
