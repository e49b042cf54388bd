"""The stage of one scenario at one place: a folder, ports, and the programs that end with it."""

import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from bench.places import Place, Ports, Where
from bench.programs import Process


@dataclass(frozen=True, slots=True)
class Settings:
    """How much is measured."""

    rounds: int
    growth_rounds: int
    seconds: float  # each candidate works so long in a round
    warm_up: float  # and so long before that
    quick: bool
    pin: Mapping[Where, str] = field(default_factory=dict)  # the CPUs of each part; none: as the kernel likes


class Stage:
    """Everything started here ends with its `with` block, the last first."""

    def __init__(
        self, place: Place, settings: Settings, ports: Ports, say: Callable[[str], None], note: Callable[[str], None]
    ) -> None:
        self.place = place
        self.settings = settings
        self.port = ports.take
        self.say = say
        self.note = note
        self._stack = ExitStack()
        self._started = 0

    def __enter__(self) -> "Stage":  # noqa: PYI034 - typing.Self came with Python 3.11
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="l4d-bench-")))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._stack.close()

    def host(self, where: Where) -> str:
        return self.place.hosts[where]

    def start(
        self, where: Where, words: Sequence[str], *, talks: bool = False, variables: Mapping[str, str] | None = None
    ) -> Process:
        """A program that ends with its own `with` block."""
        self._started += 1
        cpus = self.settings.pin.get(where)
        line = self.place.line(where, words)
        output = self.folder / f"{self._started}.{Path(words[0]).name}.output"
        pinned = ["taskset", "--cpu-list", cpus, *line] if cpus else line
        return Process(Path(words[0]).name, pinned, output, talks=talks, variables=variables)

    def keep(self, process: Process) -> Process:
        """It ends with the stage."""
        return self._stack.enter_context(process)
