"""Everything a configuration needs before a worker can be born, opened or found; or the reasons why it cannot be.

Start, reload and `-t` all come through here, so that a check finds what a reload would.
"""

import contextlib
import os
import resource
import shutil
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from l4d.address import Address
from l4d.child.assignment import Identity
from l4d.config.model import Config, Upstream
from l4d.config.values import MOST_WORKERS
from l4d.errors import StartError
from l4d.health.secret import read_secret
from l4d.linux import process
from l4d.log.outlets import Outlet, open_outlet
from l4d.log.sinks import Sink, open_sink
from l4d.master import identity, sockets
from l4d.master.bound import Bound, Place
from l4d.master.doors import Door, Doors
from l4d.master.instance import Served
from l4d.master.pidfile import PidFile

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Prepared:
    """A configuration ready to be served."""

    config: Config
    slots: int
    identity: Identity | None
    sink: Sink
    access: dict[str, Outlet]  # the access logs, by target
    plan: sockets.Plan
    doors: Doors
    pid_file: PidFile | None  # locked, if it is not the one that is held already

    def drop(self) -> None:
        """It will not be served: close what was opened for it."""
        self.plan.drop()
        self.doors.drop()
        self.sink.close()
        self.close_access()
        if self.pid_file is not None:
            self.pid_file.remove()

    def close_access(self) -> None:
        """No worker will be born any more who writes access logs."""
        _close(self.access)


def prepare(
    config: Config,
    held: dict[Place, Bound],
    doors: Mapping[Address, Door],
    pid_file: str,
    served: Collection[Served] = (),
) -> Prepared:
    """Open what *config* names, beside the sockets, *doors* and the *pid_file* held already; *served* see Plan.

    Raises StartError with all that failed, and leaves nothing open then.
    """
    problems: list[str] = []
    with contextlib.ExitStack() as undo:
        whom = _attempt(problems, lambda: identity.find(config.main))
        _attempt(problems, lambda: _check_limit(config.main.rlimit_nofile))
        for upstream in config.upstreams.values():
            _attempt(problems, partial(_check_files, upstream))
        sink = _attempt(problems, lambda: open_sink(config.log.error))
        if sink is not None:
            undo.callback(sink.close)
        access: dict[str, Outlet] = {}
        undo.callback(_close, access)
        for target, key in config.access_logs().items():
            outlet = _attempt(problems, partial(open_outlet, target, key))
            if outlet is not None:
                access[target] = outlet
        lock = _attempt(problems, lambda: _lock_pid_file(config.main.pid_file, pid_file))
        if lock is not None:
            undo.callback(lock.remove)
        open_doors = _attempt(problems, lambda: Doors(config.admin, doors))
        if open_doors is not None:
            undo.callback(open_doors.drop)
        slots = config.main.workers or min(process.cpu_count(), MOST_WORKERS)
        retain = config.main.handover
        made = (
            None if problems else _attempt(problems, lambda: sockets.plan(config, slots, held, served, retain=retain))
        )
        if sink is None or open_doors is None or made is None:
            raise StartError(*problems)
        undo.pop_all()
    return Prepared(config, slots, whom, sink, access, made, open_doors, lock)


def _close(access: dict[str, Outlet]) -> None:
    for outlet in access.values():
        outlet.close()
    access.clear()


def _attempt(problems: list[str], call: Callable[[], T]) -> T | None:
    """What *call* gives; None, with its *problems* noted, if it cannot."""
    try:
        return call()
    except StartError as error:
        problems += error.messages
        return None


def _check_files(upstream: Upstream) -> None:
    """Whether control will find what its checks need: a password, the certificates of authorities."""
    check = upstream.check
    problems: list[str] = []
    _attempt(problems, lambda: read_secret(check, os.environ))
    _attempt(problems, lambda: _check_readable("ca_file", check.ca_file))
    if check.command and shutil.which(check.command[0], path=process.PROGRAMS) is None:
        problems.append(f"command: there is no program {check.command[0]}")
    if problems:
        raise StartError(*(f"upstreams.{upstream.name}.check.{problem}" for problem in problems))


def _check_readable(key: str, path: str) -> None:
    if not path:
        return
    try:
        open(path, "rb").close()
    except OSError as error:
        raise StartError(f"{key}: {path}: {(error.strerror or str(error)).lower()}") from None


def _lock_pid_file(wanted: str, ours: str) -> PidFile | None:
    return PidFile(wanted) if wanted and wanted != ours else None


def _check_limit(wanted: int) -> None:
    """Whether the workers may have so many descriptors (0: as it is)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if wanted <= hard:
        return
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, wanted))
    except (OSError, ValueError):
        raise StartError(
            f"main.rlimit_nofile: {wanted} is above the hard limit of {hard}; raise that (ulimit -Hn, LimitNOFILE=)"
        ) from None
