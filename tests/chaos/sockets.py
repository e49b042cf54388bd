"""The sockets of this machine as the kernel lists them (sock_diag(7)), and whose they are.

Not /proc/net/tcp: that has all of the last minute's connections too, and thousands of them take long to read. What is
asked for here is looked at while a worker stands still, right before it is killed.
"""

import socket
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_NETLINK_SOCK_DIAG = 4
_SOCK_DIAG_BY_FAMILY = 20
_REQUEST_DUMP = 0x301  # NLM_F_REQUEST | NLM_F_DUMP
_ERROR, _DONE = 2, 3
_HEADER = struct.Struct("=IHHII")  # nlmsghdr: length, type, flags, sequence, port
_QUESTION = struct.Struct("=BBBxI48x")  # inet_diag_req_v2: family, protocol, ext, states, id
_TIME_WAIT, _LISTEN = 1 << 6, 1 << 10
_ANY = 0xFFF


@dataclass(frozen=True, slots=True)
class Socket:
    """One end of a connection, or a connected UDP socket."""

    host: str
    port: int
    peer_port: int
    inode: int


def tcp() -> list[Socket]:
    """All ends of TCP connections that somebody has, or that wait to be accepted (their inode is 0)."""
    return list(_dump(socket.IPPROTO_TCP, _ANY & ~_TIME_WAIT & ~_LISTEN))


def udp() -> list[Socket]:
    """All connected UDP sockets."""
    return [each for each in _dump(socket.IPPROTO_UDP, _ANY) if each.peer_port]


def inodes_of(pid: int) -> set[int]:
    """The sockets that a process has; none when it is gone."""
    try:
        links = [_link(entry) for entry in Path(f"/proc/{pid}/fd").iterdir()]
    except (FileNotFoundError, ProcessLookupError):
        return set()
    return {int(link[8:-1]) for link in links if link.startswith("socket:[")}


def _link(entry: Path) -> str:
    try:
        return str(entry.readlink())
    except FileNotFoundError:  # closed meanwhile
        return ""


def _dump(protocol: int, states: int) -> Iterator[Socket]:
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _NETLINK_SOCK_DIAG) as asked:
        question = _QUESTION.pack(socket.AF_INET, protocol, 0, states)
        size = _HEADER.size + len(question)
        asked.send(_HEADER.pack(size, _SOCK_DIAG_BY_FAMILY, _REQUEST_DUMP, 1, 0) + question)
        while True:
            for kind, answer in _messages(asked.recv(1 << 20)):
                if kind == _DONE:
                    return
                if kind == _ERROR:
                    raise OSError(-struct.unpack_from("=i", answer)[0], "listing the sockets of this machine")
                yield _socket(answer)


def _messages(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The messages of one packet: the type of each, and what follows its header."""
    begin = 0
    while begin < len(data):
        size, kind, *_ = _HEADER.unpack_from(data, begin)
        yield kind, data[begin + _HEADER.size : begin + size]
        begin += size + 3 & ~3


def _socket(answer: bytes) -> Socket:
    port, peer_port = struct.unpack_from("!HH", answer, 4)
    host = socket.inet_ntop(socket.AF_INET, answer[8:12])
    return Socket(host, port, peer_port, struct.unpack_from("=I", answer, 68)[0])
