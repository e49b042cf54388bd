"""An estate as a will with its descriptors, and back."""

import os
import socket
import time
from collections.abc import Sequence

from l4d.errors import StartError
from l4d.linux import calls
from l4d.master.bound import Bound, Place
from l4d.master.doors import Door
from l4d.master.estate import Estate
from l4d.master.pidfile import PidFile
from l4d.master.will import AddressLeft, BoardLeft, ColumnsLeft, DoorLeft, PidFileLeft, Will
from l4d.stats import tally
from l4d.stats.board import Board, BoardFullError
from l4d.stats.changes import Changes
from l4d.stats.columns import Columns


def bequeath(estate: Estate) -> tuple[Will, list[int]]:
    """The will, and the descriptors that go with it: they stay ours. From here on the board is lent."""
    descriptors: list[int] = []

    def number(fd: int) -> int:
        descriptors.append(fd)
        return len(descriptors) - 1

    board, columns, pid_file = estate.board, estate.columns, estate.pid_file
    events = tuple(number(fd) for fd in board.left)
    held = tuple(
        AddressLeft(
            *place,
            bound.address,
            bound.listener,
            bound.steered,
            bound.retired,
            number(bound.lock.fileno()),
            tuple(number(sock.fileno()) for sock in bound.sockets),
        )
        for place, bound in estate.held.items()
    )
    pid_file_left = PidFileLeft(pid_file.path, number(pid_file.fd)) if pid_file is not None else None
    doors = tuple(
        DoorLeft(place, door.address, door.mode, number(door.lock.fileno()), number(door.sock.fileno()))
        for place, door in estate.doors.items()
    )
    will = Will(
        estate.last_number,
        BoardLeft(board.rows, board.columns, events, tuple(board.lend()), estate.control_row),
        ColumnsLeft(tuple(columns.named), tuple(columns.free), columns.used),
        held,
        pid_file_left,
        number(estate.inquiries.fileno()),
        doors,
        estate.changes,
        len(descriptors),
    )
    return will, descriptors


def inherit(will: Will, descriptors: Sequence[int]) -> Estate:
    """The estate that *will* speaks of, see `Estate.take`; the descriptors are its own. Raises StartError: misfits."""
    for fd in descriptors:
        os.set_inheritable(fd, False)
    left = will.board
    try:
        board = Board(left.rows, left.columns, [descriptors[each] for each in left.descriptors], left.taken)
        columns = Columns.inherited(left.columns, will.columns.given, will.columns.free, will.columns.used)
        tally.complete(columns)
        held = dict(_address(each, descriptors) for each in will.held)
        doors = {each.address: _door(each, descriptors) for each in will.doors}
        pid_file = PidFile(will.pid_file.path, descriptors[will.pid_file.descriptor]) if will.pid_file else None
        inquiries = calls.listen() if will.inquiries is None else _socket(descriptors[will.inquiries])
    except (OSError, ValueError, IndexError, BoardFullError) as error:
        raise StartError(f"what the running l4d leaves cannot be used: {error}") from None
    board.keeper = _leave_it
    return Estate(
        board,
        columns,
        left.control_row,
        inquiries,
        held,
        doors,
        pid_file,
        will.generation,
        will.changes if will.changes.started else Changes(time.time()),
        inherited=columns.keys,
        ours=False,
    )


def _leave_it(_row: int) -> None:
    """Who has the board now clears up after us."""


def _address(left: AddressLeft, descriptors: Sequence[int]) -> tuple[Place, Bound]:
    place = left.protocol, left.address, left.listener
    lock, sockets = _socket(descriptors[left.lock]), [_socket(descriptors[each]) for each in left.sockets]
    return place, Bound(left.protocol, left.bound, left.owner, lock, sockets, left.steered, left.retired)


def _door(left: DoorLeft, descriptors: Sequence[int]) -> Door:
    return Door(left.bound, _socket(descriptors[left.lock]), _socket(descriptors[left.socket]), left.mode)


def _socket(fd: int) -> socket.socket:
    """The socket of this number. Raises OSError: it is none."""
    sock = socket.socket(fileno=fd)
    sock.setblocking(False)
    return sock
