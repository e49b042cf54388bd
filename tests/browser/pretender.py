"""A server that pretends to be l4d's admin API: it serves the real status page, and what the test wants it to tell."""

import json
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import l4d.admin
from l4d.admin.files import policy
from tests.browser.figures import Answer
from tests.kit.closing import Closing

PAGE = Path(l4d.admin.__file__).with_name("page.html")


class Pretender(Closing):
    """Change `told` as you like; set `ill` and every question gets a 503. Below any path, as behind a proxy."""

    def __init__(self, told: dict[str, Answer]) -> None:
        self.told = told
        self.ill = False
        self.asked = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self))
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def answer(self, path: str) -> tuple[int, str, bytes]:
        """Status, type and body."""
        if path.endswith("/"):
            return 200, "text/html; charset=utf-8", PAGE.read_bytes()
        question = path.rpartition("/api/v1/")[2]
        if self.ill or question not in self.told:
            return 503, "application/json", b'{"error": "not today"}'
        self.asked += 1
        return 200, "application/json", json.dumps(self.told[question]).encode()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, pretender: Pretender, *args: object) -> None:
        self._pretender = pretender
        super().__init__(*args)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        status, kind, body = self._pretender.answer(self.path)
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Content-Security-Policy", policy(PAGE.read_text(encoding="utf-8")))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass
