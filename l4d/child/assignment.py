"""What the master hands a process at its birth, whether worker or control."""

import socket
from dataclasses import dataclass

from l4d.config.model import Config
from l4d.log.sinks import Sink
from l4d.stats.board import Board
from l4d.stats.columns import Columns


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose rights the process has."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Assignment:
    """What every child needs; it opens no descriptor of the master's by itself."""

    generation: int
    config: Config
    identity: Identity | None  # None: the rights stay as they are
    board: Board
    columns: Columns
    row: int  # the one it writes
    control_row: int  # the one in which control says what it knows of the servers
    channel: socket.socket
    sink: Sink
    master: int  # pid
    detached: bool  # the master is a daemon: no terminal is to be held open
