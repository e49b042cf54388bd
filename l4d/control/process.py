"""The control process: read the secrets, give up rights, import what it needs, say ready, work when told to."""

import gc
import os
import signal
import sys
from functools import partial
from typing import TYPE_CHECKING, Final, NoReturn

from l4d.child import settle
from l4d.child.life import live
from l4d.control.assignment import ControlAssignment
from l4d.health.words import one_line
from l4d.linux.process import limit_data
from l4d.log.log import Log

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

MOST_DATA: Final = 512 << 20
"""Bytes of memory. A tenth is in use; a server from whom a library reads without end is not to have the machine's."""


def main(assignment: ControlAssignment) -> NoReturn:
    """Be the control process until told to leave. Called in the child, after the fork; never returns."""
    log = settle.make_log(assignment, "control")
    live(log, "control", partial(_work, assignment, log))


def _work(assignment: ControlAssignment, log: Log) -> int:
    # Imported here, so that neither the master nor the workers have these in their memory.
    import asyncio

    from l4d.control.control import Control

    signal.set_wakeup_fd(-1)  # the master's, and a handler would write to whatever has that number here
    for number in (*settle.IGNORED, signal.SIGTERM):  # the last one until there is a loop; see Control.run
        signal.signal(number, _unheeded)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())
    sys.unraisablehook = partial(_tell_unraisable, log)
    limit_data(MOST_DATA)
    settle.leave_terminal(assignment)
    control = Control(assignment, log)  # reads secrets and certificates, as long as it may
    _forget_environment()
    settle.settle(assignment, "control process")
    gc.collect()
    gc.freeze()
    return asyncio.run(control.run())


def _unheeded(_number: int, _frame: object) -> None:
    """What the master decides. To ignore the signal would make the programs of checks ignore it, too (execve(2))."""


def _tell_unraisable(log: Log, told: "UnraisableHookArgs") -> None:
    """What was raised where nobody can catch it, as in the __del__ of some library's object, is a line of the log.

    Python would write a traceback to stderr.
    """
    error = told.exc_value or told.exc_type.__name__
    log.seldom("unraisable", one_line(f"{told.err_msg or 'passed over an exception in'} {told.object!r}: {error!r}"))


def _forget_environment() -> None:
    """Of what the libraries of databases would look for by themselves: our checks are told everything.

    asyncpg reads PG* and ~/.postgresql, and fails if HOME is still root's, and closed.
    """
    for name in [name for name in os.environ if name.startswith("PG")]:
        del os.environ[name]
    os.environ["HOME"] = "/nonexistent"
