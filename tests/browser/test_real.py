"""The status page of a running l4d."""

import re
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from tests.browser.looking import cells
from tests.kit import Client, Daemon, Echo, Start, ask
from tests.kit.browser import Browser, Page
from tests.kit.needs import needs

pytestmark = needs("chromium")


@pytest.fixture
def servers() -> Iterator[list[Echo]]:
    with Echo("one") as one, Echo("two") as two:
        yield [one, two]


@pytest.fixture
def l4d(start: Start, servers: list[Echo]) -> Daemon:
    """With two servers that are checked twice a second."""
    one, two = servers
    return start(f"""
        [admin]
        listen = "127.0.0.1:0"

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [upstreams.web]
        servers = [{{ address = "{one.address}", name = "one" }}, {{ address = "{two.address}", name = "two" }}]
        check = {{ type = "tcp", interval = "500ms", fall = 1 }}
    """)


@pytest.fixture
def url(l4d: Daemon) -> str:
    """Of its page."""
    (found,) = re.findall(r"admin API on tcp (\S+), read only", l4d.log())
    return f"http://{found}/"


@pytest.fixture
def page(browser: Browser, l4d: Daemon, url: str) -> Iterator[Page]:
    with ExitStack() as stack:
        page = stack.enter_context(browser.open(url))
        page.wait_until("all is well", "document.querySelector('h1')?.innerText === 'All is well'")
        yield page
        page.value("clearTimeout(timer)")


def test_it_loads_and_asks_nobody_else(page: Page, url: str, l4d: Daemon) -> None:
    page.wait_until("there is a past to draw", "document.querySelector('.chart.sessions .line').hasAttribute('d')")
    assert page.complaints() == []
    assert all(each.startswith(url) for each in page.requests())
    assert cells(page, "web")[1:3] == [f"tcp {l4d.address()}", "web"]
    assert [cells(page, f"worker {slot}")[1] for slot in (0, 1)] == ["serving", "serving"]
    assert cells(page, "control")
    assert cells(page, "master")[3] == str(l4d.pid)
    assert "start" in page.text("#reloads-box")


def test_a_session_is_shown_while_it_lives_and_when_it_is_over(page: Page, l4d: Daemon) -> None:
    assert "No session has ended yet." in page.text("#newest-box")
    with Client(l4d.address()) as client:
        client.send(b"question")
        page.wait_until(
            "it lives", "document.querySelector('#glance').innerText.startsWith('1 session on 1 listener;')"
        )
        client.finish()
        client.read_all()
    page.wait_until("it is over", "document.querySelector('#newest-box tbody tr')")
    assert "finished" in page.text("#newest-box tbody tr")
    assert "→ " in page.text("#newest-box tbody tr")
    page.wait_until("it is counted", "document.querySelector('#codes-box tbody')?.innerText.includes('finished')")
    assert page.complaints() == []


def test_a_server_going_down_shows_within_two_seconds(page: Page, servers: list[Echo]) -> None:
    servers[1].close()
    page.wait_until(
        "it is shown", "document.querySelector('h1').innerText === 'web/two is down: connection refused'", 2
    )
    assert cells(page, "two")[1].startswith("down for 0 s") or cells(page, "two")[1].startswith("down for 1 s")
    assert cells(page, "one")[1].startswith("up")
    assert page.text("summary").splitlines()[0] == "web"
    assert "1 of 2 serving" in page.text("summary")


def test_a_reload_is_shown_and_is_no_trouble(page: Page, l4d: Daemon) -> None:
    ask(l4d.address())
    l4d.hand_over()
    page.wait_until(
        "the new generation is shown", "document.querySelector('#identity').innerText.includes('generation 2')"
    )
    page.wait_until("the old workers are gone", "document.querySelectorAll('#processes-box tbody tr').length === 4")
    assert page.text("h1") == "All is well"
    assert page.text("#reloads-box tbody tr").split("\t")[1:4] == ["reload", "success", "2"]


def test_l4d_gone_is_told(page: Page, l4d: Daemon) -> None:
    l4d.stop()
    page.wait_until("it says so", "document.querySelector('h1').innerText === 'l4d does not answer'")
    assert "old" in page.text("#glance")
