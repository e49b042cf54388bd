"""The access logs of a worker: one for each target, whichever listeners write to it, and when they are flushed."""

import time
from collections import deque
from collections.abc import Callable, Mapping

from l4d.config.model import Config, Listener, Upstream
from l4d.log.access import AccessLog
from l4d.log.log import Log
from l4d.log.outlets import Outlet
from l4d.loop.loop import Loop
from l4d.session.forms import TextForm, make_form
from l4d.session.journal import Journal, Newest

FLUSH_SECONDS = 0.1
"""A line waits no longer than this."""

RETRY_SECONDS = 0.05
"""What could not be written is tried again after so long."""

LAST_TRIES = 4
"""When the worker ends; so many times it is tried to write what a pipe or a daemon does not take at once."""

NEWEST = 64
"""Ends that are remembered."""


class Journals:
    """Makes the journal of each listener."""

    def __init__(
        self,
        config: Config,
        place: tuple[int, int],
        outlets: Mapping[str, Outlet],
        loop: Loop,
        log: Log,
        on_lost: Callable[[int], None],
    ) -> None:
        """*place* is our slot, and generation; *outlets* are by target, *on_lost* as an AccessLog has it."""
        self.newest: Newest = deque(maxlen=NEWEST)
        """The newest ends of all listeners."""
        self._config = config
        self._place = place
        self._log = log
        self._logs = {target: AccessLog(outlet, on_lost) for target, outlet in outlets.items()}
        self._flushes = loop.queue(FLUSH_SECONDS, self._flush)
        self._retries = loop.queue(RETRY_SECONDS, self._flush)
        self._loop = loop

    def of(self, listener: Listener, upstream: Upstream) -> Journal:
        """The journal of *listener*."""
        form = make_form(self._config.log.format, listener, upstream, *self._place)
        return Journal(self._log, TextForm(listener), self.newest, form, self._log_of(listener), self._flushes)

    def _log_of(self, listener: Listener) -> AccessLog | None:
        """A listener that the file no longer has keeps its own log, if another one has that too."""
        target = self._config.access_log_of(listener)
        if target != "off" and target not in self._logs:
            target = self._config.log.access
        return self._logs.get(target)

    def _flush(self, access: AccessLog) -> None:
        if access.flush():
            self._retries.enter(access, self._loop.now)

    def go_on_in(self, index: int, fd: int) -> None:
        """The file of the *index*-th target was opened anew as *fd*, which stays the caller's."""
        [*self._logs.values()][index].go_on_in(fd)

    def end(self) -> None:
        """The worker ends: write what waits. Nobody is served any more, so a pipe is given a moment to take it."""
        for _ in range(LAST_TRIES):
            left = [access for access in self._logs.values() if access.flush()]
            if not left:
                return
            time.sleep(RETRY_SECONDS)
        for access in self._logs.values():
            access.give_up()
