"""Starting a master, in the foreground or as a daemon."""

import os
from collections.abc import Sequence

from setproctitle import setproctitle

from l4d.config.load import load
from l4d.master import daemon as daemons
from l4d.master.master import Master


def run(path: str, overrides: Sequence[str], *, daemon: bool) -> int:
    """Serve what the file says until told to stop: the exit status. Raises ConfigError or StartError.

    As a daemon the caller's process waits until every worker accepts, and its status says whether that came about.
    """
    config = load(path, overrides)
    if daemon:
        return daemons.run(os.path.abspath(path), tuple(overrides), config)
    master = Master(path, tuple(overrides), daemon=False)
    setproctitle(f"l4d: master process l4d -c {path}")
    master.start(config)
    return master.run(on_ready=lambda: None)
