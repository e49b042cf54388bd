"""A parcel: one session on its way from one worker to another."""

from dataclasses import dataclass

from l4d.handover.record import Record
from l4d.linux.sockets import Socket


@dataclass(slots=True)
class Parcel:
    """A record with the session's sockets, and the bytes that are on their way up and down."""

    record: Record
    sockets: list[Socket]
    descriptors: int  # what the session counts for (access/capacity.py); 0: it is none
    up: bytes = b""
    down: bytes = b""
