"""How fast counters grow, from one look at them to the next."""

from collections.abc import Hashable, Mapping


class Rates:
    """Of any counters, each known by a key."""

    def __init__(self) -> None:
        self._seen: dict[Hashable, float] = {}
        self._at = 0.0
        self._rates: dict[Hashable, float] = {}

    def look(self, counters: Mapping[Hashable, float], now: float) -> None:
        """The counters as they are *now*, in seconds of any steady clock."""
        passed = now - self._at
        grown = {key: value - self._seen[key] for key, value in counters.items() if key in self._seen}
        # One that went back is of another l4d: it has been started anew.
        self._rates = {key: by / passed for key, by in grown.items() if by >= 0} if passed > 0 else {}
        self._seen, self._at = dict(counters), now

    def of(self, key: Hashable) -> float | None:
        """How much it grows in a second; None where only one look was taken."""
        return self._rates.get(key)
