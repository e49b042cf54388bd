"""Where a session that is over is written down: in the access log of its listener, and among the newest ends."""

import time
from collections import deque
from typing import TypeAlias

from l4d.log.access import AccessLog
from l4d.log.log import Log
from l4d.loop.deadlines import Deadlines
from l4d.session.forms import Form, TextForm
from l4d.session.session import Session
from l4d.terms import End

Newest: TypeAlias = deque[tuple[Session, End, float]]
"""The last sessions that ended, and when, in monotonic seconds. It has a bound, and is one for all listeners."""


class Journal:
    """That of one listener in one worker."""

    __slots__ = ("_access", "_flushes", "_form", "_log", "_newest", "_text")

    def __init__(
        self,
        log: Log,
        text: TextForm,
        newest: Newest,
        form: Form,
        access: AccessLog | None,
        flushes: Deadlines[AccessLog],
    ) -> None:
        """Without *access* there are no lines but those in the *log*, at the level of debug, which have *text*."""
        self._log = log
        self._text = text
        self._newest = newest
        self._form = form
        self._access = access
        self._flushes = flushes

    def over(self, session: Session, end: End) -> None:
        """*session* is over."""
        now = session.service.loop.now
        self._newest.append((session, end, now))
        access = self._access
        if access is not None:
            wall = time.time() - time.monotonic() + now
            if access.add(self._form.line(session, end, now, wall)):
                self._flushes.enter(access, now)
        if self._log.debugging:
            self._log.debug(f"session {self._text.words(session, end, now)}")
