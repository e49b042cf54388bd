"""openapi.json is true and complete: every route is in it, and real answers are as it says, also those to nonsense."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    negative_data_rejection,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from l4d import admin
from l4d.admin import routes
from l4d.admin.house import House
from l4d.admin.recent import Recent
from tests.integration.test_admin import config, entry
from tests.kit import Daemon, Echo, wait_until
from tests.kit.api import Api
from tests.kit.relay import Relay

DOCUMENT: dict[str, Any] = json.loads(Path(admin.__path__[0], "openapi.json").read_text(encoding="utf-8"))
HARMLESS = {path: methods for path, methods in DOCUMENT["paths"].items() if path != "/api/v1/quit"}
WORDY = ("/api/v1/sessions", "/api/v1/explain")
"""Whose parameters are addresses, networks and durations: a schema cannot say which texts are right."""

SCHEMA = schemathesis.openapi.from_dict({**DOCUMENT, "paths": HARMLESS})


class Served:
    """l4d with something of everything."""

    def __init__(self, folder: Path, one: Echo, two: Echo) -> None:
        check = 'check = { type = "tcp", interval = "200ms" }'
        toml = config(entry(one, "one"), entry(two, "two", ', state = "drain"'), more=check)
        self.daemon = Daemon(toml, folder, ["--set", f'admin.socket="{folder}/l4d.sock"'])
        self.api = Api(folder / "l4d.sock")
        self.relay = Relay(folder / "l4d.sock")

    @property
    def url(self) -> str:
        return f"http://{self.relay.address}"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Echo("one") as one, Echo("two") as two:
        served = Served(tmp_path_factory.mktemp("openapi"), one, two)
        with served.relay:
            with served.daemon.client() as client:
                client.send(b"hello\n").read_line()
                yield served
        served.daemon.stop()


def test_every_route_is_described_and_everything_described_is_a_route() -> None:
    described = {(method.upper(), path) for path, methods in DOCUMENT["paths"].items() for method in methods}
    made = routes.routes(cast(House, _Anything()), Recent())
    assert {(method, path) for method, path, _handler in made} == described


class _Anything:
    def __getattr__(self, name: str) -> Any:
        return _Anything() if name != "files" else ("/",)


def test_everything_is_explained() -> None:
    for path, methods in DOCUMENT["paths"].items():
        for method, operation in methods.items():
            assert operation["summary"], (method, path)
            assert all(parameter["description"] for parameter in operation.get("parameters", ()))


@pytest.mark.parametrize("path", [path for path, methods in HARMLESS.items() if "get" in methods])
def test_what_is_really_answered_is_as_it_is_described(served: Served, path: str) -> None:
    query = {"listener": "web", "client": "10.0.0.7"} if path.endswith("explain") else {}
    case = SCHEMA[path]["GET"].Case(path_parameters={"upstream": "web"} if "{" in path else {}, query=query)
    response = case.call(base_url=served.url)
    assert response.status_code == 200
    case.validate_response(response, checks=[response_schema_conformance, content_type_conformance])


def test_the_answers_that_were_looked_at_had_something_in_them(served: Served) -> None:
    assert served.api.get("sessions")["sessions"]
    wait_until("there is a past", lambda: served.api.get("status")["history"]["time"])
    with served.daemon.client() as client:
        client.send(b"hello\n").read_line()
    wait_until("an end is told", lambda: served.api.get("status")["newest_ends"])
    test_what_is_really_answered_is_as_it_is_described(served, "/api/v1/status")


@SCHEMA.parametrize()
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_nonsense_is_answered_as_described(case: schemathesis.Case[Any], served: Served) -> None:
    checks = [
        not_a_server_error,
        status_code_conformance,
        content_type_conformance,
        response_headers_conformance,
        response_schema_conformance,
        negative_data_rejection,
        unsupported_method,
    ]
    if not case.path.startswith(WORDY):
        checks.append(positive_data_acceptance)
    case.call_and_validate(base_url=served.url, checks=checks)
    assert "a bug" not in served.daemon.log()
