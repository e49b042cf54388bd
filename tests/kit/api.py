"""The admin API of a running l4d, asked over its unix socket or over TCP."""

import http.client
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from l4d.address import Inet

PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Reply:
    """What was answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        assert self.headers["Content-Type"] == "application/json", self.body
        return json.loads(self.body)

    @property
    def error(self) -> str:
        """Of an answer that is one."""
        assert self.status >= 400
        words = self.json["error"]
        assert isinstance(words, str)
        return words


class Connection(http.client.HTTPConnection):
    """One connection, over which one may ask again and again."""

    def __init__(self, door: Path | Inet) -> None:
        super().__init__("l4d", timeout=PATIENCE)
        self._door = door

    def connect(self) -> None:
        if isinstance(self._door, Inet):
            self.sock = socket.create_connection(self._door.sockaddr, PATIENCE)
        else:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.settimeout(PATIENCE)
            self.sock.connect(str(self._door))

    def ask(self, method: str, path: str, body: object = None) -> Reply:
        """*body* is sent as JSON; bytes as they are."""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
        self.request(method, path, data)
        answer = self.getresponse()
        return Reply(answer.status, dict(answer.getheaders()), answer.read())


class Api:
    """Asks with a connection for each request."""

    def __init__(self, door: Path | Inet) -> None:
        self.door = door

    def ask(self, method: str, path: str, body: object = None) -> Reply:
        connection = Connection(self.door)
        try:
            return connection.ask(method, path, body)
        finally:
            connection.close()

    def get(self, path: str) -> Any:
        """The answer of one that is there, by its path behind /api/v1/."""
        reply = self.ask("GET", f"/api/v1/{path}")
        assert reply.status == 200, reply.body
        return reply.json

    def change(self, upstream: str, server: str, **what: object) -> Any:
        """The server, as it is then."""
        reply = self.ask("PATCH", f"/api/v1/upstreams/{upstream}/servers/{server}", what)
        assert reply.status == 200, reply.body
        return reply.json
