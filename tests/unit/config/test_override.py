"""How --set changes the document."""

import pytest

from l4d.config.override import override
from tests.unit.config.helpers import document, problems_of


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("main.workers=2", {"main": {"workers": 2}}),
        (" main.workers = 2 ", {"main": {"workers": 2}}),
        ("log.level=debug", {"log": {"level": "debug"}}),
        ('log.level="debug"', {"log": {"level": "debug"}}),
        ("log.error=/var/log/a=b.log", {"log": {"error": "/var/log/a=b.log"}}),
        ("main.user=", {"main": {"user": ""}}),
        ("main.user=1\nb=2", {"main": {"user": "1\nb=2"}}),
        ('listeners."a.b".bind=["1.2.3.4:5"]', {"listeners": {"a.b": {"bind": ["1.2.3.4:5"]}}}),
        ("listeners.a={bind='x'}", {"listeners": {"a": {"bind": "x"}}}),
    ],
)
def test_a_key_is_set_as_if_it_stood_in_the_file(text: str, tree: object) -> None:
    empty = document("")
    override(empty, [text])
    assert empty.tree == tree
    assert problems_of(empty.problems) == []


def test_the_last_of_several_wins() -> None:
    written = document("main.workers = 1")
    override(written, ["main.workers=2", "main.workers=3"])
    assert written.tree == {"main": {"workers": 3}}


@pytest.mark.parametrize("text", ["", "x", "=1", "a b=1", "a.=1", "a\nb=1", "[a]=1", "#=1"])
def test_what_is_not_key_and_value_is_a_problem(text: str) -> None:
    empty = document("")
    override(empty, [text])
    assert problems_of(empty.problems) == [f"--set: {text!r} is not KEY=VALUE, as in main.workers=2"]
    assert empty.tree == {}


def test_what_cannot_be_set_is_a_problem() -> None:
    written = document("main.workers = 1")
    override(written, ["main.workers.x=1", "include=x"])
    assert problems_of(written.problems) == [
        "--set: include: cannot be set here; the files are read by then",
        "--set: main.workers.x: 'workers' is 1 there; set it as a whole: main.workers={ ... }",
    ]


def test_a_key_of_a_check_is_set_where_the_check_is_a_table() -> None:
    written = document('[upstreams."a.b".check]\ntype = "tcp"\n[upstreams.c]\ncheck = "tcp"')
    override(
        written, ['upstreams."a.b".check.interval=1s', "upstreams.c.check.interval=1s", "upstreams.d.check.port=1"]
    )
    assert written.tree["upstreams"] == {
        "a.b": {"check": {"type": "tcp", "interval": "1s"}},
        "c": {"check": "tcp"},
        "d": {"check": {"port": 1}},
    }
    assert problems_of(written.problems) == [
        "--set: upstreams.c.check.interval: 'check' is 'tcp' there; set it as a whole: upstreams.c.check={ ... }",
    ]
