"""How answers are made: JSON, whole or in pieces."""

import json
from collections.abc import Mapping
from typing import Final

from aiohttp import web

JSON: Final = "application/json"

HEADERS: Final = {
    "Server": "l4d",
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
"""Of every answer."""


def answer(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """*value* as JSON."""
    return web.Response(body=json.dumps(value).encode(), status=status, headers=headers, content_type=JSON)


def error(
    status: int, text: str, headers: Mapping[str, str] | None = None, more: Mapping[str, object] | None = None
) -> web.Response:
    """What is wrong, for whoever asked; programs may be told more."""
    return answer({"error": text, **(more or {})}, status, headers)
