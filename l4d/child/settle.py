"""How a child settles in: its log, its title, its rights, and that it dies with its master."""

import os
import resource
import signal

from setproctitle import setproctitle

from l4d.child.assignment import Assignment
from l4d.linux import process
from l4d.log.log import Log
from l4d.stats import catalogue

IGNORED = (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGWINCH)
"""What a terminal or a process group is sent is the master's to decide."""


def make_log(assignment: Assignment, who: str) -> Log:
    """The log of the process *who*; lines that cannot be written are counted on its row."""
    row = assignment.board.row(assignment.row)
    dropped = assignment.columns.of(catalogue.LOG_LINES_DROPPED)

    def lost() -> None:
        row[dropped] += 1

    return Log(assignment.sink, assignment.config.log.level, f"{who} generation {assignment.generation}", lost)


def leave_terminal(assignment: Assignment) -> None:
    """Hold no terminal open, if the master is a daemon."""
    if assignment.detached:
        process.leave_terminal()
        if assignment.config.log.error == "stderr":
            null = process.open_null()
            assignment.sink.reopen(null)
            os.close(null)


def settle(assignment: Assignment, title: str) -> None:
    """Title, limits, rights; last the wish to die with the master: a change of user would clear it. Raises OSError."""
    setproctitle(f"l4d: {title}")
    if assignment.config.main.rlimit_nofile:
        _limit_descriptors(assignment.config.main.rlimit_nofile)
    if assignment.identity is not None:
        process.become(assignment.identity.uid, assignment.identity.gid)
    process.forbid_new_privileges()
    assignment.columns.seal()
    if not process.die_with_parent(assignment.master):
        raise ProcessLookupError(None, "the master is gone")


def _limit_descriptors(number: int) -> None:
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (number, max(hard, number)))
