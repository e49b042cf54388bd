"""`l4d -t`: is the configuration right, and could it be served here?"""

import dataclasses
from collections.abc import Sequence

from l4d.config.load import load
from l4d.config.model import Config
from l4d.master import instance, pidfile
from l4d.master.prepare import prepare


def check(path: str, overrides: Sequence[str]) -> Config:
    """Read the file and open what it names; nothing is kept. Raises ConfigError or StartError with all that is wrong.

    What a running l4d holds, its addresses and pid file, is taken as fine: the check is made before reloading it.
    """
    config = load(path, overrides)
    running = pidfile.is_held(config.main.pid_file)
    prepare(_without_served(config), {}, config.main.pid_file if running else "", instance.served()).drop()
    return config


def _without_served(config: Config) -> Config:
    listeners = {}
    for name, listener in config.listeners.items():
        free = tuple(address for address in listener.addresses if not instance.holder(listener.protocol, address))
        listeners[name] = dataclasses.replace(listener, addresses=free)
    return dataclasses.replace(config, listeners=listeners)
