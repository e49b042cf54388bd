"""What every way of moving bytes from one socket to another promises.

The side that failed is known where it failed: `fill` speaks of the source alone, `drain` of the target alone.
"""

from typing import Protocol


class Mover(Protocol):
    """Takes bytes from a source and holds them until the target has taken them."""

    pending: int
    """Bytes taken from the source that the target has not taken yet."""

    room: int
    """The most that one `fill` takes: one that took it all suggests that there is more."""

    def fill(self) -> int:
        """Take from the source once: how many bytes, 0 at its end.

        Only to be called while nothing is pending, and to be followed by `drain` before any other mover of this process
        fills: the bytes may lie in memory that all share. Raises BlockingIOError when the source has nothing now,
        another OSError when it failed.
        """
        ...

    def drain(self) -> int:
        """Give what is pending to the target: how many bytes it took; less than all means that it is full.

        Raises OSError when the target failed.
        """
        ...

    def leave(self) -> None:
        """Give back what is held; what is pending is lost."""
        ...
