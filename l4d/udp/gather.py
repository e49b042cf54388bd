"""Gathering: datagrams that are read behind each other into one buffer, and leave as a train if they are of one size.

    buffer   | 1200 | 1200 | 1200 |  700              one train, cut into 1200; what differs leaves by itself
             0                    held

Pure: it is told what was read, and says what is to be sent.
"""

from l4d.linux.datagram import TRAIN_BYTES


class Gathering:
    """What waits at the start of the buffer: `held` bytes, in datagrams of `cut` bytes."""

    __slots__ = ("cut", "held")

    def __init__(self) -> None:
        self.held = 0
        self.cut = 0

    def takes(self, size: int) -> bool:
        """Whether a datagram of *size* bytes, read behind what is held, can wait with it; if so it does."""
        if not self.held:
            self.held = self.cut = size
            return size > 0
        if size != self.cut or self.held + size > TRAIN_BYTES:
            return False
        self.held += size
        return True

    def release(self) -> tuple[int, int]:
        """How many bytes leave, and their cut: 0 for a single datagram. Nothing is held any more."""
        held, cut = self.held, self.cut
        self.held = self.cut = 0
        return held, cut if held > cut else 0
