"""Every error is answered as {"error": "..."}, whoever has found it; one that is ours is logged, and costs one request.

Refused                    what a handler says about a request that cannot be done
aiohttp's HTTPException    unknown path, wrong method, body too large
RequestPayloadError        a body that ends in the middle, or is not chunked as it says
anything else              a bug
"""

from collections.abc import Awaitable, Callable
from typing import Protocol, TypeAlias

from aiohttp import web

from l4d.admin.answer import error
from l4d.log.log import Log

Handler: TypeAlias = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Middleware(Protocol):
    """What stands between a request and its handler."""

    def __call__(self, request: web.Request, handler: Handler) -> Awaitable[web.StreamResponse]: ...


BUG = "a bug in l4d; its log has more"

_WORDS = {
    403: "not for you",
    404: "there is nothing at this path; /api/v1/openapi.json says what there is",
    413: "the body is too large",
}


class Refused(Exception):  # noqa: N818 - it says what becomes of the request
    """A request that cannot be done: the status, why, and more for programs."""

    def __init__(self, status: int, text: str, **more: object) -> None:
        super().__init__(text)
        self.status = status
        self.more = more


def tell_errors(log: Log) -> Middleware:
    """The middleware around all others."""

    @web.middleware
    async def tell(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except Refused as refused:
            return error(refused.status, str(refused), more=refused.more)
        except web.HTTPException as known:
            return _known(known)
        except web.RequestPayloadError:
            return error(400, "the body is not what the head of the request says")
        except ConnectionError:
            return error(400, "the connection was lost")  # nobody will read it
        except Exception as bug:
            log.bug(f"the admin API, {request.method} {request.path!r}", bug)
            return error(500, BUG)

    return tell


def _known(known: web.HTTPException) -> web.Response:
    headers = {}
    words = _WORDS.get(known.status, known.reason)
    if isinstance(known, web.HTTPMethodNotAllowed):
        allowed = ", ".join(sorted(known.allowed_methods))
        words, headers = f"this path takes {allowed}", {"Allow": allowed}
    return error(known.status, words, headers)
