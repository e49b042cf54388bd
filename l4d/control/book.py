"""The book: what control says of every server, written on its row of the board, and told in the log.

The only hand that writes there: results of checks, verdicts, what agents want, what the operator wishes. Whenever
workers have to look again the bell is rung: at once, and then no more than once in a moment, whatever is written.
"""

import asyncio
import time
from dataclasses import dataclass

from l4d.config.model import Config, Server, Upstream
from l4d.health.probe import Known, Target
from l4d.log.log import Log
from l4d.stats import catalogue
from l4d.stats.board import Board
from l4d.stats.columns import Columns
from l4d.stats.standing import Standing, Verdict, subject_of
from l4d.stats.wish import Unsaid, Wish
from l4d.terms import Role, ServerState

MOMENT = 0.005
"""Seconds, the least time between two rings: when hundreds of servers go down workers need not look for each."""


@dataclass(frozen=True, slots=True)
class Page:
    """One server, or all servers of a name together, with the entry of the configuration it comes from."""

    upstream: Upstream
    entry: Server
    standing: Standing


class Book:
    """All servers of a configuration; the pages of names, and of each of their seats, among them."""

    def __init__(self, config: Config, board: Board, columns: Columns, row: memoryview, log: Log) -> None:
        """*row* is control's. Nothing is written yet; see `open`."""
        self._board = board
        self._log = log
        self._columns = columns
        self._ringing: asyncio.TimerHandle | None = None  # the moment after a ring
        self._unheard = False  # whether something was written in it
        self._present: dict[str, set[str]] = {upstream: set() for upstream in config.upstreams}
        self._failed: dict[tuple[str, str], str] = {}  # why the last check failed
        self._pages = {
            (upstream.name, name): Page(upstream, entry, Standing(row, columns, upstream.name, name))
            for upstream in config.upstreams.values()
            for entry in upstream.servers
            for name in dict.fromkeys((entry.name, *entry.seats))
        }

    def open(self) -> None:
        """Go on from what the last control process has written, as far as the configuration is still the same."""
        for page in self._pages.values():
            page.standing.forget_stale(page.entry)
            page.standing.begin(subject_of(page.upstream, page.entry))
        self.ring()

    def close(self) -> None:
        """Write no more; what was written is told."""
        if self._ringing is not None:
            self._ringing.cancel()
            self._moment_over()

    def ring(self) -> None:
        """Workers have to look again."""
        if self._ringing is not None:
            self._unheard = True
            return
        self._board.ring()
        self._ringing = asyncio.get_running_loop().call_later(MOMENT, self._moment_over)

    def _moment_over(self) -> None:
        self._ringing = None
        if self._unheard:
            self._unheard = False
            self._board.ring()

    # What is known

    def known(self, upstream: str, server: str) -> Known:
        """What the checks and the agent have said so far."""
        standing = self._pages[upstream, server].standing
        return Known(standing.verdict, *standing.wanted)

    def reason(self, upstream: str, server: str) -> str | None:
        """Why its last failed check did; None: this process has seen none fail."""
        return self._failed.get((upstream, server))

    def judged_at(self, upstream: str, server: str) -> float:
        """When its verdict became what it is, in monotonic seconds; 0: it never was another one."""
        return self._pages[upstream, server].standing.judged_at

    def come(self, upstream: str, server: str) -> None:
        """There is such a server: it counts among those that are up, or are not."""
        self._present[upstream].add(server)

    def gone(self, upstream: str, server: str) -> None:
        """There is no such server any more."""
        self._present[upstream].discard(server)

    def wants_checks(self, upstream: str, server: str) -> bool:
        """Whether a server is to be checked: not one in maint, by the file or by the operator."""
        page = self._pages[upstream, server]
        whole = self._pages[upstream, page.entry.name].standing
        return page.standing.wished_state(page.entry, whole) is not ServerState.MAINT

    def is_free(self, upstream: Upstream, server: str) -> bool:
        """Whether nothing is left of a server that has gone: no session, no memory of failed dials in any worker."""
        board, columns = self._board, self._columns
        if board.total(columns.of(catalogue.SERVER_SESSIONS, upstream.name, server)):
            return False
        out_until = max(board.read(columns.of(catalogue.OUT_UNTIL, upstream.name, server))) / 1000
        return not out_until or out_until + upstream.fail_timeout < time.monotonic()

    def seats(self, upstream: str, server: str) -> tuple[str, ...]:
        """The servers that a name of one means: itself, or all that an entry may stand for."""
        entry = self._pages[upstream, server].entry
        return entry.seats if server == entry.name else (server,)

    def failures(self, upstream: str, server: str) -> int:
        """How many dials of the server have failed."""
        columns, metric = self._columns, catalogue.SERVER_FAILURES
        reasons = catalogue.FAILURE_REASONS
        return sum(self._board.total(columns.of(metric, upstream, server, reason)) for reason in reasons)

    def forget(self, upstream: str, server: str) -> None:
        """Another server will be in this place: nothing is known of it."""
        self._pages[upstream, server].standing.clear()
        self._failed.pop((upstream, server), None)

    # What checks say: health.checker.Reports

    def checked(self, target: Target, well: bool, why: str) -> None:
        good, failed = catalogue.CHECK_RESULTS
        self._pages[target.upstream, target.server].standing.count(good if well else failed)
        if not well:
            self._failed[target.upstream, target.server] = why

    def judged(self, target: Target, verdict: Verdict, why: str) -> None:
        page = self._pages[target.upstream, target.server]
        before = page.standing.verdict
        if before is verdict:
            return
        page.standing.judge(verdict, time.monotonic())
        self.ring()
        if verdict is Verdict.DOWN:
            self._log.warning(f"server {target} is down: {why}{self._left(target.upstream)}")
        elif before is Verdict.DOWN or page.upstream.check.role is not Role.ANY:
            self._log.info(f"server {target} is up: {why}")
        else:
            self._log.debug(f"server {target} is up: {why}")  # it was taken for that

    def _left(self, upstream: str) -> str:
        """How many servers of the upstream are left, in words."""
        present = self._present[upstream]
        up = sum(self._pages[upstream, server].standing.verdict is not Verdict.DOWN for server in present)
        if len(present) < 2:
            return ""
        return f"; {up} of {len(present)} are up" if up else f"; none of {len(present)} is up"

    def wanted(self, target: Target, state: ServerState | None, percent: int | None) -> None:
        page = self._pages[target.upstream, target.server]
        page.standing.want(state, percent)
        self.ring()
        weight = "" if percent is None else f", {percent} % of its weight"
        wish = "nothing" if state is None else state.value
        self._log.info(f"server {target}: its agent wants {wish}{weight}")

    # What the operator wishes

    def wish(self, upstream: str, server: str, change: Wish, by: str) -> None:
        """Do as the operator wishes, for a server, or by the name of an entry for all servers it stands for.

        *by* says in the log who that was.

        Raises KeyError: there is no such server.
        """
        page = self._pages[upstream, server]
        standing, file = page.standing, page.entry
        if change.state is not Unsaid.KEEP:
            standing.wish_state(None if change.state is Unsaid.FILE else change.state, file)
        if change.weight is not Unsaid.KEEP:
            standing.wish_weight(None if change.weight is Unsaid.FILE else change.weight, file)
        if change.max_sessions is not Unsaid.KEEP:
            standing.wish_sessions(None if change.max_sessions is Unsaid.FILE else change.max_sessions, file)
        self.ring()
        self._log.info(f"server {upstream}/{server}: {change.words} (by {by})")
