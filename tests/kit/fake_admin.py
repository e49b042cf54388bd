"""A stand-in for the admin socket of l4d: it says what the test has put there, and remembers what it was asked.

with FakeAdmin(tmp_path) as l4d:
    l4d.answers["GET", "status"] = {...}
    command("status", "--socket", l4d.path)
    assert l4d.heard == [("GET", "/api/v1/status", None)]
"""

import json
import os
import socketserver
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any, TypeAlias

from tests.kit.closing import Closing

Heard: TypeAlias = tuple[str, str, Any]
"""Method, target, and the JSON of the body."""


class FakeAdmin(Closing):
    """One that listens. An answer is a document, or a status with one, or raw bytes in place of all HTTP."""

    def __init__(self, folder: Path, answers: Mapping[tuple[str, str], Any] | None = None) -> None:
        self.path = folder / "admin.sock"
        self.answers: dict[tuple[str, str], Any] = dict(answers or {})
        self.heard: list[Heard] = []
        self._server = _Server(str(self.path), self)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self.path.unlink()

    def answer(self, method: str, target: str, body: Any) -> Any:
        """What is said to a request; found by the path behind /api/v1/."""
        self.heard.append((method, target, body))
        path = target.partition("?")[0].removeprefix("/api/v1/")
        return self.answers.get((method, path), (404, {"error": f"nothing at {path}"}))


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True

    def __init__(self, path: str, admin: FakeAdmin) -> None:
        self.admin = admin
        super().__init__(path, _Handler)
        os.chmod(path, 0o600)


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        body = json.loads(self.rfile.read(length)) if length else None
        answer = self.server.admin.answer(self.command, self.path, body)
        if isinstance(answer, bytes):
            self.wfile.write(answer)
            return
        status, document = answer if isinstance(answer, tuple) else (200, answer)
        data = document.encode() if isinstance(document, str) else json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_PATCH = do_DELETE = do_GET  # noqa: N815 - http.server's names

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's name
        """Nobody reads it."""
