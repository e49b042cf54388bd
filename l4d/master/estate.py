"""The estate: what a master has beyond its processes, and what outlives each of its generations.

At an upgrade it goes to the next program (master/inheritance.py). For a while two masters have it then, and only one of
them folds the rows of dead processes (`Board.keeper`) and gives columns back.
"""

import socket
import time
from collections.abc import Collection
from dataclasses import dataclass, field

from l4d.address import Address
from l4d.linux import calls
from l4d.master import instance, pidfile, sockets
from l4d.master.bound import Bound, Place, steer
from l4d.master.doors import Door
from l4d.master.pidfile import PidFile
from l4d.master.prepare import Prepared
from l4d.stats import catalogue
from l4d.stats.board import RETIRED, Board
from l4d.stats.catalogue import Metric
from l4d.stats.changes import Changes
from l4d.stats.columns import Columns, Key
from l4d.terms import Protocol


@dataclass(slots=True)
class Estate:
    """The board, the listening sockets, those of the admin API, the pid file, and what has happened so far."""

    board: Board
    columns: Columns
    control_row: int
    inquiries: socket.socket  # which workers call, so that control can ask them
    held: dict[Place, Bound] = field(default_factory=dict)
    doors: dict[Address, Door] = field(default_factory=dict)
    pid_file: PidFile | None = None
    last_number: int = 0
    changes: Changes = field(default_factory=Changes)
    inherited: frozenset[Key] = frozenset()  # names of numbers that another master's processes still write
    ours: bool = True  # to be cleared away when we end; for as long as another master is l4d, it is its own

    @property
    def _addresses(self) -> list[Bound | Door]:
        return [*self.held.values(), *self.doors.values()]

    def keep(self, prepared: Prepared) -> None:
        """*prepared* is the present: hold what it needs, and nothing else."""
        self.held = sockets.keep(prepared.plan, prepared.config, self.held)
        self.doors = prepared.doors.settle(self.doors)
        self.pid_file = pidfile.succeed(self.pid_file, prepared.pid_file, prepared.config.main.pid_file)

    def steer(self, prepared: Prepared, protocol: Protocol) -> None:
        """Clients of *protocol* go to the workers of what is the present. Raises OSError."""
        steer(prepared.plan.of_protocol(protocol), prepared.slots)

    def steer_to(self, slots: int) -> None:
        """UDP clients go to the workers of another master, in so many slots. Raises OSError."""
        steer([bound for bound in self.held.values() if bound.protocol is Protocol.UDP], slots)

    def vacate(self, prepared: Prepared) -> None:
        """No flow is left on addresses that *prepared*, which is the present, has only for flows."""
        prepared.plan.vacate()
        self.held = prepared.plan.places

    def retire_sockets(self) -> None:
        """Nothing new is taken: TCP addresses are free for others, as far as no worker has them.

        UDP sockets are kept for those who have a flow: the next generation may take them up.
        """
        kept = {place: bound for place, bound in self.held.items() if bound.protocol is Protocol.UDP}
        for place, bound in self.held.items():
            if place in kept:
                bound.retired = True
            else:
                bound.release()
        self.held = kept

    def forget_all_but(self, keys: Collection[Key]) -> None:
        """Give back the columns of all other names, if nobody else can need them."""
        if self.board.keeper is None and not self.board.lent:
            self.board.forget(self.columns.release_all_but(self.inherited.union(keys)))

    def count(self, metric: Metric, *labels: str) -> None:
        """One more of what the master itself counts."""
        if self.board.keeper is None:  # the retired row is the keeper's own: it has none else
            self.board.row(RETIRED)[self.columns.of(metric, *labels)] += 1

    def lost_line(self) -> None:
        """The master could not write a line of its log."""
        self.count(catalogue.LOG_LINES_DROPPED)

    def note_commit(self, number: int) -> None:
        """Generation *number* serves from now on; the first one is no reload."""
        if number > 1:
            self.count(catalogue.RELOADS, "success")
        metric = catalogue.LAST_RELOAD
        self.board.row(RETIRED)[self.columns.of(metric)] = int(time.time() * metric.unit)

    def release(self) -> None:
        """The master ends. If nobody follows, the addresses are free, and there is no pid file any more."""
        self.inquiries.close()
        if not self.ours:
            self.leave()
            return
        if self.pid_file is not None:
            self.pid_file.remove()
        for each in self._addresses:
            each.release()

    def leave(self) -> None:
        """Another master has the sockets and the pid file: close our copies.

        Our workers go on calling by the name of `inquiries`, so that is held: nobody else may ever have the name.
        """
        self.ours = False
        for each in self._addresses:
            each.close()
        self.held, self.doors = {}, {}
        if self.pid_file is not None:
            self.pid_file.close()
            self.pid_file = None

    def take(self) -> None:
        """It was another master's, and is ours from here on, also to whoever asks whose the addresses are."""
        self.ours = True
        self.board.keeper = None
        for each in self._addresses:
            instance.renew(each.lock)


def first_estate() -> Estate:
    """That of a master who follows nobody. The first row is control's."""
    board = Board()
    return Estate(board, Columns(), board.take_row(), calls.listen(), changes=Changes(time.time()))
