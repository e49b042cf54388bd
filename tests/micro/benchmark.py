"""What pytest-benchmark gives a test: it calls something often, and says how long one call takes."""

from typing import Any, Protocol


class Benchmark(Protocol):
    """The fixture `benchmark`."""

    def __call__(self, function: Any, *arguments: Any) -> Any: ...
