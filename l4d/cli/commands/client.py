"""Asking a running l4d over its admin socket: HTTP with JSON, one request after the other.

Whatever goes wrong becomes one line with the way out.
"""

import errno
import http.client
import json
import os
import socket
from collections.abc import Mapping
from typing import Any, TypeAlias
from urllib.parse import quote, urlencode

from l4d.cli.commands.text import clean
from l4d.errors import StartError

Json: TypeAlias = dict[str, Any]
"""What the API says; read it by told.py."""

PATIENCE = 15.0
"""Seconds without a byte after which l4d has not answered."""

_API = "/api/v1/"
_SAID_AT_MOST = 300
_WRONG_REQUEST = 400


class WrongUsageError(StartError):
    """What was typed cannot be meant so: the API says why."""

    exit_status = 2


class Client:
    """The l4d behind one admin socket."""

    def __init__(self, path: str, patience: float = PATIENCE) -> None:
        self.path = path
        self._patience = patience

    def get(self, *parts: str, **query: str) -> Json:
        """What lies at /api/v1/*parts*. Raises StartError when l4d cannot be asked, or says no."""
        return self._ask("GET", parts, query)

    def change(self, *parts: str, to: Mapping[str, object]) -> Json:
        """Have the thing at *parts* changed; it as it is now."""
        return self._ask("PATCH", parts, {}, to)

    def delete(self, *parts: str, **query: str) -> Json:
        """Have what is at *parts* ended."""
        return self._ask("DELETE", parts, query)

    def _ask(
        self, method: str, parts: tuple[str, ...], query: Mapping[str, str], body: Mapping[str, object] | None = None
    ) -> Json:
        target = _target(parts, query)
        connection = _OverUnix(self.path, self._patience)
        try:
            connection.connect()
        except OSError as error:
            raise StartError(_no_connection(self.path, error)) from None
        try:
            status, data = _exchange(connection, method, target, body)
        except TimeoutError:
            raise StartError(f"l4d has not answered on {self.path} within {self._patience:g} s; try again") from None
        except (OSError, http.client.HTTPException) as error:
            what = str(error) or type(error).__name__
            raise StartError(f"asking l4d on {self.path}: {clean(what)[:_SAID_AT_MOST]}; try again") from None
        finally:
            connection.close()
        return self._understood(status, data)

    def _understood(self, status: int, data: bytes) -> Json:
        try:
            answer = json.loads(data)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise StartError(f"{self.path} answers, but not as l4d does; is it the admin socket of an l4d?")
        if status < http.HTTPStatus.BAD_REQUEST:
            return answer
        said = clean(str(answer.get("error", f"status {status}")))[:_SAID_AT_MOST]
        raise WrongUsageError(said) if status == _WRONG_REQUEST else StartError(said)


def _target(parts: tuple[str, ...], query: Mapping[str, str]) -> str:
    """The path at which *parts* lie. Bytes that were typed and are no text go there as they are."""
    path = "/".join(quote(part, safe="", errors="surrogateescape") for part in parts)
    return _API + path + (f"?{urlencode(query, errors='surrogateescape')}" if query else "")


def _exchange(
    connection: "_OverUnix", method: str, target: str, body: Mapping[str, object] | None
) -> tuple[int, bytes]:
    data = None if body is None else json.dumps(body).encode()
    connection.request(method, target, data, {"Content-Type": "application/json"} if data else {})
    answer = connection.getresponse()
    return answer.status, answer.read()


class _OverUnix(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: str, patience: float) -> None:
        super().__init__("localhost")
        self._path = path
        self._patience = patience

    def connect(self) -> None:
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        sock.settimeout(self._patience)
        try:
            sock.connect(self._path)
        except BaseException:
            sock.close()
            raise
        self.sock = sock


def _no_connection(path: str, error: OSError) -> str:
    """Why nobody can be asked, and what to do."""
    if error.errno == errno.ENOENT:
        return f"no l4d is running here: there is no {path}; start it, or name its admin socket by --socket"
    if error.errno == errno.ECONNREFUSED:
        return f"no l4d is running here: nobody listens on {path}; start it, or name its admin socket by --socket"
    if error.errno == errno.EACCES:
        return f"{path} may not be used by you (uid {os.geteuid()}): admin.socket_mode and its owner say who may"
    return f"connecting to {path}: {error.strerror or error}"
