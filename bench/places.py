"""Where the work is done: on loopback, or across network namespaces.

    loopback      client, proxy and server on 127.0.0.1
    namespaces    client ==veth== proxy ==veth== server, each in a namespace of its own; the direct path is routed
                  through the middle one

The namespaces are made by the run and removed by it. That needs root.
"""

import enum
import os
import socket
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from bench.programs import BenchError, find_program


class Where(enum.Enum):
    CLIENT = "client"
    PROXY = "proxy"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class Place:
    """Who lives at which address, and how a program is started there."""

    name: str
    title: str
    hosts: dict[Where, str]
    namespaces: dict[Where, str] = field(default_factory=dict)

    def line(self, where: Where, words: Sequence[str]) -> list[str]:
        """The command line that starts *words* there."""
        namespace = self.namespaces.get(where)
        program = [find_program(words[0]) or words[0], *words[1:]]
        return ["ip", "netns", "exec", namespace, *program] if namespace else program

    def server_hosts(self, count: int) -> list[str]:
        """So many addresses of one server. More than one of them there are on loopback only."""
        if count == 1:
            return [self.hosts[Where.SERVER]]
        assert not self.namespaces
        return [f"127.0.{1 + number // 250}.{1 + number % 250}" for number in range(count)]


LOOPBACK = Place("loopback", "on loopback", dict.fromkeys(Where, "127.0.0.1"))

_HOSTS = {Where.CLIENT: "10.203.1.1", Where.PROXY: "10.203.1.2", Where.SERVER: "10.203.2.1"}
_MIDDLE = "10.203.2.2"  # the proxy's other end


@contextmanager
def namespaces() -> Iterator[Place]:
    """Raises BenchError when they cannot be made here."""
    if os.geteuid():
        raise BenchError("network namespaces need root: left out")
    if find_program("ip") is None:
        raise BenchError("network namespaces need the program ip (iproute2): left out")
    names = {where: f"l4d-bench-{os.getpid()}-{where.value}" for where in Where}
    try:
        _make(names)
        yield Place("namespaces", "across network namespaces", _HOSTS, names)
    finally:
        for name in names.values():
            with suppress(BenchError):
                _ip("netns", "del", name)


def _make(names: dict[Where, str]) -> None:
    client, proxy, server = names[Where.CLIENT], names[Where.PROXY], names[Where.SERVER]
    for name in names.values():
        _ip("netns", "add", name)
        _ip("-n", name, "link", "set", "lo", "up")
    for end, other, ours, theirs, our_host, their_host in (
        (client, proxy, "bench0", "clients0", _HOSTS[Where.CLIENT], _HOSTS[Where.PROXY]),
        (server, proxy, "bench0", "servers0", _HOSTS[Where.SERVER], _MIDDLE),
    ):
        _ip("link", "add", ours, "netns", end, "type", "veth", "peer", "name", theirs, "netns", other)
        for namespace, device, host in ((end, ours, our_host), (other, theirs, their_host)):
            _ip("-n", namespace, "address", "add", f"{host}/24", "dev", device)
            _ip("-n", namespace, "link", "set", device, "up")
    _ip("-n", client, "route", "add", "default", "via", _HOSTS[Where.PROXY])
    _ip("-n", server, "route", "add", "default", "via", _MIDDLE)
    _ip("netns", "exec", proxy, "sh", "-c", "echo 1 > /proc/sys/net/ipv4/ip_forward")


def _ip(*words: str) -> None:
    done = subprocess.run([find_program("ip") or "ip", *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise BenchError(f"ip {' '.join(words)}: {done.stderr.strip()}: network namespaces are left out")


class Ports:
    """Ports free for TCP and UDP, below those the kernel gives to clients."""

    def __init__(self) -> None:
        self._next = 20000 + os.getpid() % 4000

    def take(self) -> int:
        while True:
            self._next = self._next + 1 if self._next < 32000 else 20000
            if all(_is_free(kind, self._next) for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM)):
                return self._next


def _is_free(kind: socket.SocketKind, port: int) -> bool:
    with suppress(OSError), socket.socket(socket.AF_INET, kind) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, kind is socket.SOCK_STREAM)
        sock.bind(("127.0.0.1", port))
        return True
    return False
