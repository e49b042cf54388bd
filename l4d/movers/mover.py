"""What every way of moving bytes from one socket to another promises.

The side that failed is known where it failed: an error of `move` while nothing is pending is the source's; every other
one is the target's.
"""

from typing import Protocol


class Mover(Protocol):
    """Takes bytes from a source and holds them until the target has taken them."""

    pending: int
    """Bytes taken from the source that the target has not taken yet."""

    @property
    def room(self) -> int:
        """The most that one `move` takes: one that took it all suggests that there is more."""
        ...

    def move(self) -> int:
        """Take from the source once and give it to the target: how many bytes the source gave, 0 at its end.

        What the target does not take is pending. Only to be called while nothing is. Raises BlockingIOError when
        the source has nothing now, and another OSError when it failed, with nothing pending, or when the target failed,
        with something pending.
        """
        ...

    def drain(self) -> int:
        """Give what is pending to the target: how many bytes it took; less than all means that it is full.

        Raises OSError when the target failed.
        """
        ...

    def release(self) -> bytes:
        """Give back what is held, and with it what is pending: another mover will deliver it."""
        ...

    def leave(self) -> None:
        """Give back what is held; what is pending is lost."""
        ...
