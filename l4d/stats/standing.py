"""What control says of a server, on the board: up or down, what the operator wishes, what its agent wants.

Control alone writes, on its own row; workers read when the bell has rung. A column that is 0 says nothing, so a
server nobody has spoken of yet is what the configuration says.

    verdict                       0 not known   1 up   2 down
    wished state, weight, ...     1 << 62 | the file's value at the time << 31 | the wish
    agent                         (percent + 1) << 8 | state + 1        0 in either part: nothing

A wish holds as long as the file says what it said when the wish was made.
"""

import enum
import zlib
from dataclasses import dataclass

from l4d.config.model import Server, Upstream
from l4d.stats import catalogue
from l4d.stats.columns import Columns
from l4d.terms import ServerState

_STATES = tuple(ServerState)
_WISHES = (catalogue.WISHED_STATE, catalogue.WISHED_WEIGHT, catalogue.WISHED_SESSIONS)
_ALL = _STATE, _WEIGHT, _SESSIONS = range(3)
_WISHED = 1 << 62
_SHIFT = 31
_VALUE = (1 << _SHIFT) - 1

LEAST_PERCENT = 1
"""No weight is 0. An agent's 0 percent is said as drain, but where it says maint as well."""


class Verdict(enum.Enum):
    """What checks say of a server. For one given by name: whether it has an address, too."""

    UNKNOWN = 0
    UP = 1
    DOWN = 2


@dataclass(frozen=True, slots=True)
class Situation:
    """All that was said of a server, and the configuration, taken together."""

    verdict: Verdict
    up_since: float  # monotonic seconds at which it came back; 0: it never was away
    state: ServerState
    weight: float  # more than 0
    max_sessions: int


def subject_of(upstream: Upstream, entry: Server) -> int:
    """A number, not 0, for what is asked, and how. An address of a name is not in it, as it has a seat of its own."""
    check = upstream.check
    address = "" if entry.named else entry.address
    return zlib.crc32(f"{address} {check.type.value} {check.port} {check.role.value}".encode()) + 1


class Standing:
    """The columns of one server in control's row. Times are monotonic seconds."""

    __slots__ = ("_agent", "_checks", "_judged", "_row", "_subject", "_up_since", "_verdict", "_wishes")

    def __init__(self, row: memoryview, columns: Columns, upstream: str, server: str) -> None:
        self._row = row
        self._verdict = columns.of(catalogue.VERDICT, upstream, server)
        self._up_since = columns.of(catalogue.UP_SINCE, upstream, server)
        self._judged = columns.of(catalogue.JUDGED, upstream, server)
        self._subject = columns.of(catalogue.SUBJECT, upstream, server)
        self._wishes = tuple(columns.of(metric, upstream, server) for metric in _WISHES)
        self._agent = columns.of(catalogue.AGENT, upstream, server)
        self._checks = {
            result: columns.of(catalogue.SERVER_CHECKS, upstream, server, result) for result in catalogue.CHECK_RESULTS
        }

    def read(self, file: Server, weight: int, whole: "Standing | None" = None, subject: int = 0) -> Situation:
        """What holds now for the server that *file* describes.

        *weight* is its own (SRV gives each target one); *whole* has what was said of all servers of its name together.
        What was said of another *subject* does not count: one that had this name before a reload, or will after it.
        """
        row = self._row
        state = self.wished_state(file, whole)
        ours = self.is_of(subject)
        agent_state, percent = _agent(row[self._agent] if ours else 0)
        if agent_state is not None and state is ServerState.READY:
            state = agent_state
        weight = self._wished(_WEIGHT, file.weight, whole, weight)
        return Situation(
            Verdict(row[self._verdict]) if ours else Verdict.UNKNOWN,
            row[self._up_since] / 1000,
            state,
            weight * max(LEAST_PERCENT, percent) / 100,
            self._wished(_SESSIONS, file.max_sessions, whole, file.max_sessions),
        )

    def wished_state(self, file: Server, whole: "Standing | None" = None) -> ServerState:
        """The state by the operator or the file, whatever an agent wants."""
        ready = _STATES.index(file.state)
        return _STATES[self._wished(_STATE, ready, whole, ready)]

    def wishes(
        self, file: Server, whole: "Standing | None" = None
    ) -> tuple[ServerState | None, int | None, int | None]:
        """The state, weight and max_sessions that the operator wishes; None: whatever the file says."""
        state, weight, most = (
            self._wish(which, value, whole) for which, value in zip(_ALL, _file_values(file), strict=True)
        )
        return (None if state is None else _STATES[state]), weight, most

    def _wished(self, which: int, file: int, whole: "Standing | None", otherwise: int) -> int:
        """The wish for this server, else that for all of its name, else *otherwise*."""
        wish = self._wish(which, file, whole)
        return otherwise if wish is None else wish

    def _wish(self, which: int, file: int, whole: "Standing | None") -> int | None:
        for standing in (self, whole):
            wish = _wish(standing._row[standing._wishes[which]], file) if standing is not None else None
            if wish is not None:
                return wish
        return None

    @property
    def wanted(self) -> tuple[ServerState | None, int | None]:
        """The state and the percentage of its weight that the server's agent wants; None: of that it did not speak."""
        word = self._row[self._agent]
        state, _percent = _agent(word)
        return state, (word >> 8) - 1 if word >> 8 else None

    @property
    def verdict(self) -> Verdict:
        return Verdict(self._row[self._verdict])

    @property
    def judged_at(self) -> float:
        """When the verdict became what it is; 0: it never was another one."""
        return self._row[self._judged] / 1000

    def is_of(self, subject: int) -> bool:
        """Whether the verdict is of this *subject* (see subject_of), or nobody has said whose it is."""
        return self._row[self._subject] in {0, subject}

    # What follows is control's alone.

    def begin(self, subject: int) -> None:
        """*subject* is asked from now on; if it was not before, nothing is known of it."""
        if self._row[self._subject] != subject:
            self._zero(self._verdict, self._judged, self._up_since, self._agent)
            self._row[self._subject] = subject

    def judge(self, verdict: Verdict, now: float) -> None:
        """From now on the server is as *verdict* says."""
        if verdict is Verdict.UP and self.verdict is Verdict.DOWN:
            self._row[self._up_since] = round(now * 1000)
        if verdict is not self.verdict:
            self._row[self._judged] = round(now * 1000)
        self._row[self._verdict] = verdict.value

    def wish_state(self, state: ServerState | None, file: Server) -> None:
        """The operator wants the server to be in *state*; None: whatever the file says."""
        value = None if state is None else _STATES.index(state)
        self._row[self._wishes[_STATE]] = _written(value, _STATES.index(file.state))

    def wish_weight(self, weight: int | None, file: Server) -> None:
        self._row[self._wishes[_WEIGHT]] = _written(weight, file.weight)

    def wish_sessions(self, most: int | None, file: Server) -> None:
        self._row[self._wishes[_SESSIONS]] = _written(most, file.max_sessions)

    def want(self, state: ServerState | None, percent: int | None) -> None:
        """The server's agent wants it in *state*, and at so many percent of its weight; None: it does not say."""
        self._row[self._agent] = ((percent + 1 if percent is not None else 0) << 8) | (
            _STATES.index(state) + 1 if state is not None else 0
        )

    def count(self, result: str) -> None:
        """A check had *result*, one of catalogue.CHECK_RESULTS."""
        self._row[self._checks[result]] += 1

    def forget_stale(self, file: Server) -> None:
        """Wishes made when the file said something else are over."""
        for column, value in zip(self._wishes, _file_values(file), strict=True):
            if _wish(self._row[column], value) is None:
                self._row[column] = 0

    def clear(self) -> None:
        """Nothing is known or wished: another server comes into this place."""
        self._zero(self._verdict, self._judged, self._up_since, self._agent, *self._wishes)

    def _zero(self, *columns: int) -> None:
        for column in columns:
            self._row[column] = 0


def _file_values(file: Server) -> tuple[int, int, int]:
    return _STATES.index(file.state), file.weight, file.max_sessions


def _written(wish: int | None, file: int) -> int:
    return 0 if wish is None else _WISHED | file << _SHIFT | wish


def _wish(word: int, file: int) -> int | None:
    """The wish in *word*, if there is one and the file still says what it said."""
    return word & _VALUE if word >> _SHIFT == (_WISHED >> _SHIFT) | file else None


def _agent(word: int) -> tuple[ServerState | None, int]:
    """The state, and the percentage, that an agent wants."""
    state, percent = word & 0xFF, word >> 8
    return (_STATES[state - 1] if state else None), (percent - 1 if percent else 100)
