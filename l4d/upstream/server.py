"""One server of an upstream as a worker sees it: may it be given a session now, and how much has it to do?

Passive failures hold for all workers together. Each worker counts its own failed dials on its own row of
the board and sums over all rows: *max_fails* of them within *fail_timeout* put the server out for *fail_timeout*.
Once that is over the server is on probation: one dial at a time, until one is answered, and the next failure puts it
out again at once. The worker that put it out begins; for the others its time out is as long again.

    in ---(max_fails)---> out ---(time over)---> probation, one dial at a time ---(answered)---> in
                           ^                         |
                           +-------(failed)----------+

So do sessions: each worker counts those it has given the server, from the moment it is chosen, and the sum over the
rows is what `max_sessions` and the balancing go by.
"""

import math
from collections.abc import Collection
from typing import Final

from l4d.address import SAME_PORT, Address, Inet
from l4d.config.model import Upstream
from l4d.stats.board import Board
from l4d.stats.failures import SharedFailures
from l4d.stats.standing import Situation, Verdict
from l4d.stats.tally import ServerTally
from l4d.terms import Balance, End, Role, ServerState

SLOWEST_START: Final = 0.01
"""A server that has just come back has at least this part of its weight."""

MEMORY: Final = 10.0
"""After so many seconds without a new one, a connect time counts half."""

NEWEST: Final = 0.25
"""What the newest connect time counts in the average."""


class Server:
    """A member of a pool. Identity is what counts: a server is itself alone."""

    __slots__ = (
        "_connect_time",
        "_fail_timeout",
        "_failures",
        "_max_fails",
        "_measured_at",
        "_named",
        "_slow_start",
        "_suspect",
        "_trusting",
        "address",
        "backup",
        "board",
        "down",
        "fading_in",
        "label",
        "leaving",
        "max_sessions",
        "name",
        "on_probation",
        "open",
        "out_until",
        "patience",
        "tally",
        "timed",
        "trying",
        "upstream",
        "weight",
    )

    def __init__(
        self,
        upstream: Upstream,
        name: str,
        address: Address,
        failures: SharedFailures,
        tally: ServerTally,
        board: Board,
        *,
        named: bool,
    ) -> None:
        """*named*: its address came from a name, which control resolves again when it cannot be dialled."""
        self.name = name
        self.upstream = upstream.name
        self.label = f"{upstream.name}/{name}"
        self.address: Address = address
        self.tally = tally
        self.patience = 0  # see session/dialling.py
        self.timed = upstream.balance is Balance.LEAST_TIME  # whether it is measured how soon it answers
        self.weight = 1.0  # what it counts now, beside the others
        self.max_sessions = 0  # 0: no bound
        self.backup = False
        self.open = False  # whether it may be given sessions, as far as checks and the operator say
        self.down = False  # whether checks say that it is
        self.leaving = False  # whether its name no longer has the address, or the file has it no more
        self.fading_in = False  # whether its weight still grows
        self.out_until = 0.0
        self.on_probation = False
        self.trying = 0  # dials under way here while it is on probation
        self.board = board
        self._named = named
        self._max_fails = upstream.max_fails
        self._fail_timeout = upstream.fail_timeout
        self._slow_start = upstream.slow_start
        # One whose role is not known yet may be the wrong one.
        self._trusting = upstream.check.role is Role.ANY
        self._failures = failures
        self._suspect = False
        self._connect_time = 0.0
        self._measured_at = 0.0

    def address_for(self, port: int) -> Address:
        """Where to dial for a client that came to *port*."""
        if isinstance(self.address, Inet) and self.address.port == SAME_PORT:
            return self.address.with_port(port)
        return self.address

    # What others say

    def refresh(self, situation: Situation, now: float, *, backup: bool, leaving: bool) -> None:
        """Take over what control and the other workers have said; *leaving*: its name no longer has the address."""
        verdict = situation.verdict
        self.down = verdict is Verdict.DOWN
        self.leaving = leaving
        up = verdict is Verdict.UP or (verdict is Verdict.UNKNOWN and self._trusting)
        self.open = up and not leaving and situation.state is ServerState.READY
        self.backup = backup
        self.max_sessions = situation.max_sessions
        share = self._share(now - situation.up_since) if situation.up_since else 1.0
        self.fading_in = share < 1.0
        self.weight = situation.weight * share
        self.out_until = self._failures.out_until(self._fail_timeout)
        self.on_probation = 0 < self.out_until <= now

    @property
    def lost(self) -> End | None:
        """How its sessions end where its going closes them (on_down); None: it has not gone."""
        if self.down:
            return End.SERVER_DOWN
        return End.SERVER_REMOVED if self.leaving else None

    def _share(self, age: float) -> float:
        """What part of its weight a server has that came back *age* seconds ago."""
        # The age may be negative: what control has just written is later than the beginning of our turn.
        if not self._slow_start or age >= self._slow_start:
            return 1.0
        return max(SLOWEST_START, age / self._slow_start)

    # What it has to do

    def load(self) -> int:
        """Its sessions over all workers, those included that it is being dialled for."""
        return sum(self.board.read(self.tally.sessions))

    def is_full(self) -> bool:
        """Whether it has its max_sessions."""
        return self.max_sessions > 0 and self.load() >= self.max_sessions

    def takes(self, tried: Collection["Server"]) -> bool:
        """Whether a member of a pool may be given one more session, of one that has *tried* some servers."""
        if self.on_probation and self.trying:
            return False
        return self not in tried and not (self.max_sessions and self.is_full())

    def take(self) -> bool:
        """Count one more session; False, and nothing is counted, if another worker has just made it full.

        Counted first and looked at then: two who do so at the same time may both find it full, but do not both find
        room. (A processor may read before what it has written is seen; the interpreter needs longer than that between.)
        """
        tally = self.tally
        tally.row[tally.sessions] += 1
        if self.max_sessions and self.load() > self.max_sessions:
            tally.row[tally.sessions] -= 1
            return False
        if self.on_probation:
            self.trying += 1
        return True

    def give_back(self) -> None:
        """One session less."""
        tally = self.tally
        tally.row[tally.sessions] -= 1
        if self.max_sessions and sum(self.board.read(tally.queued)):
            self.board.tell_gap()

    def arrive(self) -> None:
        """One session more, that has come from another worker: it has its place already."""
        self.tally.row[self.tally.sessions] += 1

    def move(self) -> None:
        """One session goes on in another worker. It keeps its place, so nobody is told of a gap."""
        self.tally.row[self.tally.sessions] -= 1

    def let_go(self) -> None:
        """A dial was given up, and says nothing of the server."""
        self.given_up()
        self.give_back()

    # What became of dials

    def failed(self, now: float) -> bool:
        """A dial has failed. True when that puts the server out."""
        self.given_up()
        if self._named:
            self.board.knock()
        if not self._max_fails:
            return False
        self._suspect = True
        if self._failures.add(now, self._fail_timeout) < self._max_fails and not self.on_probation:
            return False
        if now < self.out_until:  # dialled because nobody else was left: its time out is not prolonged
            return False
        self.out_until = now + self._fail_timeout
        self.on_probation = False
        self._failures.put_out(self.out_until)
        return True

    def succeeded(self, now: float) -> bool:
        """A dial was answered. True when the server was out before."""
        if self.trying:
            self.trying -= 1
        if not self._suspect and not self.out_until:
            return False
        was_out = self.out_until > 0  # still, and dialled because nobody else was left; or on probation
        self.out_until, self.on_probation, self._suspect = 0.0, False, False
        self._failures.clear(now, was_out=was_out)
        return was_out

    def given_up(self) -> None:
        """A dial is over, whatever came of it."""
        if self.trying:
            self.trying -= 1

    def answered_in(self, seconds: float, now: float) -> None:
        """A dial took so long, to its answer or its timeout."""
        average = self.connect_time(now)
        self._connect_time = average + NEWEST * (seconds - average) if average else seconds
        self._measured_at = now

    def connect_time(self, now: float) -> float:
        """The moving average of how long dials take, fading so that a slow server is tried again; 0: not known."""
        if not self._connect_time:
            return 0.0
        return self._connect_time * math.pow(0.5, (now - self._measured_at) / MEMORY)
