"""Files that are read again when they have changed."""

import os
from pathlib import Path

from l4d.names.files import Watched, lines_of
from tests.kit.starved import starved


def test_a_file_is_read_again_only_when_it_has_changed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("one")
    file: Watched[list[str]] = Watched(str(path), str.split, [])
    first = file.content()
    assert first == ["one"]
    assert file.content() is first
    path.write_text("two and more")
    assert file.content() == ["two", "and", "more"]


def test_a_change_of_the_same_length_is_seen_by_its_time(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("one")
    file = Watched(str(path), str, "")
    assert file.content() == "one"
    path.write_text("two")
    os.utime(path, ns=(1, 1))
    assert file.content() == "two"


def test_a_file_that_is_put_in_the_others_place_is_another_one(tmp_path: Path) -> None:
    path, new = tmp_path / "file", tmp_path / "new"
    for each, text in ((path, "one"), (new, "two")):
        each.write_text(text)
        os.utime(each, ns=(1, 1))
    file = Watched(str(path), str, "")
    assert file.content() == "one"
    new.rename(path)
    assert file.content() == "two"


def test_a_file_that_cannot_be_read_says_why_and_is_read_once_it_can(tmp_path: Path) -> None:
    path = tmp_path / "file"
    file = Watched(str(path), str, "nothing")
    assert (file.content(), file.trouble) == ("nothing", f"{path}: No such file or directory")
    path.write_text("one")
    assert (file.content(), file.trouble) == ("one", "")
    path.unlink()
    path.mkdir()
    assert (file.content(), file.trouble) == ("nothing", f"{path}: Is a directory")


def test_without_a_descriptor_to_read_it_a_file_says_what_it_said(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("one")
    file = Watched(str(path), str, "nothing")
    assert file.content() == "one"
    path.write_text("something new")
    with starved():
        assert (file.content(), file.trouble) == ("one", f"{path}: Too many open files")
    assert (file.content(), file.trouble) == ("something new", "")


def test_what_is_no_text_is_read_as_well_as_it_can_be(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"one \xff\xfe\x00")
    assert Watched(str(path), str, "").content().startswith("one ")


def test_words_come_without_comments_and_empty_lines() -> None:
    assert list(lines_of("a b # c\n\n  ; d\ne;f", comments="#;")) == [["a", "b"], ["e"]]
