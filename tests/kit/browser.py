"""Chromium without a window, spoken to by its DevTools protocol.

    with Browser(tmp_path) as browser:
        page = browser.open("http://127.0.0.1:8080/")
        page.wait_until("there is a heading", "document.querySelector('h1')")

It keeps what a page asked for, what it wrote to the console and what its policy forbade, for the test to look at.
"""

import base64
import json
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from websockets.sync.client import connect

from tests.kit.closing import Closing
from tests.kit.programs import Running
from tests.kit.wait import TIMEOUT, wait_until

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--force-device-scale-factor=1",
    "--remote-debugging-port=0",
)

_LOOK = """
    new Promise((resolve, reject) => {
        const end = performance.now() + 1000 * %f;
        const timer = setInterval(() => {
            try {
                const done = Boolean(%s);
                if (done || performance.now() > end) { clearInterval(timer); resolve(done); }
            } catch (error) { clearInterval(timer); reject(error); }
        }, 10);
    })
"""


class Browser(Closing):
    """One Chromium with an empty profile of its own."""

    def __init__(self, folder: Path) -> None:
        profile = folder / "profile"
        profile.mkdir()
        told = profile / "DevToolsActivePort"
        with ExitStack() as stack:
            line = "chromium", *_FLAGS, f"--user-data-dir={profile}", "about:blank"
            stack.enter_context(Running(folder, *line))
            wait_until("Chromium tells its port", lambda: told.is_file() and len(told.read_text().split()) == 2, 30)
            port, path = told.read_text().split()
            self._connection = stack.enter_context(connect(f"ws://127.0.0.1:{port}{path}", max_size=None, proxy=None))
            self._open = stack.pop_all()
        self._number = 0
        self._events: dict[str, list[dict[str, Any]]] = {}

    def open(self, url: str, width: int = 1280, height: int = 900, **media: str) -> "Page":
        """A new page of that size. *media*: prefers_color_scheme="dark" and the like."""
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        page = Page(self, target, session)
        page.resize(width, height)
        features = [{"name": name.replace("_", "-"), "value": value} for name, value in media.items()]
        page.call("Emulation.setEmulatedMedia", features=features)
        for domain in ("Page", "Runtime", "Network", "Log", "Audits"):
            page.call(f"{domain}.enable")
        page.call("Page.navigate", url=url)
        loaded = "document.readyState === 'complete' && location.href !== 'about:blank'"
        wait_until(f"{url} is loaded", lambda: page.value(loaded))
        return page

    def call(self, method: str, session: str = "", **params: Any) -> dict[str, Any]:
        """What the browser answers. Events that come before are kept for their session."""
        self._number += 1
        question = {"id": self._number, "method": method, "params": params}
        self._connection.send(json.dumps(question | ({"sessionId": session} if session else {})))
        while True:
            message = json.loads(self._connection.recv(2 * TIMEOUT))
            if message.get("id") == self._number:
                assert "error" not in message, f"{method}: {message['error']}"
                return message["result"]  # type: ignore[no-any-return]
            self._events.setdefault(message.get("sessionId", ""), []).append(message)

    def events(self, session: str) -> list[dict[str, Any]]:
        return self._events.get(session, [])

    def close(self) -> None:
        self._open.close()


class Page(Closing):
    """One tab."""

    def __init__(self, browser: Browser, target: str, session: str) -> None:
        self._browser = browser
        self._target = target
        self._session = session

    def close(self) -> None:
        self._browser.call("Target.closeTarget", targetId=self._target)

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        return self._browser.call(method, self._session, **params)

    def value(self, expression: str) -> Any:
        """What a JavaScript expression gives; a promise is waited for."""
        answer = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in answer, f"{expression}: {answer['exceptionDetails']}"
        return answer["result"].get("value")

    def wait_until(self, what: str, expression: str, timeout: float = TIMEOUT) -> None:
        """Until a JavaScript expression is true. The page looks by itself; asking it so often would keep it busy."""
        assert self.value(_LOOK % (timeout, expression)), f"waited {timeout:g} s in vain until {what}"

    def text(self, selector: str = "body") -> str:
        """What a reader sees there."""
        return str(self.value(f"document.querySelector({json.dumps(selector)}).innerText"))

    def press(self, key: str, text: str = "") -> None:
        """One key: "Tab", "Escape", or with the *text* it types."""
        typed = {"text": text} if text else {}
        code = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32}.get(key, 0)
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, windowsVirtualKeyCode=code, **typed)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    def write(self, text: str) -> None:
        self.call("Input.insertText", text=text)

    def resize(self, width: int, height: int) -> None:
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)

    def screenshot(self, path: Path, *, whole: bool = False) -> None:
        data = self.call("Page.captureScreenshot", captureBeyondViewport=whole, **self._clip(whole))["data"]
        path.write_bytes(base64.b64decode(data))

    def _clip(self, whole: bool) -> dict[str, Any]:
        if not whole:
            return {}
        size = self.call("Page.getLayoutMetrics")["cssContentSize"]
        return {"clip": {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}}

    # What happened in it.

    def requests(self) -> list[str]:
        """Every URL it has asked for, those of data: aside."""
        urls = [event["request"]["url"] for event in self._events("Network.requestWillBeSent")]
        return [url for url in urls if not url.startswith("data:")]

    def complaints(self) -> list[Any]:
        """Errors and warnings of the console, exceptions nobody caught, and what its policy has forbidden."""
        log = [event["entry"]["text"] for event in self._events("Log.entryAdded")]
        console = [event["args"] for event in self._events("Runtime.consoleAPICalled")]
        thrown = [event["exceptionDetails"] for event in self._events("Runtime.exceptionThrown")]
        issues = [event["issue"] for event in self._events("Audits.issueAdded")]
        return [*log, *console, *thrown, *issues]

    def _events(self, method: str) -> list[dict[str, Any]]:
        self.value("0")  # whatever was said before is read by then
        return [event["params"] for event in self._browser.events(self._session) if event["method"] == method]
