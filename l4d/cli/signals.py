"""`l4d -s`: tell the running master something, by the signal that means it."""

import os
import signal

from l4d.cli.options import Signal
from l4d.config.load import load
from l4d.errors import StartError
from l4d.master.pidfile import find_running

_NUMBERS = {
    Signal.STOP: signal.SIGTERM,
    Signal.QUIT: signal.SIGQUIT,
    Signal.RELOAD: signal.SIGHUP,
    Signal.REOPEN: signal.SIGUSR1,
    Signal.UPGRADE: signal.SIGUSR2,
}


def send(wanted: Signal, path: str) -> None:
    """Signal the master whose pid file the configuration names. Raises ConfigError or StartError."""
    pid = find_running(load(path).main.pid_file)
    try:
        os.kill(pid, _NUMBERS[wanted])
    except ProcessLookupError:
        raise StartError(f"no l4d is running: pid {pid} has just ended") from None
    except PermissionError:
        raise StartError(f"telling pid {pid} to {wanted.value}: it belongs to another user") from None
