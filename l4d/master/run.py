"""Starting a master, in the foreground, as a daemon, or as the one that follows the running one."""

import os
from collections.abc import Sequence

from setproctitle import setproctitle

from l4d.config.load import load
from l4d.errors import L4dError
from l4d.master import bequest as bequests
from l4d.master import daemon as daemons
from l4d.master.bequest import Bequest
from l4d.master.master import Master


def run(path: str, overrides: Sequence[str], *, daemon: bool) -> int:
    """Serve what the file says until told to stop: the exit status. Raises ConfigError or StartError.

    As a daemon the caller's process waits until every worker accepts, and its status says whether that came about.
    """
    bequest = bequests.take()
    path = os.path.abspath(path) if daemon else path
    if bequest is not None:
        return _follow(bequest, path, tuple(overrides), daemon=daemon)
    config = load(path, overrides)
    if daemon:
        return daemons.run(path, tuple(overrides), config)
    master = Master(path, tuple(overrides), daemon=False)
    setproctitle(f"l4d: master process l4d -c {path}")
    master.start(config)
    return master.run(on_ready=lambda: None)


def _follow(bequest: Bequest, path: str, overrides: tuple[str, ...], *, daemon: bool) -> int:
    """The same, after the running master; that tells what is wrong. It has left the terminal, if it is a daemon."""
    setproctitle(f"l4d: master process l4d {'-d ' if daemon else ''}-c {path}")
    master = Master(path, overrides, bequest, daemon=daemon)
    try:
        master.start(load(path, overrides))
        return master.run(on_ready=lambda: None)
    except L4dError as error:
        bequest.refuse(str(error))
        return error.exit_status
    except Exception:  # it may have no other place where it can be told
        master.log.bug("the master")
        return 1
    finally:
        bequest.sock.close()
