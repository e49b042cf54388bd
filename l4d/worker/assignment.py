"""What the master hands a worker at its birth."""

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from l4d.child.assignment import Assignment
from l4d.log.outlets import Outlet


@dataclass(frozen=True, slots=True)
class WorkerAssignment(Assignment):
    """Everything a worker needs; it opens nothing by itself."""

    slot: int
    workers: int  # how many slots there are
    sockets: Mapping[str, Sequence[socket.socket]]  # this slot's listening sockets, by listener
    surplus: Mapping[str, Sequence[socket.socket]]  # the same of slots that were given up, until they are shed
    retired: Mapping[str, Sequence[socket.socket]]  # the same of UDP addresses that are gone, and have flows left
    inquiries: bytes  # the name by which control is called (linux/calls.py)
    access: dict[str, Outlet]  # the access logs, by target

    @classmethod
    def of(
        cls,
        common: Assignment,
        slot: int,
        workers: int,
        sockets: Mapping[str, Sequence[socket.socket]],
        surplus: Mapping[str, Sequence[socket.socket]],
        retired: Mapping[str, Sequence[socket.socket]],
        inquiries: bytes,
        access: dict[str, Outlet],
    ) -> "WorkerAssignment":
        """What every child has, and a worker's own."""
        shared = {field.name: getattr(common, field.name) for field in fields(Assignment)}
        return cls(
            **shared,
            slot=slot,
            workers=workers,
            sockets=sockets,
            surplus=surplus,
            retired=retired,
            inquiries=inquiries,
            access=access,
        )
