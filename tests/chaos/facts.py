"""What the processes of a run have to say, a JSON line each, and how it is read again.

Times are monotonic seconds, which are the same in every process of a machine.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import NamedTuple, TypeAlias


@dataclass(frozen=True, slots=True)
class Ready:
    """Whoever says it is at work."""

    who: str


@dataclass(frozen=True, slots=True)
class Broken:
    """A session that did not come to its proper end."""

    kind: str
    number: int
    listener: int  # the port it came to
    begun: float
    ended: float
    how: str
    port: int = 0  # the client's own
    pid: int = 0  # of a client that is a process of its own; its port is not known then
    server: int = 0  # the pid of the server that greeted it; 0: none had yet


@dataclass(frozen=True, slots=True)
class Wrong:
    """What must never be, whatever happens."""

    who: str
    what: str
    at: float


class Segment(NamedTuple):
    """The datagrams of a flow, one after the other, that a server answered to one source port."""

    port: int
    server: int  # its pid
    first: int  # numbers of datagrams
    last: int
    since: float  # when the answer to the first one was read
    last_sent: float


@dataclass(frozen=True, slots=True)
class Flow:
    """All that came of one UDP client's datagrams."""

    number: int
    sent: list[float]  # when each was sent
    segments: list[Segment]
    lost: list[int]
    doubled: list[int]
    disordered: list[int]  # answered after a later one
    longest_wait: float
    longest_at: float


@dataclass(frozen=True, slots=True)
class Tally:
    """Numbers for the report."""

    who: str
    counts: dict[str, float] = field(default_factory=dict)


Fact: TypeAlias = Ready | Broken | Wrong | Flow | Tally
_KINDS: dict[str, type[Fact]] = {kind.__name__: kind for kind in (Ready, Broken, Wrong, Flow, Tally)}


def say(fact: Fact) -> None:
    """To whoever has started this process."""
    sys.stdout.write(line_of(fact))
    sys.stdout.flush()


def line_of(fact: Fact) -> str:
    return json.dumps({"is": type(fact).__name__} | asdict(fact)) + "\n"


def facts_in(lines: Iterable[str]) -> Iterator[Fact]:
    """What was said in *lines*. A last line that has no end, of a process that was killed, does not count."""
    for line in lines:
        if line.endswith("\n"):
            values = json.loads(line)
            kind = _KINDS[values.pop("is")]
            if kind is Flow:
                values["segments"] = [Segment(*each) for each in values["segments"]]
            yield kind(**values)
