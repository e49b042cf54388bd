"""The check of type agent: a program beside the server says, in one line, how it is and what it wishes.

The words are those of HAProxy's agent-check (configuration.txt, "agent-check"), in any order, with spaces, tabs or
commas between:

    up                            is well, at once
    down, fail, failed, stopped   is not, at once; what follows a "#" is the reason
    ready, drain, maint           what it wishes its state to be
    75%                           what it wishes of its weight; 0 % is drain
    maxconn:30                    heard, and not heeded: the limit is the operator's

Words not known are passed over. A line in which none is known is a failed check, and so is no line.
"""

import re

from l4d.config.model import Check
from l4d.health.connection import connect, receive_until, send
from l4d.health.probe import Answer, Target
from l4d.health.words import one_line, quoted
from l4d.terms import ServerState

_LONGEST_LINE = 1024
_BETWEEN = re.compile(r"[ \t,]+")
_PERCENT = re.compile(r"([0-9]{1,5})%")
_DOWN = {"down", "fail", "failed", "stopped"}
_STATES = {state.value: state for state in ServerState}
_MOST_PERCENT = 1000


class AgentProbe:
    """Connects, sends what is to be sent, and reads one line."""

    def __init__(self, check: Check) -> None:
        self._payload = check.payload

    async def ask(self, target: Target) -> Answer:
        """See Probe."""
        with await connect(target.address) as sock:
            if self._payload:
                await send(sock, self._payload)
            data = await receive_until(sock, _has_line, _LONGEST_LINE)
        if not data:
            raise EOFError("closed before it had answered")
        return heard(re.split(rb"[\r\n]", data, maxsplit=1)[0])


def _has_line(data: bytes) -> bool:
    return b"\n" in data or b"\r" in data


def heard(line: bytes) -> Answer:
    """What an agent's line comes to. Of two words for the same thing the later holds."""
    said, _, description = line.decode("utf-8", "replace").partition("#")
    well: bool | None = None
    state: ServerState | None = None
    percent: int | None = None
    why = ""
    known = False
    for word in _BETWEEN.split(said.lower()):
        number = _PERCENT.fullmatch(word)
        if word == "up" or word in _DOWN:
            well, why = word == "up", f"says {word}"
        elif word in _STATES:
            state = _STATES[word]
        elif number is not None:
            percent = min(int(number[1]), _MOST_PERCENT)
        elif not word.startswith("maxconn:"):
            continue
        known = True
    if not known:
        return Answer(well=False, why=f"no word is known of {quoted(line)}")
    if well is False and description.strip():
        why = one_line(f"{why}: {description}")
    return Answer(well is not False, why, well is not None, state, percent)
