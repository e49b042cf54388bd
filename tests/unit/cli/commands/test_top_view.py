"""The picture of `l4d top`."""

from rich.console import Console

from l4d.cli.commands.client import Client
from l4d.cli.commands.top_view import View, keys
from tests.kit import documents
from tests.kit.fake_admin import FakeAdmin


def lines(view: View, width: int = 120, height: int | None = 40, now: float = 11.0) -> list[str]:
    console = Console(width=width, color_system=None)
    with console.capture() as captured:
        console.print(view.picture(width, height, now))
    return [line.rstrip() for line in captured.get().splitlines()]


def looked(l4d: FakeAdmin) -> View:
    view = View(Client(str(l4d.path)))
    view.look(10.0)
    return view


def test_from_the_second_look_there_are_rates(l4d: FakeAdmin) -> None:
    view = looked(l4d)
    assert not any("NEW/S" in line for line in lines(view))
    l4d.answers["GET", "listeners"] = {"listeners": [documents.listener(sessions_total=23476, bytes_up=1_002_048)]}
    view.look(11.0)
    shown = lines(view)
    assert "LISTENER  PROTOCOL  SESSIONS  NEW/S  UP/S  DOWN/S  TOTAL" in shown
    assert "db        tcp             10     20  2.0k       0  23476" in shown
    assert shown[3] == "now: 12 new/s, up 1000/s, down 195k/s, failures 0/s"


def test_rows_are_sorted_by_a_key(l4d: FakeAdmin) -> None:
    a, b = (
        documents.server("a", sessions=1, failures={"refused": 9}),
        documents.server("b", sessions=5, connect_ms={"p50": 9}),
    )
    l4d.answers["GET", "upstreams"] = {"upstreams": [documents.upstream("pg", a, b)]}
    view = looked(l4d)
    first = {}
    for key in "nsfcr":
        view.sort = key
        first[key] = next(line for line in lines(view) if line.startswith("pg/"))[:4]
    assert first == {"n": "pg/a", "s": "pg/b", "f": "pg/a", "c": "pg/b", "r": "pg/a"}


def test_an_l4d_that_has_gone_is_said_and_the_last_picture_stays(l4d: FakeAdmin) -> None:
    view = looked(l4d)
    l4d.answers["GET", "status"] = 503, {"error": "just being replaced"}
    view.look(12.0)
    shown = lines(view, now=15.0)
    assert "no answer (this is 5.0s old), trying again: just being replaced" in shown
    assert any(line.startswith("pg/one") for line in shown)
    l4d.answers["GET", "status"] = documents.status()
    view.look(13.0)
    assert not any("no answer" in line for line in lines(view))


def test_it_fits_every_terminal(l4d: FakeAdmin) -> None:
    many = [documents.server(f"server-{number}", why="because of this and that", serving=False) for number in range(50)]
    l4d.answers["GET", "upstreams"] = {"upstreams": [documents.upstream("pg", *many)]}
    l4d.answers["GET", "listeners"] = {"listeners": [documents.listener(f"listener-{number}") for number in range(50)]}
    view = looked(l4d)
    view.look(11.0)
    for width in (30, 80, 200):
        for height in (12, 24, 60):
            shown = lines(view, width, height)
            assert len(shown) + 2 <= max(height, 15), (width, height)
            assert all(len(line) <= width for line in shown)
    assert any("more" in line for line in lines(view, 80, 24))


def test_the_keys_are_told() -> None:
    assert keys("s").plain == "q quit  sort by: [s sessions]  r rate   f failures   c connect   n name "
