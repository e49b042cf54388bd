"""The TCP sessions of one generator: begun, looked after until they end, and counted."""

import time
from collections import Counter
from collections.abc import Callable

from tests.chaos.facts import Tally, say
from tests.chaos.talk import SILENT_AFTER, Talk
from tests.chaos.turns import Turns

_LOOK_EVERY = 1.0


class Crowd:
    """Talks that live, in one loop."""

    def __init__(self, turns: Turns, kind: str, is_over: Callable[[Talk], bool] = lambda _: False) -> None:
        """*is_over* says of a talk that its client has all it wanted, and leaves."""
        self.talks: set[Talk] = set()
        self._turns = turns
        self._kind = kind
        self._is_over = is_over
        self._counts: Counter[str] = Counter(begun=0, whole=0, broken=0, sent=0, received=0)
        self._longest = (0.0, 0.0)
        self._looked_at = 0.0

    def add(self, talk: Talk) -> None:
        self._counts["begun"] += 1
        self.talks.add(talk)
        self._turns.watch(talk.socket, talk.wanted, lambda mask: self.go_on(talk, mask))

    def go_on(self, talk: Talk, mask: int) -> None:
        outcome = talk.go_on(mask)
        if outcome or self._is_over(talk):
            self.end(talk, outcome or "whole")
        else:
            self._turns.want(talk.socket, talk.wanted)

    def end(self, talk: Talk, outcome: str) -> None:
        """It is over: "whole", or how it broke."""
        if outcome != "whole":
            talk.broke(outcome)
        self._counts["whole" if outcome == "whole" else "broken"] += 1
        self._counts["sent"] += talk.sent
        self._counts["received"] += talk.received
        self._longest = max(self._longest, (talk.longest_wait, talk.longest_at))
        self.talks.discard(talk)
        self._turns.leave(talk.socket)

    def look(self) -> None:
        """End those who wait in vain."""
        now = time.monotonic()
        if now - self._looked_at < _LOOK_EVERY:
            return
        self._looked_at = now
        for talk in [talk for talk in self.talks if talk.is_silent(now)]:
            self.end(talk, f"silent for {SILENT_AFTER:g} s")

    def finish(self) -> None:
        """Wait until all have ended, and say what came of them."""
        while self.talks:
            self._turns.until(time.monotonic() + _LOOK_EVERY)
            self.look()
        wait, at = self._longest
        say(Tally(self._kind, dict(self._counts) | {"longest_wait": wait, "longest_at": at}))
