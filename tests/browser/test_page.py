"""The status page in a real browser: what it asks for, and that it shows what it is told."""

import pytest

from l4d.terms import End
from tests.browser import figures
from tests.browser.conftest import Show
from tests.browser.looking import Told, become, cells, one
from tests.browser.pretender import Pretender
from tests.kit.needs import needs
from tests.kit.wait import wait_until

pytestmark = needs("chromium")


@pytest.mark.parametrize("below", ["", "behind/a/proxy/"])
def test_it_asks_only_where_it_came_from_and_nobody_complains(show: Show, pretender: Pretender, below: str) -> None:
    page = show(below)
    wait_until("it has asked twice", lambda: pretender.asked >= 8)
    assert page.complaints() == []
    questions = {pretender.url + below + f"api/v1/{name}" for name in pretender.told}
    assert set(page.requests()) == {pretender.url + below, *questions}


def test_what_its_policy_forbids_would_be_noticed(show: Show) -> None:
    page = show()
    page.value("document.body.setAttribute('style', 'color: red')")
    wait_until("the policy is said to be violated", page.complaints)


def test_the_words_for_ends_are_those_of_the_log(show: Show) -> None:
    words = show().value("Object.fromEntries(Object.entries(ENDS).map(([code, [, words]]) => [code, words]))")
    assert words == {end.value: end.words for end in End}


def test_numbers_are_written_for_people(show: Show) -> None:
    wanted = {
        "scaled(0)": "0",
        "scaled(0.25)": "0.3",
        "scaled(999)": "999",
        "scaled(999.7)": "1.00 k",
        "scaled(1234)": "1.23 k",
        "bytes(47_120_000)": "47.1 MB",
        "bytesPerSecond(12)": "12 B/s",
        "millis(0.42)": "0.4 ms",
        "millis(120)": "120 ms",
        "span(1.53)": "1.5 s",
        "span(200)": "3 m 20 s",
        "span(3600)": "1 h",
        "span(356_400)": "4 d 3 h",
        "age(7.9)": "7 s",
        "reasons({refused: 2, timeout: 31, reset: 0})": "timeout 31, refused 2",
    }
    page = show()
    assert {expression: page.value(expression).replace("\u202f", " ") for expression in wanted} == wanted


def test_a_good_day_is_one_sentence(show: Show) -> None:
    page = show()
    assert page.text("h1") == "All is well"
    assert page.text("#glance").endswith("sessions on 3 listeners; 8 of 8 servers serving; 2 workers")
    assert page.value("document.title") == "All is well – l4d"


def test_a_bad_day_is_told_worst_first_and_leads_to_where_it_is_shown(show: Show, told: Told) -> None:
    become(told, figures.troubled())
    page = show()
    assert page.text("h1") == "2 problems"
    assert page.text("#notices").splitlines() == [
        "worker 1 (pid 4214) has not been heard of for 4.2 s",
        "No server of web is serving",
        "pg/one is down: FATAL: the database system is shutting down",
        "web/10.0.1.1:8443 is out: for 8 s more after 3 failed dials",
        "web/10.0.1.4:8443 is full: 500 of max_sessions 500",
    ]
    page.value("document.querySelector('#notices li:nth-child(2) a').click()")
    assert page.value("document.querySelector(':target').querySelector('h3').textContent") == "web"
    assert cells(page, "10.0.1.2:8443")[1] == "drain\nby the operator"
    assert cells(page, "one")[8] == "443\nrefused 412, timeout 31"
    assert "131 ms" in cells(page, "worker 1")[-1]


def test_a_replica_where_the_primary_is_wanted_is_no_trouble(show: Show, told: Told) -> None:
    one(told).update(verdict="down", serving=False, why="down by its checks", reason="is a replica")
    told["upstreams"]["upstreams"][0]["up"] = 1
    page = show()
    assert page.text("h1") == "All is well"
    assert cells(page, "one")[1].startswith("other role")


def test_a_backup_that_waits_is_no_trouble(show: Show, told: Told) -> None:
    one(told).update(backup=True, serving=False, why="backup, and ordinary servers serve")
    told["upstreams"]["upstreams"][0]["up"] = 1
    page = show()
    assert page.text("h1") == "All is well"
    assert cells(page, "one")[1].startswith("spare")


def test_what_there_is_not_yet_is_said(show: Show, told: Told) -> None:
    become(told, figures.nothing_yet())
    page = show()
    for words in ("No upstream is configured.", "No listener is configured.", "No session has ended yet."):
        assert words in page.text("main")
    assert page.complaints() == []


def test_hostile_names_are_only_text(show: Show, told: Told) -> None:
    evil = "<img src=x onerror=document.title='broken'><script>document.title='broken'</script>\u202e"
    one(told).update(name=evil, address=evil, why=evil, reason=evil, agent=evil, verdict="down", serving=False)
    one(told).update(failures={evil: 3})
    told["upstreams"]["upstreams"][0]["name"] = evil
    told["listeners"]["listeners"][0].update(name=evil, upstream=evil, addresses=[evil], refused={evil: 1})
    told["status"].update(config=evil, version=evil, problems=[evil], healthy=False, ends={evil: 3})
    told["status"]["newest_ends"] = [
        figures.end(0, client=evil, listener=evil, server_name=evil, end=evil, end_text=evil)
    ]
    told["status"]["reloads"][0].update(message=evil, what=evil)
    page = show()
    assert page.value("document.images.length") == 0
    assert page.value("document.scripts.length") == 1
    assert page.text("#newest-box tbody").count("<img") == 5
    assert "broken" not in page.value("document.title").split("<img")[0]
    assert page.complaints() == []
