"""Whatever a client calls itself, its session is one line, and the line says it back."""

import json
import os
import re

from hypothesis import given
from hypothesis import strategies as st

from l4d.config.template import FIELDS, NAMES, pieces
from l4d.log.escape import escaped, in_json
from l4d.session.facts import address_text, facts_of
from l4d.session.forms import make_form
from l4d.session.session import Session
from l4d.terms import End
from tests.unit.making import UNHURRIED, Clock, Row, listener, upstream

WALL = 1764000000.5
ROW = Row()

TEXTS = st.text() | st.text(st.sampled_from(" \"'\\\n\r\t\0x\x85\u2028\u202eü😀\udcff\udc80\ud800"))
PATHS = st.binary(max_size=107).map(os.fsdecode)
ABSTRACT = st.binary(max_size=107).map(lambda name: b"\0" + name)
INET = st.tuples(st.ip_addresses(v=4).map(str), st.integers(1, 65535))
INET6 = st.tuples(st.ip_addresses(v=6).map(str), st.integers(1, 65535), st.just(0), st.just(0))
CLIENTS = PATHS | ABSTRACT | INET | INET6
NUMBERS = st.integers(0, 2**63)

_ESCAPE = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8}))")
_TEXT = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) (\S+) (tcp|udp) (\S+) -> (?:-|(\S+)/(\S+) (\S+)) up=(\d+) down=(\d+) "
    r"connect=(-|\d+ms) total=(\d+)ms tries=(\d+) end=(..) (.+)\n"
)


def unescaped(text: str) -> str:
    """What was escaped."""

    def character(found: "re.Match[str]") -> str:
        number = int(found[1] or found[2] or found[3], 16)
        return chr(number + 0xDC00 if found[1] and number > 0x7F else number)

    return _ESCAPE.sub(character, text)


def session_of(client: object, numbers: tuple[int, int], served: bool) -> tuple[Session, float]:
    """A session that has ended, and when."""
    clock = Clock()
    session = Session(ROW.service(clock.as_loop(), ROW.place(name="two")), client, 5432, 2, local=client)
    if served:
        ROW.served(session)
    clock.now += 5
    session.bytes_up, session.bytes_down = numbers
    return session, clock.now


@UNHURRIED
@given(text=TEXTS)
def test_what_was_escaped_can_be_told_from_anything_else(text: str) -> None:
    line = escaped(text)
    assert re.fullmatch(r"[!-~]*", line)
    assert not re.search(r"""["']""", line)
    assert unescaped(line) == text


@UNHURRIED
@given(text=TEXTS)
def test_json_is_always_json_and_always_unicode(text: str) -> None:
    line = in_json(text)
    assert re.fullmatch(r"[ -\x7f]*", line)
    said = json.loads(line)
    assert said.encode().decode() == said
    assert said == re.sub("[\ud800-\udfff]", "\ufffd", text)


@UNHURRIED
@given(client=CLIENTS, numbers=st.tuples(NUMBERS, NUMBERS), end=st.sampled_from(End), served=st.booleans())
def test_a_line_of_text_is_taken_apart_again(client: object, numbers: tuple[int, int], end: End, served: bool) -> None:
    session, now = session_of(client, numbers, served)
    line = make_form("text", listener(), upstream(), 0, 1).line(session, end, now, WALL)
    told = _TEXT.fullmatch(line)
    assert told is not None, line
    facts = facts_of(session, now, WALL, end)
    assert told[1] == facts["time"]
    assert unescaped(told[4]) == address_text(client)
    assert told[6] == facts["server_name"]
    assert told[7] == facts["server"]
    assert (int(told[8]), int(told[9])) == numbers
    assert (told[13], told[14]) == (end.value, end.words)


@UNHURRIED
@given(client=CLIENTS, numbers=st.tuples(NUMBERS, NUMBERS), end=st.sampled_from(End), served=st.booleans())
def test_a_line_of_json_says_all_facts(client: object, numbers: tuple[int, int], end: End, served: bool) -> None:
    session, now = session_of(client, numbers, served)
    line = make_form("json", listener(), upstream(), 0, 1).line(session, end, now, WALL)
    assert line.isascii()
    assert line.count("\n") == 1
    assert json.loads(line) == facts_of(session, now, WALL, end)


@UNHURRIED
@given(client=CLIENTS, names=st.lists(st.sampled_from(sorted(NAMES - {"end_text"})), min_size=1), served=st.booleans())
def test_a_line_of_a_template_has_so_many_words_as_names(client: object, names: list[str], served: bool) -> None:
    session, now = session_of(client, (0, 0), served)
    template = " ".join(f"${name}" for name in names)
    line = make_form(template, listener(), upstream(), 0, 1).line(session, End.FINISHED, now, WALL)
    assert line.endswith("\n")
    values = line[:-1].split(" ")
    assert len(values) == len(names)
    for name, value in zip(names, values, strict=True):
        if name in {"client", "local"}:
            assert unescaped(value) == address_text(client)


TEMPLATES = st.lists(st.sampled_from(["$$", "$", "{", "}", "a", " ", "$client", "${end}", "$nobody", *FIELDS])).map(
    "".join
)


@UNHURRIED
@given(template=TEMPLATES)
def test_every_template_is_made_of_pieces_or_is_refused(template: str) -> None:
    try:
        made_of = list(pieces(template))
    except ValueError as error:
        assert "$" in str(error)
        return
    again = "".join(text.replace("$", "$$") + (f"${{{name}}}" if name else "") for text, name in made_of)
    assert list(pieces(again)) == made_of
