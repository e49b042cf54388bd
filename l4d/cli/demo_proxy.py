"""The proxy of the demo: the real l4d in a process of its own, its configuration, and what it logs."""

import os
import re
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from l4d.address import Inet
from l4d.cli.demo_servers import DemoServer
from l4d.config.addresses import LONGEST_PATH
from l4d.linux.process import die_with_parent
from l4d.terms import Protocol

FAVOURITE_PORT = 4000

_LISTENING = re.compile(r"listening on (tcp|udp) ([\d.]+):(\d+) ")
_STATUS_PAGE = re.compile(r"admin API on tcp (\S+), read only")
_FAREWELL = 5.0  # seconds it may take to end


def admin_socket(folder: str) -> str:
    """Where the commands ask l4d, in *folder*; "": the folder's path is too long for that."""
    path = os.path.join(folder, "l4d.sock")
    return path if len(os.fsencode(path)) <= LONGEST_PATH else ""


def configuration(servers: Iterable[DemoServer], socket_path: str = "") -> str:
    """The l4d.toml of the demo."""
    port = FAVOURITE_PORT if _is_free(FAVOURITE_PORT) else 0
    lines = ["[main]", "workers = 2", "", "[admin]"]
    lines += [f'socket = "{socket_path}"'] if socket_path else []
    lines += ['listen = "127.0.0.1:0"', ""]
    for protocol in Protocol:
        name = protocol.value
        lines += [f"[listeners.{name}]", f'bind = "127.0.0.1:{port}"', f'protocol = "{name}"', f'upstream = "{name}"']
        lines += ["", f"[upstreams.{name}]", "servers = ["]
        mine = [server for server in servers if server.protocol is protocol]
        lines += [f'  {{ name = "{server.name}", address = "{server.address}" }},' for server in mine]
        lines += ["]", ""]
    return "\n".join(lines)


def _is_free(port: int) -> bool:
    """Whether nobody serves *port* here, neither over TCP nor over UDP."""
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as sock:
            # Connections of a demo just ended may linger; a listening socket is in the way all the same.
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, kind is socket.SOCK_STREAM)
            try:
                sock.bind(("127.0.0.1", port))
            except OSError:
                return False
    return True


class DemoProxy:
    """A running l4d."""

    def __init__(self, process: "subprocess.Popen[bytes]") -> None:
        assert process.stderr is not None
        self.log_fd = process.stderr.fileno()
        self.pid = process.pid
        self.addresses: dict[Protocol, Inet] = {}
        self.status_page = ""
        self.ready = False
        self.over = False  # its log has ended, and so has it
        self._process = process
        self._begun = b""  # a line of the log whose end has not arrived

    def read_log(self) -> list[str]:
        """The lines it has logged since; waits for something to come."""
        data = os.read(self.log_fd, 65536)
        self.over = not data
        *lines, self._begun = (self._begun + data).split(b"\n")
        texts = [line.decode("utf-8", "replace") for line in lines]
        for text in texts:
            self._heed(text)
        return texts

    def _heed(self, text: str) -> None:
        if found := _LISTENING.search(text):
            self.addresses[Protocol(found[1])] = Inet(found[2], int(found[3]))
        if found := _STATUS_PAGE.search(text):
            self.status_page = f"http://{found[1]}/"
        self.ready = self.ready or "ready: generation " in text

    def wait(self) -> int:
        """Its exit status, once its log has ended."""
        return self._process.wait()


@contextmanager
def started_proxy(config: Path) -> Iterator[DemoProxy]:
    """l4d on *config*, to the end of the `with` block, or of this process however that comes."""
    parent = os.getpid()
    process = subprocess.Popen(
        [sys.executable, "-m", "l4d", "-c", str(config)],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        start_new_session=True,  # the terminal's Ctrl-C is our business
        preexec_fn=lambda: die_with_parent(parent),  # noqa: PLW1509 - no threads here
    )
    try:
        yield DemoProxy(process)
    finally:
        process.terminate()
        try:
            process.communicate(timeout=_FAREWELL)
        except subprocess.TimeoutExpired:
            process.kill()  # its workers follow it by themselves
            process.communicate()
