"""One tree out of several files."""

from l4d.config.document import Document
from l4d.config.positions import positions
from l4d.config.problems import Place
from l4d.config.toml import parse
from tests.unit.config.helpers import document, problems_of


def add(whole: Document, text: str) -> None:
    whole.merge(parse(text), {path: Place("b.toml", line) for path, line in positions(text).items()})


def test_files_add_to_the_same_tables() -> None:
    whole = document("main.workers = 1\n[defaults.listeners]\nbacklog = 1\n[listeners.a]")
    add(
        whole, "main.user = 'x'\n[defaults.listeners]\nrelay = 'copy'\n[defaults.upstreams]\n[listeners.b]\nbind = ':1'"
    )
    assert whole.tree == {
        "main": {"workers": 1, "user": "x"},
        "defaults": {"listeners": {"backlog": 1, "relay": "copy"}, "upstreams": {}},
        "listeners": {"a": {}, "b": {"bind": ":1"}},
    }
    assert whole.places["main",] == ("a.toml", 1)
    assert whole.places["listeners", "b", "bind"] == ("b.toml", 6)
    assert problems_of(whole.problems) == []


def test_what_is_defined_twice_is_a_problem_that_names_both_places() -> None:
    whole = document("[main]\nworkers = 1\n[listeners.a]\n[upstreams]\nx = 1\n[log]")
    add(whole, "log = 3\n[main]\nworkers = 2\n[listeners.a]\nbind = 1\n[upstreams.x]")
    assert whole.tree["main"] == {"workers": 1}
    assert problems_of(whole.problems) == [
        "b.toml:1: log: is defined twice; first at a.toml:6",
        "b.toml:3: main.workers: is defined twice; first at a.toml:2",
        "b.toml:4: listeners.a: is defined twice; first at a.toml:3",
        "b.toml:6: upstreams.x: is defined twice; first at a.toml:5",
    ]


def test_a_key_is_replaced_with_all_that_was_in_it() -> None:
    whole = document("[listeners.a]\nbind = ['x', 'y']")
    place = Place("--set", 0)
    assert whole.replace(("listeners", "a", "bind"), "z", place) == ""
    assert whole.replace(("listeners", "b", "bind"), "z", place) == ""
    assert whole.tree == {"listeners": {"a": {"bind": "z"}, "b": {"bind": "z"}}}
    assert ("listeners", "a", "bind", 0) not in whole.places
    assert whole.places["listeners", "a", "bind"] == place
    assert whole.places["listeners", "b"] == place
    assert whole.places["listeners",] == ("a.toml", 1)


def test_a_key_in_something_that_is_no_table_cannot_be_replaced() -> None:
    whole = document("[main]\nworkers = 1")
    blocked = whole.replace(("main", "workers", "x"), 1, Place("--set", 0))
    assert blocked == "'workers' is 1 there; set it as a whole: main.workers={ ... }"
