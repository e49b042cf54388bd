"""Whatever becomes of l4d, requests to its API are answered: at a reload, an upgrade, and after control has died."""

import http.client
import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGKILL

from tests.integration.test_admin import config, entry, with_api
from tests.kit import Daemon, Echo, Start, ask, processes, wait_until
from tests.kit.api import Api

EVERY = 0.02
"""Seconds from one request to the next."""


class Polling:
    """Somebody who asks again and again, each time with a connection of its own."""

    def __init__(self, api: Api, path: str) -> None:
        self._api = api
        self._path = path
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.answered = 0
        self.longest = 0.0
        self.failures: list[str] = []

    def _run(self) -> None:
        while not self._stop.wait(EVERY):
            begun = time.monotonic()
            try:
                reply = self._api.ask("GET", self._path)
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                continue
            if reply.status != 200:
                self.failures.append(f"{reply.status}: {reply.body!r}")
            self.answered += 1
            self.longest = max(self.longest, time.monotonic() - begun)

    def goes_on(self) -> None:
        """Until it has been answered some more times."""
        before = self.answered
        wait_until("it is answered", lambda: self.answered > before + 10)


@contextmanager
def polling(api: Api, path: str = "/api/v1/upstreams") -> Iterator[Polling]:
    somebody = Polling(api, path)
    somebody._thread.start()
    try:
        somebody.goes_on()
        yield somebody
        somebody.goes_on()
    finally:
        somebody._stop.set()
        somebody._thread.join()


def control(daemon: Daemon) -> int:
    """The control process at work: there is one alone."""

    def found() -> int:
        every = [pid for pid in processes.children(daemon.master) if processes.title(pid) == "l4d: control process"]
        return every[0] if len(every) == 1 else 0

    return wait_until("there is one control process", found)


def test_every_request_is_answered_over_reloads(start: Start, tmp_path: Path) -> None:
    with Echo("one") as one:
        daemon, api = with_api(start, tmp_path, config(entry(one, "one")))
        with polling(api) as somebody:
            for number in range(2, 6):
                assert api.ask("POST", "/api/v1/reload").status == 202
                wait_until("it has come about", lambda: api.get("status")["generation"] == number)  # noqa: B023
                somebody.goes_on()
        assert somebody.failures == []
        assert somebody.longest < 2
        daemon.check_log()


def test_all_is_well_at_every_moment_of_a_reload(start: Start, tmp_path: Path) -> None:
    with Echo("one") as one:
        daemon, api = with_api(start, tmp_path, config(entry(one, "one")))
        with polling(api, "/healthz") as somebody:
            for _ in range(5):
                daemon.reload()
                somebody.goes_on()
        assert somebody.failures == []


def test_every_request_is_answered_over_upgrades(start: Start, tmp_path: Path) -> None:
    with Echo("one") as one:
        daemon, api = with_api(start, tmp_path, config(entry(one, "one")))
        with polling(api) as somebody:
            for _ in range(2):
                daemon.upgrade()
                wait_until("the next one answers", lambda: api.get("status")["pid"] == daemon.master)
                somebody.goes_on()
                wait_until("the last one has left", lambda: len(processes_of(daemon)) == 4)
        assert somebody.failures == []
        daemon.check_log()


def processes_of(daemon: Daemon) -> list[int]:
    """A master, two workers, control; and those of the last program, as long as it is there."""
    return daemon.processes()


def test_when_control_is_killed_only_the_request_it_had_in_hand_is_lost(start: Start, tmp_path: Path) -> None:
    with Echo("one") as one, Echo("two") as two:
        daemon, api = with_api(start, tmp_path, config(entry(one, "one"), entry(two, "two")))
        api.change("web", "two", state="drain")
        with polling(api) as somebody:
            for _ in range(3):
                os.kill(control(daemon), SIGKILL)
                assert ask(daemon.address("web")) == "one"
                somebody.goes_on()
        assert len(somebody.failures) <= 3, somebody.failures
        assert api.get("upstreams/web")["servers"][1]["wishes"] == {"state": "drain"}
        assert api.get("status")["process_restarts_total"]["control"] == 3


def test_changes_that_come_amid_reloads_are_all_made(start: Start, tmp_path: Path) -> None:
    with Echo("one") as one:
        daemon, api = with_api(start, tmp_path, config(entry(one, "one")))
        replies: list[int] = []

        def change() -> None:
            path = "/api/v1/upstreams/web/servers/one"
            replies.extend(api.ask("PATCH", path, {"weight": weight}).status for weight in range(1, 200))

        thread = threading.Thread(target=change)
        thread.start()
        daemon.reload()
        daemon.reload()
        thread.join()
        assert set(replies) == {200}
        assert api.get("upstreams/web")["servers"][0]["wishes"] == {"weight": 199}
