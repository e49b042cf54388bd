"""An error of ours costs one request, is logged, and tells the caller nothing of it."""

import asyncio
import json
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from l4d.admin.errors import BUG, Refused, tell_errors
from l4d.log.log import Log
from l4d.terms import Level
from tests.unit.making import Lines


def answered(error: BaseException) -> tuple[int, Any, Lines]:
    """What is answered when the handler raises *error*, and what is logged."""
    sink = Lines()

    async def handler(_request: web.Request) -> web.StreamResponse:
        raise error

    async def conversation() -> web.StreamResponse:
        tell = tell_errors(Log(sink, Level.DEBUG, "control"))
        return await tell(make_mocked_request("GET", "/api"), handler)

    response = asyncio.run(conversation())
    assert isinstance(response, web.Response)
    assert isinstance(response.body, bytes)
    return response.status, json.loads(response.body), sink


def test_a_bug_is_told_in_the_log_alone() -> None:
    status, body, sink = answered(ZeroDivisionError("secret"))
    assert (status, body) == (500, {"error": BUG})
    [(level, text)] = sink.taken
    assert level is Level.ERROR
    assert "ZeroDivisionError: secret" in text
    assert "GET '/api'" in text


@pytest.mark.parametrize(
    ("error", "status", "body"),
    [
        (Refused(404, "there is none"), 404, {"error": "there is none"}),
        (Refused(409, "a", problems=["a", "b"]), 409, {"error": "a", "problems": ["a", "b"]}),
        (web.HTTPMethodNotAllowed("PUT", ["POST", "GET"]), 405, {"error": "this path takes GET, POST"}),
        (web.HTTPGone(), 410, {"error": "Gone"}),
        (web.RequestPayloadError(), 400, {"error": "the body is not what the head of the request says"}),
        (ConnectionResetError(), 400, {"error": "the connection was lost"}),
    ],
)
def test_what_is_no_bug_is_told_the_caller_alone(error: BaseException, status: int, body: object) -> None:
    told_status, told_body, sink = answered(error)
    assert (told_status, told_body, sink.taken) == (status, body, [])
