"""Bytes that tell where they belong: each session's are a walk of its own through one block.

The block is random, and its length is a prime, so that no loss of whole buffers goes unnoticed; any eight bytes of it
say where in it they are. A server sends them back with all bits turned: what comes back to a client was at a server.
"""

import random
import struct

PERIOD = 1_048_573
HEAD = struct.Struct("!Q")
"""What a client sends first: the number of its session."""
GREETING = struct.Struct("!IH")
"""What a server sends first: its pid, and the port that it sees the session come from."""

_BLOCK = random.Random(5).randbytes(PERIOD)
_TWICE = memoryview(_BLOCK * 2)
_STEP = 611_953  # session by session through the block; no multiple of it comes near its beginning for long
_TURNED = bytes(byte ^ 0xFF for byte in range(256))

Bytes = bytes | bytearray | memoryview


def piece(number: int, offset: int, size: int) -> memoryview:
    """*size* bytes, at most PERIOD, of session *number* from *offset* on."""
    begin = (number * _STEP + offset) % PERIOD
    return _TWICE[begin : begin + size]


def turned(data: Bytes) -> bytes:
    """What a server answers to *data*."""
    return bytes(data).translate(_TURNED)


def misplaced(data: Bytes, number: int, offset: int) -> str:
    """What is wrong with *data* in this place: "" if nothing."""
    wanted = piece(number, offset, len(data))
    if data == wanted:
        return ""
    first = next(index for index, (got, want) in enumerate(zip(data, wanted, strict=True)) if got != want)
    found = _BLOCK.find(bytes(data[first : first + 16]))
    belongs = f", which belongs {(found - number * _STEP - offset - first) % PERIOD} further on" if found >= 0 else ""
    return f"byte {offset + first} of session {number} is another one{belongs}"
