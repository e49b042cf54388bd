"""The forms of an access log's line, beside the facts they tell."""

import json
from typing import Any

import pytest

from l4d.config import model
from l4d.config.template import FIELDS
from l4d.log.moment import rfc_3339
from l4d.session import forms
from l4d.session.facts import facts_of
from l4d.session.forms import JsonForm, Servers, TemplateForm, TextForm, Times, make_form
from l4d.session.session import Session
from l4d.terms import End, Protocol
from l4d.upstream.server import Server
from tests.unit.making import Clock, Row, listener, upstream

WALL = 1764000000.5
CLIENT = ("203.0.113.9", 51812)


class Made:
    """A session, its form, and when it ended."""

    def __init__(self, form: str = "text", client: object = CLIENT, **listening: Any) -> None:
        self.row, self.clock = Row(), Clock()
        self.listener = listener(**listening)
        service = self.row.service(self.clock.as_loop(), self.row.place(name="two"), listener=self.listener)
        self.session = Session(service, client, 5432, 2, local=("10.0.0.9", 5432))
        self.form = make_form(form, self.listener, service.upstream, 0, 1)

    def served(self) -> "Made":
        """A server has answered after a millisecond."""
        server = self.session.choose()
        assert server is not None
        self.clock.now += 0.001
        self.session.served_by(server)
        self.session.bytes_up, self.session.bytes_down = 1204, 88213
        return self

    def line(self, end: End = End.FINISHED, seconds: float = 5.0) -> str:
        self.clock.now += seconds
        line = self.form.line(self.session, end, self.clock.now, WALL)
        assert line.endswith("\n")
        assert line.count("\n") == 1
        return line[:-1]

    @property
    def facts(self) -> dict[str, object]:
        return facts_of(self.session, self.clock.now, WALL, End.FINISHED)


# Text


def test_text_is_the_line_of_the_manual() -> None:
    assert Made().served().line(seconds=5.309) == (
        "2025-11-24T15:59:55.190Z web tcp 203.0.113.9:51812 -> db/two 10.0.0.1:5432 "
        "up=1204 down=88213 connect=1ms total=5310ms tries=1 end=-- finished"
    )


def test_what_there_is_not_is_a_dash() -> None:
    made = Made(client=("::1", 7, 0, 0), protocol=Protocol.UDP)
    words = "web udp [::1]:7 -> - up=0 down=0 connect=- total=2000ms tries=0 end=PC no server is up"
    assert made.line(End.NO_SERVER_UP, 2.0) == f"2025-11-24T15:59:58.500Z {words}"


def test_the_server_that_did_not_answer_is_told() -> None:
    made = Made()
    assert made.session.choose() is not None
    assert "-> db/two 10.0.0.1:5432 up=0 down=0 connect=- total=" in made.line(End.NO_SERVER_ACCEPTED)


def test_what_a_client_calls_itself_is_escaped() -> None:
    assert " unix:/tmp/a\\x20\\x22\\x0ab\\xff -> " in Made(client='/tmp/a "\nb\udcff').line()
    assert " unix:@\\x00\\xff\\x0a -> " in Made(client=b"\0\0\xff\n").line()
    assert " unix: -> " in Made(client="").line()


# JSON


@pytest.mark.parametrize("client", [CLIENT, ("fe80::1%eth0", 7, 0, 2), "", '/tmp/a "\nb\udcff', b"\0\xff\n\x00"])
def test_json_has_the_facts(client: object) -> None:
    made = Made("json", client)
    for end in (End.NO_SERVER_UP, End.FINISHED):
        line = made.line(end)
        told = json.loads(line)
        assert told == {**made.facts, "end": end.value, "end_text": end.words}
        assert list(told) == list(FIELDS)
        assert line.isascii()
        if not made.session.server:
            made.served()


def test_every_end_can_be_told_in_json() -> None:
    made = Made("json").served()
    for end in End:
        told = json.loads(made.line(end))
        assert (told["end"], told["end_text"]) == (end.value, end.words)


# Templates


@pytest.mark.parametrize("client", [CLIENT, "/tmp/a b", b"\0\xff"])
def test_a_template_may_name_every_fact(client: object) -> None:
    made = Made("\t".join(f"${name}" for name in FIELDS), client).served()
    told = dict(zip(FIELDS, made.line().split("\t"), strict=True))
    facts = {**made.facts, "client": told["client"]}  # it is escaped here, and as it is there
    assert told == {
        name: "-" if fact is None else f"{fact:.3f}" if isinstance(fact, float) else str(fact)
        for name, fact in facts.items()
    }


def test_what_there_is_not_is_a_dash_in_a_template() -> None:
    made = Made("$server $server_name $connect_ms $sni $proxied_by")
    assert made.line(End.NO_SERVER_UP) == "- - - - -"


def test_texts_between_the_names_stay_and_a_dollar_is_written_twice() -> None:
    made = Made('"$client" costs 5$$ in $duration, $listener/$upstream: $end_text.').served()
    assert made.line(seconds=1.0) == '"203.0.113.9:51812" costs 5$ in 1001ms, web/db: finished.'


def test_a_template_may_have_one_name_alone() -> None:
    assert Made("$listener").line() == "web"
    assert Made("$end").line() == "--"


def test_the_client_in_a_template_has_no_space_and_no_quote() -> None:
    assert Made("$client|", client="/a b\"'\\\n").line() == r"unix:/a\x20b\x22\x27\x5c\x0a|"


# What is remembered


def test_the_form_is_the_one_that_was_asked_for() -> None:
    one: tuple[model.Listener, model.Upstream, int, int] = (listener(), upstream(), 0, 1)
    assert isinstance(make_form("text", *one), TextForm)
    assert isinstance(make_form("json", *one), JsonForm)
    assert isinstance(make_form("$end", *one), TemplateForm)


def test_a_server_is_written_once_for_each_port_and_forgotten_when_there_are_many(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    written: list[int] = []

    def write(server: Server, port: int) -> str:
        written.append(port)
        return f"{server.name}:{port}"

    server, servers = Row().server(name="one"), Servers(write)
    monkeypatch.setattr(forms, "MOST_REMEMBERED", 2)
    assert [servers.text(server, port) for port in (1, 2, 1, 2)] == ["one:1", "one:2", "one:1", "one:2"]
    assert written == [1, 2]
    assert [servers.text(server, port) for port in (3, 1)] == ["one:3", "one:1"]
    assert written == [1, 2, 3, 1]


@pytest.mark.parametrize("wall", [0.0, WALL, WALL + 0.4994, WALL + 0.4999, WALL + 0.4999999, 1764000000.9999999])
def test_times_are_those_of_the_facts(wall: float) -> None:
    times = Times()
    assert times.text(wall) == rfc_3339(wall)
    assert times.text(wall) == rfc_3339(wall), "again, from memory"


def test_seconds_are_forgotten_when_there_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forms, "MOST_REMEMBERED", 2)
    times = Times()
    for second in range(5):
        assert times.text(second + 0.25) == f"1970-01-01T00:00:0{second}.250Z"
    assert len(times._seconds) <= 2
