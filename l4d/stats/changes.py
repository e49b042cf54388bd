"""What has become of l4d since it was started: its start, reloads and upgrades, kept by whoever is master.

The last ones are told to the operator; they outlive control processes, masters and programs as a small document.
"""

import json
from dataclasses import asdict, dataclass, field
from typing import Any, Final

MOST: Final = 20
"""So many are kept."""

LONGEST: Final = 250
"""Characters of a message that are kept: all of them, of twelve bytes each in JSON, are one word to control yet."""

START, RELOAD, UPGRADE = "start", "reload", "upgrade"
SUCCESS, FAILURE = "success", "failure"


@dataclass(frozen=True, slots=True)
class Change:
    """One of them."""

    time: float  # seconds since 1970
    what: str  # start, reload, upgrade
    result: str  # success, failure
    generation: int  # the one that serves since then, or still
    message: str  # why it failed; else empty


@dataclass(slots=True)
class Changes:
    """The last ones, the newest first."""

    started: float = 0.0  # when the first program was, in seconds since 1970
    all: list[Change] = field(default_factory=list)

    def add(self, change: Change) -> None:
        short = change.message if len(change.message) <= LONGEST else f"{change.message[: LONGEST - 3]}..."
        self.all = [Change(change.time, change.what, change.result, change.generation, short), *self.all][:MOST]

    def encode(self) -> bytes:
        """All of it, as `decode` reads it."""
        return json.dumps(self.plain()).encode()

    def plain(self) -> dict[str, Any]:
        """The same as values that JSON has."""
        return {"started": self.started, "all": [asdict(change) for change in self.all]}


def decode(data: bytes) -> Changes:
    """What `encode` has written. Raises ValueError."""
    return from_plain(json.loads(data))


def from_plain(value: Any) -> Changes:
    """What `plain` has given. Raises ValueError: it is no such thing. Fields of a later program are passed over."""
    try:
        return Changes(float(value["started"]), [_change(each) for each in value["all"]][:MOST])
    except (TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"no history: {error!r}") from None


def _change(value: Any) -> Change:
    what, result, message = str(value["what"]), str(value["result"]), str(value["message"])
    return Change(float(value["time"]), what, result, int(value["generation"]), message)
