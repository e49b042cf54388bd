"""What each side of a relay is watched for, as it follows from the two channels alone.

IN   while the channel from it may read     (nothing waits to be written; its end was not seen)
OUT  while bytes wait in the channel to it
ERR  while it may not read, or has finished, and nothing waits: all there is to hear of it is a reset
none: out of the epoll set
"""

import socket
from typing import Final

from l4d.loop.loop import ERR, IN, OUT, RDHUP
from l4d.tcp.channel import Channel

READ: Final = IN | RDHUP
"""RDHUP tells that the end is in the queue behind the last bytes, so that both are read in one go."""


def wanted(inbound: Channel, outbound: Channel) -> int:
    """What the side is watched for from which *inbound* comes."""
    room = OUT if outbound.blocked else 0
    if inbound.target_error:
        return room
    if inbound.blocked:  # a reset is heard though nothing is read; once heard, it would be told without end
        return room or (0 if inbound.hung_up or inbound.source.family == socket.AF_UNIX else ERR)
    if not inbound.ended:
        return READ | room
    # A side that was cut off may finish later, and EPOLLHUP would come without end; as when a unix socket is closed.
    finished = not (inbound.cut or inbound.source_error or outbound.target_error)
    return room or (ERR if finished and inbound.source.family != socket.AF_UNIX else 0)
