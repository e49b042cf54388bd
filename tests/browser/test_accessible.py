"""The status page for everybody: by keyboard, on a phone, enlarged, read aloud, in the dark, without colours."""

from typing import Any

import pytest

from tests.browser import figures
from tests.browser.conftest import Show
from tests.browser.looking import Told, become, one
from tests.kit.browser import Page
from tests.kit.needs import needs
from tests.kit.wait import wait_until

pytestmark = needs("chromium")


def test_the_keyboard_reaches_everything(show: Show) -> None:
    page = show()
    page.press("Tab")
    assert page.value("document.activeElement.textContent") == "Skip to the figures"
    seen = []
    for _ in range(60):
        page.press("Tab")
        focused = page.value("document.activeElement.id || document.activeElement.textContent.trim().slice(0, 12)")
        seen.append(focused)
    for each in ("Listeners", "filter", "toggle", "Sessions", "Duration p50"):
        assert each in seen
    assert any(name.startswith("pg") for name in seen)


def test_slash_goes_to_the_filter_and_escape_clears_it(show: Show) -> None:
    page = show()
    page.press("/", "/")
    assert page.value("document.activeElement.id") == "filter"
    page.write("10.0.2.")
    assert page.text("#shown") == "2 of 8 servers"
    assert page.value("[...document.querySelectorAll('details:not([hidden])')].length") == 1
    page.press("Escape")
    assert page.text("#shown") == ""
    assert page.value("[...document.querySelectorAll('details:not([hidden])')].length") == 3


def test_a_columns_button_sorts_and_tells_so(show: Show, told: Told) -> None:
    told["upstreams"]["upstreams"][1]["servers"][2]["sessions"] = 900
    page = show()
    names = "[...document.querySelectorAll('details:nth-of-type(2) tbody th')].map((cell) => cell.innerText)"
    button = "document.querySelector('details:nth-of-type(2) th:nth-child(3) button')"
    page.value(f"{button}.focus()")
    page.press("Enter", "\r")
    assert page.value(names)[0] == "10.0.1.3:8443"
    assert page.value(f"{button}.parentElement.getAttribute('aria-sort')") == "descending"
    page.press("Enter", "\r")
    assert page.value(names)[-1] == "10.0.1.3:8443"
    page.press("Enter", "\r")
    assert page.value(names) == [f"10.0.1.{number}:8443" for number in (1, 2, 3, 4)]
    assert not page.value(f"{button}.parentElement.hasAttribute('aria-sort')")


@pytest.mark.parametrize("width", [360, 640, 800])
def test_the_page_never_scrolls_sideways(show: Show, told: Told, width: int) -> None:
    """640 pixels are a laptop at 200 %."""
    become(told, figures.troubled())
    one(told).update(name="a-name-that-nobody-would-give-" * 5, reason="no-space-in-this-reason-" * 8)
    told["status"]["newest_ends"] = [figures.end(0, client="[2001:db8:1111:2222:3333:4444:5555:6666]:51812")]
    told["status"]["config"] = "/etc/" + "l4d" * 50
    page = show(width=width)
    assert page.value("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def names_by_role(page: Page) -> dict[str, list[Any]]:
    """What a screen reader is told there is."""
    found: dict[str, list[Any]] = {}
    for node in page.call("Accessibility.getFullAXTree")["nodes"]:
        if not node.get("ignored"):
            found.setdefault(node["role"]["value"], []).append(node.get("name", {}).get("value"))
    return found


@pytest.mark.parametrize("width", [360, 1280])
def test_a_screen_reader_finds_tables_and_regions(show: Show, width: int) -> None:
    page = show(width=width)
    tables = {"Servers of pg", "Servers of web", "Listeners", "Processes"}
    wait_until("the browser has told it of all tables", lambda: tables <= set(names_by_role(page).get("table", ())))
    found = names_by_role(page)
    assert {"Upstreams and servers", "How sessions end", "The last two minutes"} <= set(found["region"])
    assert {"Sessions", "State"} <= set(found["columnheader"])
    assert len(found["rowheader"]) >= 8
    assert any(name.startswith("New sessions: ") and "at most" in name for name in found["image"])


_CONTRASTS = """
(() => {
  const canvas = new OffscreenCanvas(1, 1).getContext("2d", { willReadFrequently: true });
  const over = (colours) => {  // painted one on the other, as the browser does
    canvas.clearRect(0, 0, 1, 1);
    for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
    return [...canvas.getImageData(0, 0, 1, 1).data];
  };
  const light = (rgb) => {
    const linear = (c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    const [r, g, b] = rgb.slice(0, 3).map((c) => linear(c / 255));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const grounds = (element) => {
    const found = [];
    for (let each = element; each; each = each.parentElement) found.unshift(getComputedStyle(each).backgroundColor);
    return found;
  };
  const found = [];
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node; node = texts.nextNode();) {
    const element = node.parentElement;
    if (!node.data.trim() || !element.checkVisibility() || element.closest("script, style, noscript")) continue;
    const ground = grounds(element);
    const colour = getComputedStyle(element).color;
    const [one, other] = [light(over(ground)), light(over([...ground, colour]))].sort((a, b) => b - a);
    found.push([(one + 0.05) / (other + 0.05), node.data.trim()]);
  }
  return found;
})()
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_contrast(show: Show, told: Told, scheme: str) -> None:
    for day in (figures.well(), figures.troubled()):
        become(told, day)
        page = show(prefers_color_scheme=scheme)
        contrasts = page.value(_CONTRASTS)
        assert len(contrasts) > 100
        assert [each for each in contrasts if each[0] < 4.5] == []
    backgrounds = page.value("getComputedStyle(document.body).backgroundColor")
    assert (backgrounds == "rgb(15, 19, 25)") == (scheme == "dark")


def test_no_state_is_told_by_colour_alone(show: Show, told: Told) -> None:
    """Each coloured mark has a word, and marks of two kinds differ in shape."""
    become(told, figures.troubled())
    page = show()
    marks = page.value("""[...document.querySelectorAll('main .mark')].map((mark) => [
        mark.className, mark.textContent.trim(),
        getComputedStyle(mark, '::before').clipPath + getComputedStyle(mark, '::before').borderRadius])""")
    assert all(words for _, words, _ in marks)
    shapes = {
        kind: {shape for each, _, shape in marks if each == f"mark {kind}"} for kind in ("good", "warn", "bad", "off")
    }
    assert all(len(found) == 1 for found in shapes.values()), shapes
    assert len(set.union(*shapes.values())) == 4
