"""Steering: which socket of a SO_REUSEPORT group gets a client, decided by our own program and not the kernel's hash.

The program is classic BPF (bpf(4), linux/filter.h), attached to the group of any of its sockets. It says a number, and
the client gets the socket of that number: in the order in which UDP sockets were bound, TCP sockets began to listen.
`slot_of` says the same number for a client's address, so whoever has a client knows where its next datagram will go.

    h = first word of the client's address           IPv4: one word at 12 of the header; IPv6: four, from 8 on
    h = h * SPREAD ^ next word ...                    the other three
    h = h * SPREAD ^ the client's port                first in the header of UDP and TCP
    h ^= h >> 16;  h *= FIRST                         the finish of MurmurHash3: each bit in reaches each bit out
    h ^= h >> 13;  h *= SECOND
    h ^= h >> 16
    return h % slots                                  all of it in 32 bits

Packets are read from their network header on (SKF_NET_OFF). An IPv4 header says its length, since it may have options.
An IPv6 header has 40 bytes; what the program takes for the port of a client that sends extension headers is not the
port: such a client always gets one socket, which need not be that of `slot_of`.

When the number is higher than the group has sockets, the kernel chooses among all. Closing a socket of a group moves
the last one into its place.
"""

import array
import socket
import struct
from collections.abc import Iterator
from typing import Final, TypeAlias

from l4d.address import SockAddr

SO_ATTACH_REUSEPORT_CBPF = 51
SO_DETACH_REUSEPORT_BPF = 68

SPREAD: Final = 0x9E3779B1
FIRST: Final = 0x85EBCA6B
SECOND: Final = 0xC2B2AE35

_WORD: Final = 0xFFFFFFFF

# Instructions, by the names of linux/bpf_common.h: A is the accumulator, X the index register, M[0] a scratch cell.
_LOAD_WORD = 0x20  # A = the word at k
_LOAD_HALF = 0x28  # A = the two bytes at k
_LOAD_HALF_BEHIND = 0x48  # A = the two bytes at X + k
_HEADER_LENGTH = 0xB1  # X = the length of the IPv4 header at k
_STORE = 0x02  # M[k] = A
_RECALL = 0x61  # X = M[k]
_COPY = 0x07  # X = A
_MULTIPLY = 0x24  # A *= k
_SHIFT = 0x74  # A >>= k
_XOR = 0xAC  # A ^= X
_REMAINDER = 0x94  # A %= k
_RETURN = 0x16  # return A

_NETWORK = 0xFFF00000  # SKF_NET_OFF: from here on k counts from the network header

Instruction: TypeAlias = tuple[int, int]


def attach(sock: socket.socket, slots: int) -> None:
    """Have the group of *sock*, an IP socket bound with SO_REUSEPORT, steered over its first *slots* sockets.

    What was attached before is replaced at once. A TCP socket should listen by then: with a program, it cannot begin to
    where another one listens on an address that overlaps. Raises OSError.
    """
    # sock_filter { u16 code; u8 jt; u8 jf; u32 k; }; sock_fprog { unsigned short len; sock_filter *filter; }
    instructions = [struct.pack("=HBBI", code, 0, 0, k) for code, k in _program(sock.family, slots)]
    program = array.array("B", b"".join(instructions))
    address, _size = program.buffer_info()
    sock.setsockopt(socket.SOL_SOCKET, SO_ATTACH_REUSEPORT_CBPF, struct.pack("@HP", len(instructions), address))


def detach(sock: socket.socket) -> None:
    """Have the kernel choose in the group of *sock*, as it does where no program was attached. Raises OSError."""
    try:
        sock.setsockopt(socket.SOL_SOCKET, SO_DETACH_REUSEPORT_BPF, 0)
    except FileNotFoundError:
        return  # there was none


def slot_of(sockaddr: SockAddr, slots: int) -> int:
    """The number that the program says for the client at *sockaddr*."""
    host, port = sockaddr[0], sockaddr[1]
    if ":" in host:
        words = struct.unpack("!4I", socket.inet_pton(socket.AF_INET6, host.partition("%")[0]))
    else:
        words = struct.unpack("!I", socket.inet_aton(host))
    mixed = 0
    for word in (*words, port):
        mixed = mixed * SPREAD & _WORD ^ word
    mixed = (mixed ^ mixed >> 16) * FIRST & _WORD
    mixed = (mixed ^ mixed >> 13) * SECOND & _WORD
    return (mixed ^ mixed >> 16) % slots


def _program(family: int, slots: int) -> Iterator[Instruction]:
    """The program for packets of an address family."""
    if family == socket.AF_INET6:
        yield from _address(8, 12, 16, 20)
        yield from _mix_in((_LOAD_HALF, _NETWORK + 40))
    else:
        yield from _address(12)
        yield from _mix_in((_HEADER_LENGTH, _NETWORK), (_LOAD_HALF_BEHIND, _NETWORK))
    yield from _fold(16)
    yield _MULTIPLY, FIRST
    yield from _fold(13)
    yield _MULTIPLY, SECOND
    yield from _fold(16)
    yield _REMAINDER, slots
    yield _RETURN, 0


def _address(first: int, *others: int) -> Iterator[Instruction]:
    """A is the hash of the words at these places of the network header."""
    yield _LOAD_WORD, _NETWORK + first
    for place in others:
        yield from _mix_in((_LOAD_WORD, _NETWORK + place))


def _mix_in(*load: Instruction) -> Iterator[Instruction]:
    """A = A * SPREAD ^ what *load* puts into A."""
    yield _MULTIPLY, SPREAD
    yield _STORE, 0
    yield from load
    yield _RECALL, 0
    yield _XOR, 0


def _fold(bits: int) -> Iterator[Instruction]:
    """A ^= A >> bits."""
    yield _COPY, 0
    yield _SHIFT, bits
    yield _XOR, 0
