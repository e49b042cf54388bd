"""What stands behind the question mark."""

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from l4d.admin.errors import Refused
from l4d.admin.parameters import number, texts


def request(query: str) -> web.Request:
    return make_mocked_request("GET", f"/{query}")


def refusal(query: str, *known: str) -> str:
    with pytest.raises(Refused) as caught:
        texts(request(query), known)
    assert caught.value.status == 400
    return str(caught.value)


def test_parameters_are_known_and_given_once() -> None:
    assert texts(request("?client=%3A%3A1&older=1m"), ("older", "client")) == {"client": "::1", "older": "1m"}
    assert texts(request("")) == {}
    assert refusal("?cleint=x", "client") == "cleint: there is no such parameter here; did you mean 'client'?"
    assert refusal("?client=x&client=x", "client") == "client: is given twice"


def test_a_number_is_whole_and_within_its_bounds() -> None:
    assert number({}, "limit", 5, 10) == 5
    given = {"limit": "10"}
    assert number(given, "limit", 5, 10) == 10
    assert given == {}, "it is no filter"
    for wrong in ("0", "11", "-1", "1.0", "", "x", "\u0661", "9" * 5000):
        with pytest.raises(Refused, match="limit: must be a whole number from 1 to 10"):
            number({"limit": wrong}, "limit", 5, 10)
