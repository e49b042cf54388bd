"""What all movers of one process share."""

from dataclasses import dataclass

from l4d.linux.pipes import Pipes


@dataclass(frozen=True, slots=True)
class Machinery:
    """The copy buffer (movers/copy.py) and the pool of pipes."""

    buffer: memoryview
    pipes: Pipes
