"""Whether an answer is the expected one: the keys expect and expect_hex."""

import re

from l4d.config.model import Check


class Expecting:
    """What one check expects of the bytes of an answer."""

    def __init__(self, check: Check) -> None:
        self._beginning = check.expect_hex
        self._pattern = re.compile(check.expect.encode(), re.DOTALL) if check.expect else None

    @property
    def anything(self) -> bool:
        """Whether any answer will do."""
        return self._pattern is None and not self._beginning

    def met_by(self, data: bytes) -> bool:
        if self._pattern is not None:
            return self._pattern.search(data) is not None
        return data.startswith(self._beginning)

    def hopeless(self, data: bytes) -> bool:
        """Whether nothing that follows *data* can make it the expected answer."""
        return self._pattern is None and not self._beginning.startswith(data[: len(self._beginning)])
