"""What stands behind the question mark: each parameter is known, given once, and read as what it is."""

from collections.abc import Collection

from aiohttp import web

from l4d.admin.errors import Refused
from l4d.config.suggest import did_you_mean


def texts(request: web.Request, known: Collection[str] = ()) -> dict[str, str]:
    """The parameters of *request* by name. Raises Refused for one that is not *known*, or given twice.

    A mistyped one that was passed over would mean more sessions than were meant.
    """
    found: dict[str, str] = {}
    for name, value in request.query.items():
        if name not in known:
            raise Refused(400, f"{name}: there is no such parameter here{did_you_mean(name, known)}")
        if name in found:
            raise Refused(400, f"{name}: is given twice")
        found[name] = value
    return found


def number(texts: dict[str, str], name: str, default: int, most: int) -> int:
    """A whole number from 1 to *most*. Raises Refused."""
    text = texts.pop(name, None)
    if text is None:
        return default
    if not (text.isascii() and text.isdigit()) or len(text) > 9 or not 1 <= int(text) <= most:
        raise Refused(400, f"{name}: must be a whole number from 1 to {most}")
    return int(text)
