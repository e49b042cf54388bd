"""The errors that reach the operator, told apart by exit status.

    L4dError
    +-- ConfigError   the configuration is wrong: every problem of it at once      (exit status 78)
    +-- StartError    could not start, or go on, for a reason outside the file     (exit status 1)

What the network does is no error but an end of a session (terms.End). Anything else that is raised is ours.
"""

from collections.abc import Iterable
from dataclasses import dataclass


class L4dError(Exception):
    """Something the operator must be told, in words ready to print."""

    exit_status = 1


class StartError(L4dError):
    """What was asked for cannot be done on this machine now: an address in use, a missing right."""

    def __init__(self, *messages: str) -> None:
        super().__init__("\n".join(messages))
        self.messages = messages


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong in a configuration, with its place and the way out."""

    file: str
    line: int  # 0: the place is not in a file (--set), or the whole file is meant
    key: str  # dotted, as in "listeners.pg.bind"; "" when the file is not even TOML
    message: str

    def __str__(self) -> str:
        """The compiler's form: `l4d.toml:6: listeners.pg.upstrem: no such key; did you mean 'upstream'?`."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.key}: {self.message}" if self.key else f"{place}: {self.message}"


class ConfigError(L4dError):
    """A configuration with problems, all of them, in the order of the files and lines."""

    exit_status = 78

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
