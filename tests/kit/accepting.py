"""A server in a process of its own that accepts and closes, so that what it costs is not the test's."""

import socket
import subprocess
import sys

from l4d.address import Inet
from tests.kit.closing import Closing

_PROGRAM = """
import socket, sys
listening = socket.socket(fileno=int(sys.argv[1]))
while True:
    listening.accept()[0].close()
"""


class Accepting(Closing):
    """Its work is the processor's, not this process's."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0), backlog=4096) as listening:
            self.address = Inet(*listening.getsockname())
            fd = listening.fileno()
            self._process = subprocess.Popen([sys.executable, "-S", "-c", _PROGRAM, str(fd)], pass_fds=(fd,))

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
