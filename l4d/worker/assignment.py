"""What the master hands a worker at its birth."""

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from l4d.config.model import Config
from l4d.log.sinks import Sink
from l4d.stats.board import Board
from l4d.stats.columns import Columns


@dataclass(frozen=True, slots=True)
class Identity:
    """Whose rights a worker has."""

    uid: int
    gid: int


@dataclass(frozen=True, slots=True)
class Assignment:
    """Everything a worker needs; it opens nothing by itself."""

    generation: int
    slot: int
    workers: int  # how many slots there are
    config: Config
    sockets: Mapping[str, Sequence[socket.socket]]  # this slot's listening sockets, by listener
    identity: Identity | None  # None: the rights stay as they are
    board: Board
    columns: Columns
    row: int
    channel: socket.socket
    sink: Sink
    master: int  # pid
    detached: bool  # the master is a daemon: no terminal is to be held open
