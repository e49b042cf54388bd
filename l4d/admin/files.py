"""The two files that are served: this API's description, and the status page, which may ask this API and no more."""

import base64
import hashlib
import re
from pathlib import Path

from aiohttp import web

from l4d.admin.answer import JSON
from l4d.admin.parameters import texts

_HERE = Path(__file__).parent
_INLINE = re.compile(r"<(script|style)[^>]*>(.*?)</\1>", re.DOTALL)


class Page:
    def __init__(self) -> None:
        self._text = (_HERE / "page.html").read_text(encoding="utf-8")
        self._headers = {
            "Content-Security-Policy": policy(self._text),
            "Referrer-Policy": "no-referrer",
        }

    async def get(self, request: web.Request) -> web.Response:
        texts(request)
        return web.Response(text=self._text, content_type="text/html", headers=self._headers)


class Description:
    def __init__(self) -> None:
        self._body = (_HERE / "openapi.json").read_bytes()

    async def get(self, request: web.Request) -> web.Response:
        texts(request)
        return web.Response(body=self._body, content_type=JSON)


def policy(page: str) -> str:
    """Its own scripts and styles may be used, by their hashes (W3C, Content Security Policy Level 3), and no others."""
    hashes: dict[str, list[str]] = {"script": [], "style": []}
    for match in _INLINE.finditer(page):
        digest = base64.b64encode(hashlib.sha256(match[2].encode()).digest()).decode()
        hashes[match[1]].append(f"'sha256-{digest}'")
    sources = [" ".join((f"{kind}-src", *(found or ["'none'"]))) for kind, found in hashes.items()]
    closed = ["base-uri 'none'", "form-action 'none'", "frame-ancestors 'none'"]
    return "; ".join(["default-src 'none'", *sources, "connect-src 'self'", "img-src data:", *closed])
