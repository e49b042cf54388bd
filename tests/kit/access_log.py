"""A configuration with an access log, and what was written there."""

import json
import os
from pathlib import Path
from typing import Any

from l4d.address import Address
from tests.kit.closing import Closing
from tests.kit.wait import wait_until


def logging(
    access: Path | str, server: Address, *, form: str = "json", error: str = "stderr", listener: str = ""
) -> str:
    """One TCP listener, `web`, in front of *server*."""
    return f"""
        [main]
        workers = 2

        [log]
        error = "{error}"
        access = "{access}"
        format = "{form}"

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"
        {listener}

        [upstreams.web]
        servers = ["{server}"]
    """


class AccessLog:
    """A file that l4d writes, one JSON object a line."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def lines(self) -> list[str]:
        """All whole lines."""
        text = self.path.read_text("utf-8") if self.path.exists() else ""
        return text[: text.rfind("\n") + 1].splitlines()

    def records(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.lines()]

    def wait(self, number: int) -> list[dict[str, Any]]:
        """Until there are so many records: these."""
        wait_until(f"{number} sessions are in {self.path.name}", lambda: len(self.lines()) >= number)
        records = self.records()
        assert len(records) == number
        return records


class Reader(Closing):
    """Who reads a FIFO, when told to."""

    def __init__(self, path: Path) -> None:
        """The FIFO is made, if there is none yet."""
        if not path.exists():
            os.mkfifo(path)
        self._fd = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        self.data = b""

    def close(self) -> None:
        os.close(self._fd)

    def read(self) -> list[str]:
        """All lines that came so far."""
        try:
            while chunk := os.read(self._fd, 1 << 16):
                self.data += chunk
        except BlockingIOError:
            pass
        return self.data.decode().splitlines()

    def wait(self, number: int) -> list[dict[str, Any]]:
        """Until so many records came in all: these."""
        wait_until(f"{number} sessions came", lambda: len(self.read()) >= number)
        records = [json.loads(line) for line in self.read()]
        assert len(records) == number
        return records
