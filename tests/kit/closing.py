"""Things that are closed when their `with` block ends."""

from abc import ABC, abstractmethod
from types import TracebackType
from typing import TypeVar

C = TypeVar("C", bound="Closing")


class Closing(ABC):
    @abstractmethod
    def close(self) -> None: ...

    def __enter__(self: C) -> C:  # noqa: PYI019 - typing.Self came with Python 3.11
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()
