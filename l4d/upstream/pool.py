"""A pool: the servers of an upstream as they are now, and the choice among them.

In this order: ordinary servers that are in; backups that are in; ordinary servers that are out, or on probation with
a dial under way, by failed dials alone; such backups. A server that was tried for a session is not tried for it again.

What is known of the servers is taken over from the board when the bell has rung, when one's time out is over, and
while one gets its weight little by little.
"""

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import Final

from l4d.stats.board import Board
from l4d.upstream.balance import Balancer
from l4d.upstream.outlook import Outlook, Remark
from l4d.upstream.place import Place
from l4d.upstream.server import Server

STEPS: Final = 20
"""In so many steps a server that comes back gets its weight."""

NEVER: Final = float("inf")

Key = Callable[[object, int], int]
"""The hash of a session, from the client's socket address and the port it came to."""


class Pool:
    """The members of one upstream, in one worker."""

    def __init__(
        self,
        places: Callable[[], Sequence[Place]],
        make_balancer: Callable[[], Balancer],
        board: Board,
        queue: tuple[memoryview, int],
        key: Key | None = None,
        step: float = NEVER,
        *,
        patient: bool = False,
    ) -> None:
        """*places* gives those there are; names get more of them as time goes by.

        *queue* is the row and column in which those who wait are counted; *key* is None where nothing is hashed; *step*
        is the time, in seconds, between two steps of a slow start; *patient*: a session waits for servers that are full
        rather than being given to one that is out.
        """
        self._places = places
        self._board = board
        self._queue = queue
        self._key = key
        self._step = step
        self._patient = patient
        self._heard = -1  # nothing yet: it may have rung since the places were made
        self._refresh_at = 0.0
        self._nobody_out = False
        self._filled_with: list[tuple[Server, float, bool]] = []  # what the balancers were filled with
        self._ordinary, self._backups = make_balancer(), make_balancer()
        self.servers: tuple[Server, ...] = ()
        """Those who are there, whether or not they may be chosen; to be had after the first `refresh`."""

    def choose(self, tried: Collection[Server], now: float, client: object, port: int) -> Server | None:
        """The server for a session that has *tried* some, counted as its own; None when nobody can take it.

        *client* is its socket address, *port* the one it came to.
        """
        if self._board.bell != self._heard or now >= self._refresh_at:
            self.refresh(now)
        key = self._key(client, port) if self._key is not None else 0
        while True:
            server = self._find(tried, key, now)
            if server is None or server.take():
                return server

    def _find(self, tried: Collection[Server], key: int, now: float) -> Server | None:
        server = self._ordinary.choose(tried, key, now)
        if server is None:
            server = self._backups.choose(tried, key, now)
        if server is not None or self._nobody_out or (self._patient and self.is_crowded(tried)):
            return server
        return self._choose_last(tried)

    def _choose_last(self, tried: Collection[Server]) -> Server | None:
        """Nobody else is left: of those that only failed dials keep from being chosen, the one with the least to do."""
        left = [
            server
            for server in self.servers
            if server.open and server.out_until and server not in tried and not server.is_full()
        ]
        return min(left, key=lambda server: (server.backup, server.load() / server.weight), default=None)

    def peek(self, now: float, client: object, port: int) -> Outlook | None:
        """Whom `choose` would give a session that has tried nobody, and why; None: nobody can take it.

        Nothing is counted, and no turn is used up.
        """
        self.keep_up(now)
        key = self._key(client, port) if self._key is not None else 0
        outlook = self._ordinary.peek(key, now)
        if outlook is None:
            outlook = self._backups.peek(key, now)
            if outlook is not None:
                outlook = outlook._replace(why=f"no ordinary server takes it; of the backups: {outlook.why}")
        if outlook is not None or self._nobody_out or (self._patient and self.is_crowded(())):
            return outlook
        last = self._choose_last(())
        return Outlook(last, "nobody else is left, though its dials have failed") if last is not None else None

    def remarks(self, outlook: Outlook | None, now: float) -> list[Remark]:
        """What is to be said of each server after a `peek`."""
        chosen = outlook.server if outlook is not None else None
        places = {place.server: place for place in self._places()}
        ordinary = self._ordinary.peek(0, now) is not None
        found: list[Remark] = []
        for server in self.servers:
            if outlook is not None and server is chosen:
                found.append(Remark(server, takes=True, why=outlook.why))
                continue
            why = self._why_not(server, places[server], now)
            if not why and server.backup and ordinary:
                why = "a backup, and ordinary servers can take it"
            balancer = self._backups if server.backup else self._ordinary
            found.append(Remark(server, not why, why or balancer.passed_over(server, now)))
        return found

    def _why_not(self, server: Server, place: Place, now: float) -> str:
        """What keeps *server* from being chosen; empty, if nothing does."""
        if not server.open:
            return place.why_closed()
        if now < server.out_until:
            return f"out for {math.ceil(server.out_until - now)} s more after failed dials"
        if server.on_probation and server.trying:
            return "on probation, and a dial is under way"
        if server.is_full():
            return f"full: {server.load()} of max_sessions {server.max_sessions}"
        return ""

    def is_crowded(self, tried: Collection[Server]) -> bool:
        """Whether a session that nobody has taken would be taken if some server had less to do.

        Who is in, and was neither tried nor chosen, was full. How much each has to do is not looked at again: another
        worker may have changed that meanwhile, and then tells those who wait.
        """
        return any(server.open and not server.out_until and server not in tried for server in self.servers)

    def enter_queue(self, most: int) -> bool:
        """One more session waits; False, and nothing is counted, if that would be more than *most* over all workers."""
        if not most:
            return False
        row, column = self._queue
        row[column] += 1
        if sum(self._board.read(column)) <= most:
            return True
        row[column] -= 1
        return False

    def resume_queue(self) -> None:
        """One more session waits, that has waited in another worker: it has its place already."""
        row, column = self._queue
        row[column] += 1

    def leave_queue(self) -> None:
        """One session waits no more."""
        row, column = self._queue
        row[column] -= 1

    def keep_up(self, now: float) -> None:
        """Take over what was said since the last time, if anything was."""
        if self._board.bell != self._heard or now >= self._refresh_at:
            self.refresh(now)

    def refresh(self, now: float) -> None:
        """Look at all that is said."""
        self._heard = self._board.bell
        places = self._places()
        for place in places:
            place.refresh(now)
        self.servers = tuple(place.server for place in places if place.server is not None)
        members = [server for server in self.servers if server.open and now >= server.out_until]
        shares = [(server, server.weight, server.backup) for server in members]
        if shares != self._filled_with:  # the bell rings for other upstreams too
            self._filled_with = shares
            self._ordinary.fill([server for server in members if not server.backup])
            self._backups.fill([server for server in members if server.backup])
        self._nobody_out = not any(server.out_until for server in self.servers)
        self._refresh_at = min(self._changes(now), default=NEVER)

    def _changes(self, now: float) -> Iterator[float]:
        """When something will change that nobody rings the bell for."""
        for server in self.servers:
            if server.out_until > now:
                yield server.out_until
            if server.fading_in:
                yield now + self._step

    def work(self) -> bool:
        """Do a bounded piece of what the balancing has left to do; whether there is more of it."""
        more = self._ordinary.work()
        return self._backups.work() or more
