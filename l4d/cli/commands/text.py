"""Numbers, times and foreign words, short and safe to print."""

from datetime import datetime, timezone

_THOUSAND = 1000


def clean(text: str) -> str:
    """*text* without anything a terminal would obey: what cannot be printed is written as an escape.

    Names and addresses come from others. What changes the direction of writing is not printable either.
    """
    return text if text.isprintable() else "".join(one if one.isprintable() else _escaped(one) for one in text)


def _escaped(letter: str) -> str:
    return letter.encode("unicode_escape", "surrogatepass").decode("ascii")


def count(number: float) -> str:
    """A number of things: in full up to five digits, then 123k, 12.3M."""
    if number < 100 * _THOUSAND:
        return str(round(number))
    return _scaled(number, _THOUSAND, ("", "k", "M", "G", "T", "P", "E"))


def size(number: float) -> str:
    """A number of bytes: 812, 1.2k, 34M; k is 1024, as in the configuration."""
    return _scaled(number, 1024, ("", "k", "M", "G", "T", "P", "E"))


def _scaled(number: float, step: int, units: tuple[str, ...]) -> str:
    unit = 0
    while number >= step - 0.5 and unit < len(units) - 1:
        number /= step
        unit += 1
    text = f"{number:.1f}" if unit and number < 9.95 else f"{number:.0f}"
    return text + units[unit]


def rate(number: float) -> str:
    """So many a second: 0.5, 12, 3.4k."""
    return f"{number:.1f}" if 0 < number < 9.95 else count(number)


def age(seconds: float) -> str:
    """How long something lasts: 0.3s, 42s, 5m03s, 3h12m, 2d04h."""
    if seconds < 9.95:
        return f"{max(seconds, 0.0):.1f}s"
    whole = round(seconds)
    for unit, part, long, short in ((86400, 3600, "d", "h"), (3600, 60, "h", "m"), (60, 1, "m", "s")):
        if whole >= unit:
            return f"{whole // unit}{long}{whole % unit // part:02}{short}"
    return f"{whole}s"


def milliseconds(number: float | None) -> str:
    """A short time: 0.3ms, 12ms, 1.2s."""
    if number is None:
        return "-"
    if number < 9.95:
        return f"{number:.1f}ms"
    return f"{number:.0f}ms" if number < 999.5 else age(number / 1000)


def seconds_since(stamp: str | None, now: str | None) -> float | None:
    """From one RFC 3339 time to another one; None where one is missing or is none."""
    begun, over = _time(stamp), _time(now)
    return None if begun is None or over is None else (over - begun).total_seconds()


def clock(stamp: str | None) -> str:
    """The local time of day of an RFC 3339 time; "" where it is none."""
    time = _time(stamp)
    return "" if time is None else time.astimezone().strftime("%H:%M:%S")


def _time(stamp: str | None) -> datetime | None:
    try:
        time = datetime.fromisoformat((stamp or "").replace("Z", "+00:00"))
    except ValueError:
        return None
    return time if time.tzinfo else time.replace(tzinfo=timezone.utc)


def plural(number: int, thing: str) -> str:
    """`1 session`, `2 sessions`."""
    return f"{count(number)} {thing}" if number == 1 else f"{count(number)} {thing}s"
