"""Children of a master for its tests: the processes are real and do nothing, what they say is said by the test."""

import os
import signal

from l4d.child import channel
from tests.kit.processes import is_alive
from tests.kit.wait import wait_until


class Process:
    """A child as the test plays it. *number* is its generation's."""

    def __init__(self, number: int) -> None:
        self.generation = number
        self.ours, self.channel = channel.pair()
        self.pid = os.posix_spawn("/bin/sleep", ["sleep", "1000"], {})
        self.pidfd = os.pidfd_open(self.pid)
        self.heard: list[bytes] = []

    def says(self, word: bytes) -> None:
        channel.say(self.channel, word)

    def listen(self) -> list[bytes]:
        """All that it was told so far, descriptors left aside."""
        while (heard := channel.hear(self.channel)) and heard[0]:
            for fd in heard[1]:
                os.close(fd)
            self.heard.append(heard[0])
        return self.heard

    def at_work(self) -> bool:
        """Whether it was told to begin, and lives."""
        return not {channel.GO, channel.BEGIN}.isdisjoint(self.listen()) and self.lives()

    def lives(self) -> bool:
        return is_alive(self.pid)

    def dies(self, number: int = signal.SIGKILL) -> None:
        os.kill(self.pid, number)
        wait_until("it has ended", lambda: not self.lives())

    def clean_up(self) -> None:
        if os.path.exists(f"/proc/{self.pid}"):
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        self.channel.close()
