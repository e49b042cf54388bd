"""New TCP clients all the time, some hundreds a second: what they were answered, and who was not."""

import threading

from tests.kit.closing import Closing
from tests.kit.daemon import Daemon
from tests.kit.echo import ask
from tests.kit.wait import wait_until


class Visitors(Closing):
    """New clients, one after the other, each with its question, until told to stop."""

    def __init__(self, daemon: Daemon, at_once: int = 4) -> None:
        self._address = daemon.address("web")
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._visit) for _ in range(at_once)]
        self.answers: list[str] = []
        self.failures: list[OSError | ValueError] = []

        for thread in self._threads:
            thread.start()

    def close(self) -> None:
        """Nobody comes any more."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def _visit(self) -> None:
        while not self._stop.wait(0.005):
            try:
                self.answers.append(ask(self._address))
            except (OSError, ValueError) as failure:
                self.failures.append(failure)

    def wait(self, count: int) -> None:
        """Until so many more were answered."""
        before = len(self.answers)
        wait_until(f"{count} visitors were answered", lambda: len(self.answers) >= before + count or self.failures)
