"""The status page from second to second: what changes is shown, nothing else moves, and silence is told."""

import json

from tests.browser import figures
from tests.browser.conftest import Show
from tests.browser.looking import Told, cells, one
from tests.browser.pretender import Pretender
from tests.kit.needs import needs
from tests.kit.wait import wait_until

pytestmark = needs("chromium")


def test_a_server_that_goes_down_is_shown_and_said_aloud_within_two_seconds(show: Show, told: Told) -> None:
    page = show()
    one(told).update(verdict="down", serving=False, why="down by its checks", reason="connection refused")
    told["upstreams"]["upstreams"][0]["up"] = 1
    page.wait_until(
        "the sentence says so", "document.querySelector('h1').innerText === 'pg/one is down: connection refused'", 2
    )
    assert cells(page, "one")[1].startswith("down")
    assert (
        page.value("document.querySelector('[role=status]').textContent")
        == "1 warning. pg/one is down: connection refused"
    )


def test_a_sentence_that_counts_seconds_is_said_aloud_once(show: Show, told: Told) -> None:
    silent = "worker 1 (pid 4214) has not been heard of for %s s"
    told["status"].update(healthy=False, problems=[silent % 3])
    page = show()
    told["status"]["problems"] = [silent % 4]
    page.wait_until("it is seen", f"document.querySelector('h1').innerText === {json.dumps(silent % 4)}")
    assert page.value("document.querySelector('[role=status]').textContent") == "1 problem. " + silent % 3


def test_an_update_changes_figures_and_nothing_else(show: Show, told: Told) -> None:
    page = show()
    page.value("""
        row = document.querySelector('#upstreams tbody tr');
        document.querySelector('#filter').focus();
        getSelection().selectAllChildren(row.firstChild);
        scrollTo(0, 300);
        spoken_again = 0;
        const watch = new MutationObserver(() => spoken_again += 1);
        watch.observe(document.querySelector('[role=status]'), {childList: true});
    """)
    one(told)["sessions"] = 4_321
    page.wait_until("the new figure is there", "row.children[2].textContent.includes('4.32')")
    assert page.value("row === document.querySelector('#upstreams tbody tr')")
    assert page.value("document.activeElement.id") == "filter"
    assert "one" in page.value("getSelection().toString()")
    assert page.value("scrollY") == 300
    assert page.value("spoken_again") == 0


def test_rates_come_from_what_grew(show: Show, told: Told) -> None:
    page = show()
    one(told)["bytes_down"] += 30_000_000
    page.wait_until(
        "bytes flow", "document.querySelector('#upstreams tbody tr').children[5].innerText.endsWith('MB/s')"
    )
    assert page.complaints() == []


def test_servers_come_and_go(show: Show, told: Told) -> None:
    page = show()
    servers = told["upstreams"]["upstreams"][0]["servers"]
    servers[0] = figures.server("three", "10.0.0.3:5432")
    page.wait_until(
        "the new one is there", "document.querySelector('#upstreams tbody tr').innerText.startsWith('three')"
    )
    assert cells(page, "one") == []
    del told["upstreams"]["upstreams"][0]
    page.wait_until("the upstream is gone", "document.querySelectorAll('details').length === 2")


def test_l4d_going_away_is_told_and_its_return_too(show: Show, pretender: Pretender) -> None:
    page = show()
    pretender.ill = True
    page.wait_until("it says so", "document.querySelector('h1').innerText === 'l4d does not answer'")
    assert "The figures below are" in page.text("#glance")
    assert "503" in page.text("#glance")
    first = page.text("#glance")
    page.wait_until("they get older", f"document.querySelector('#glance').innerText !== {json.dumps(first)}")
    pretender.ill = False
    page.wait_until("all is well again", "document.querySelector('h1').innerText === 'All is well'")


def test_one_answer_missed_is_no_news(show: Show, pretender: Pretender) -> None:
    page = show()
    page.value("ask = ((ask) => (question) => misses ? ask(question) : Promise.reject(new Error('a reload')))(ask)")
    page.wait_until("a round was missed", "misses === 1")
    assert page.text("h1") == "All is well"
    before = pretender.asked
    wait_until("it has asked again", lambda: pretender.asked > before)


def test_an_answer_that_cannot_be_understood_is_not_called_silence(show: Show, told: Told) -> None:
    page = show()
    told["workers"] = {"workers": None}
    page.wait_until("it says so", "document.querySelector('h1').innerText.includes('reload it')")


def test_a_hidden_page_asks_nothing_and_one_that_comes_back_asks_at_once(show: Show, pretender: Pretender) -> None:
    page = show()
    page.value("Object.defineProperty(document, 'hidden', {value: true, configurable: true})")
    page.wait_until("the round is over", "!asking")
    page.value("setTimeout = () => document.title = 'a next round is due'")
    page.value("round()")
    assert page.value("[asking, document.title]") == [False, "All is well – l4d"]
    before = pretender.asked
    page.value("delete document.hidden; document.dispatchEvent(new Event('visibilitychange'))")
    wait_until("it asks again", lambda: pretender.asked > before)
    page.wait_until("the next round will come", "document.title === 'a next round is due'")
