"""Where tables and documents go."""

import io
import sys

import pytest
from rich.text import Text

from l4d.cli.commands import page
from l4d.errors import StartError


def test_in_a_pipe_nothing_is_cut_coloured_or_padded(capsys: pytest.CaptureFixture[str]) -> None:
    page.show([Text("x" * 300, "bold red"), Text("[b]not markup[/b]  "), page.heading("Title")])
    assert page.width() is None
    assert capsys.readouterr().out == "x" * 300 + "\n[b]not markup[/b]\n\nTitle\n"


def test_a_document_is_ascii_that_no_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    page.show_json({"name": "\x9b2J\x1b é"})
    assert capsys.readouterr().out == '{\n  "name": "\\u009b2J\\u001b \\u00e9"\n}\n'


def test_a_letter_that_has_no_bytes_is_an_escape(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding="ascii"))
    page.show([Text("größer")])
    assert raw.getvalue() == b"gr\\xf6\\xdfer\n"


def test_where_nobody_can_be_shown_anything_that_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    with open("/dev/full", "w", encoding="utf-8") as full:
        for stdout, words in ((full, "No space left on device"), (None, "standard output is closed")):
            monkeypatch.setattr(sys, "stdout", stdout)
            with pytest.raises(StartError, match=words):
                page.show([Text("x")])


def test_on_a_terminal_its_width_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    monkeypatch.setenv("COLUMNS", "77")
    assert page.width() == 77
