"""The estate: what a master has beyond its processes, and what outlives each of its generations."""

from l4d.master import pidfile, sockets
from l4d.master.pidfile import PidFile
from l4d.master.prepare import Prepared
from l4d.stats import catalogue
from l4d.stats.board import RETIRED, Board
from l4d.stats.columns import Columns


class Estate:
    """The board, the listening sockets, the pid file, and how many generations there were."""

    def __init__(self) -> None:
        """A new board, whose first row is control's; nothing else is held yet."""
        self.board = Board()
        self.columns = Columns()
        self.control_row = self.board.take_row()
        self.held: dict[sockets.Place, sockets.Bound] = {}
        self.pid_file: PidFile | None = None
        self.last_number = 0

    def keep(self, prepared: Prepared) -> None:
        """*prepared* is the present: hold what it needs, and nothing else."""
        self.held = sockets.keep(prepared.plan, prepared.config, self.held)
        self.pid_file = pidfile.succeed(self.pid_file, prepared.pid_file, prepared.config.main.pid_file)

    def release_sockets(self) -> None:
        """The addresses are free for others, as far as no worker has them."""
        for bound in self.held.values():
            sockets.release(bound)
        self.held = {}

    def release(self) -> None:
        """The master ends, and nobody follows."""
        if self.pid_file is not None:
            self.pid_file.remove()
        self.release_sockets()

    def lost_line(self) -> None:
        """The master could not write a line of its log."""
        # The retired row is the master's own: it has none else.
        self.board.row(RETIRED)[self.columns.of(catalogue.LOG_LINES_DROPPED)] += 1
