"""When results of checks make a server up or down.

UNKNOWN --- one result --------------> UP or DOWN
UP      --- `fall` failures in a row -> DOWN
DOWN    --- `rise` good ones in a row -> UP
any     --- a definite answer --------> what it says
"""

from l4d.health.probe import Answer
from l4d.stats.standing import Verdict


class Judge:
    """Counts the results of one server, from what is known of it."""

    __slots__ = ("_against", "_fall", "_rise", "verdict")

    def __init__(self, verdict: Verdict, fall: int, rise: int) -> None:
        self.verdict = verdict
        self._fall = fall
        self._rise = rise
        self._against = 0  # results in a row that speak against the verdict

    def hear(self, answer: Answer) -> str:
        """Take one more result. When it changes `verdict`: why, ready for the log; else nothing."""
        says = Verdict.UP if answer.well else Verdict.DOWN
        if says is self.verdict:
            self._against = 0
            return ""
        self._against += 1
        if not answer.definite and self._against < self._needed():
            return ""
        why = _words(answer, self._against)
        self.verdict, self._against = says, 0
        return why

    def _needed(self) -> int:
        return {Verdict.UNKNOWN: 1, Verdict.UP: self._fall, Verdict.DOWN: self._rise}[self.verdict]


def _words(answer: Answer, times: int) -> str:
    if answer.definite and answer.why:
        return answer.why
    if answer.well:
        return "the check was good" if times == 1 else f"{times} checks were good"
    return f"the check failed: {answer.why}" if times == 1 else f"{times} checks failed, the last: {answer.why}"
