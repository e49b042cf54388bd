"""Reading what the API says. Another version of l4d may leave a thing out, or tell it otherwise: then it is empty."""

from typing import Any, TypeGuard

from l4d.cli.commands.client import Json
from l4d.cli.commands.text import clean

_MOST = 1e18


def words(of: Json, key: str, without: str = "") -> str:
    """The words at *key*, safe to print; *without* them when there are none."""
    value = of.get(key)
    return clean(str(value)) if isinstance(value, str | int | float) and value != "" else without


def number(of: Json, key: str) -> float:
    """The number at *key*; 0 when there is none."""
    return maybe(of, key) or 0


def whole(of: Json, key: str) -> int:
    return int(number(of, key))


def maybe(of: Json, key: str) -> float | None:
    """The number at *key*, if there is one."""
    value = of.get(key)
    return value if _is_number(value) else None


def part(of: Json, key: str) -> Json:
    """The object at *key*; an empty one when there is none."""
    value = of.get(key)
    return value if isinstance(value, dict) else {}


def rows(of: Json, key: str) -> list[Json]:
    """The objects in the list at *key*."""
    return [value for value in _list(of, key) if isinstance(value, dict)]


def texts(of: Json, key: str) -> list[str]:
    """The texts in the list at *key*, safe to print."""
    return [clean(value) for value in _list(of, key) if isinstance(value, str)]


def numbers(of: Json, key: str) -> list[float]:
    """The numbers in the list at *key*."""
    return [value for value in _list(of, key) if _is_number(value)]


def total(of: Json, key: str) -> int:
    """The sum of the numbers in the object at *key*."""
    return int(sum(value for value in part(of, key).values() if _is_number(value)))


def _list(of: Json, key: str) -> list[Any]:
    value = of.get(key)
    return value if isinstance(value, list) else []


def _is_number(value: object) -> TypeGuard[int | float]:
    """Whether it is one that can be reckoned with: JSON also has numbers without end."""
    return isinstance(value, int | float) and not isinstance(value, bool) and -_MOST <= value <= _MOST
