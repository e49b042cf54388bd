"""What the master hands the control process at its birth."""

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from l4d.address import Address
from l4d.child.assignment import Assignment
from l4d.stats.changes import Changes


@dataclass(frozen=True, slots=True)
class ControlAssignment(Assignment):
    """What every child has, and control's own."""

    inquiries: socket.socket  # it listens: workers call it, so that they can be asked
    doors: Sequence[socket.socket]  # at which the operator knocks
    bound: Mapping[str, Sequence[Address]]  # where each listener can be reached: with the real ports
    changes: Changes  # what has happened so far

    @classmethod
    def of(
        cls,
        common: Assignment,
        inquiries: socket.socket,
        doors: Sequence[socket.socket],
        bound: Mapping[str, Sequence[Address]],
        changes: Changes,
    ) -> "ControlAssignment":
        """What every child has, and control's own."""
        shared = {field.name: getattr(common, field.name) for field in fields(Assignment)}
        return cls(**shared, inquiries=inquiries, doors=doors, bound=bound, changes=changes)
