"""The servers of the demo: three for TCP and three for UDP, each a process that says its name in every answer.

Each line over TCP, and each datagram over UDP, is answered with one line of JSON, as the articles on this subject do:

    {"message": "you wrote: hello", "hostname": "tcp-server-1", "timestamp": "2026-11-22T10:00:00.123Z"}
"""

import contextlib
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import NoReturn

from setproctitle import setproctitle

from l4d.address import Inet, from_sockaddr
from l4d.linux.process import die_with_parent
from l4d.log.moment import rfc_3339
from l4d.terms import Protocol

EACH = 3
"""How many servers there are of each protocol."""

_LONGEST = 65536
_LONGEST_QUOTE = 200


@dataclass(frozen=True, slots=True)
class DemoServer:
    """One running server."""

    name: str
    protocol: Protocol
    address: Inet
    pid: int
    pidfd: int  # readable when it has ended


class DemoServers:
    """Those that run."""

    def __init__(self) -> None:
        self.all: list[DemoServer] = []

    def of(self, protocol: Protocol) -> list[DemoServer]:
        return [server for server in self.all if server.protocol is protocol]

    def bury(self, server: DemoServer) -> None:
        """Forget a server that has ended, or is about to."""
        os.waitpid(server.pid, 0)
        os.close(server.pidfd)
        self.all.remove(server)


@contextlib.contextmanager
def started_servers() -> Iterator[DemoServers]:
    """All six, to the end of the `with` block, or of this process however that comes."""
    servers = DemoServers()
    try:
        for protocol in Protocol:
            for number in range(1, EACH + 1):
                servers.all.append(_start(f"{protocol.value}-server-{number}", protocol))
        yield servers
    finally:
        for server in servers.all:
            signal.pidfd_send_signal(server.pidfd, signal.SIGTERM)
        while servers.all:
            servers.bury(servers.all[-1])


def _start(name: str, protocol: Protocol) -> DemoServer:
    """Fork a server. Its socket is nobody else's, so that after its end its clients are refused, and do not hang."""
    kind = socket.SOCK_STREAM if protocol is Protocol.TCP else socket.SOCK_DGRAM
    with socket.socket(socket.AF_INET, kind) as sock:
        sock.bind(("127.0.0.1", 0))
        if protocol is Protocol.TCP:
            sock.listen()
        address = from_sockaddr(sock.getsockname())
        assert isinstance(address, Inet)
        parent = os.getpid()
        pid = os.fork()
        if pid == 0:
            _live(name, sock, parent)
    return DemoServer(name, protocol, address, pid, os.pidfd_open(pid))


def _live(name: str, sock: socket.socket, parent: int) -> NoReturn:
    """The whole life of a server process. The terminal's Ctrl-C is the parent's business."""
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        setproctitle(f"l4d demo: {name}")
        if die_with_parent(parent):
            _serve_tcp(name, sock) if sock.type is socket.SOCK_STREAM else _serve_udp(name, sock)
    finally:
        os._exit(1)


def _serve_tcp(name: str, sock: socket.socket) -> None:
    while True:
        connection, _ = sock.accept()
        threading.Thread(target=_converse, args=(name, connection)).start()


def _converse(name: str, connection: socket.socket) -> None:
    with connection, connection.makefile("rb") as lines, contextlib.suppress(ConnectionError):
        while line := lines.readline(_LONGEST):
            connection.sendall(_answer(name, line))


def _serve_udp(name: str, sock: socket.socket) -> None:
    while True:
        with contextlib.suppress(ConnectionError):
            data, client = sock.recvfrom(_LONGEST)
            sock.sendto(_answer(name, data), client)


def _answer(name: str, question: bytes) -> bytes:
    text = question.decode("utf-8", "replace").strip()
    answer = {"message": f"you wrote: {text[:_LONGEST_QUOTE]}", "hostname": name, "timestamp": rfc_3339(time.time())}
    return json.dumps(answer, ensure_ascii=False).encode() + b"\n"
