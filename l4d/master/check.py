"""`l4d -t`: is the configuration right, and could it be served here?"""

import dataclasses
from collections.abc import Sequence

from l4d.address import Address, Unix
from l4d.config.load import load
from l4d.config.model import Config
from l4d.errors import StartError
from l4d.master import instance, pidfile
from l4d.master.prepare import prepare
from l4d.stats import tally
from l4d.stats.board import BoardFullError
from l4d.stats.columns import Columns
from l4d.terms import Protocol


def check(path: str, overrides: Sequence[str]) -> Config:
    """Read the file and open what it names; nothing is kept. Raises ConfigError or StartError with all that is wrong.

    What the l4d that would be reloaded holds, its addresses and pid file, is taken as fine. It is found by the pid
    file; without one, any l4d is taken for it.
    """
    config = load(path, overrides)
    _check_columns(config)
    pid_file = config.main.pid_file
    running = pidfile.holder(pid_file)
    prepare(_without_served(config, running), {}, {}, pid_file if running else "", instance.served()).drop()
    return config


def _check_columns(config: Config) -> None:
    """Whether the board has room for every number that would be kept. Raises StartError."""
    try:
        tally.reserve(Columns(), config)
    except BoardFullError as error:
        raise StartError(str(error)) from None


def _without_served(config: Config, running: int) -> Config:
    """*config* without the addresses that the l4d of pid *running* serves; 0: none runs with this pid file."""
    if config.main.pid_file and not running:
        return config

    def is_free(protocol: Protocol, address: Address) -> bool:
        pid = instance.holder(protocol, address)
        return not pid or bool(running and pid not in {running, -1})

    listeners = {}
    for name, listener in config.listeners.items():
        free = tuple(address for address in listener.addresses if is_free(listener.protocol, address))
        listeners[name] = dataclasses.replace(listener, addresses=free)
    doors = {address for address in config.admin.addresses if is_free(Protocol.TCP, address)}
    unix, inet = config.admin.socket, config.admin.listen
    admin = dataclasses.replace(
        config.admin, socket=unix if Unix(unix) in doors else "", listen=inet if inet in doors else None
    )
    return dataclasses.replace(config, admin=admin, listeners=listeners)
