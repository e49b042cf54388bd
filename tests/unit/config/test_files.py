"""How the files of a configuration are read."""

from pathlib import Path

import pytest

from l4d.config import files
from l4d.config.files import read_files
from l4d.errors import ConfigError, StartError
from tests.unit.config.helpers import problems_of


def write(folder: Path, **texts: str) -> str:
    """Writes each text to its file and returns the path of the first."""
    for name, text in texts.items():
        path = folder / f"{name.replace('__', '/')}.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return str(folder / f"{next(iter(texts))}.toml")


def refused(path: Path | str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        read_files(str(path))
    return [str(problem).replace(f"{Path(path).parent}/", "") for problem in caught.value.problems]


def test_included_files_are_merged_in_name_order(tmp_path: Path) -> None:
    path = write(tmp_path, l4d='include = ["conf/*.toml", "c.toml"]', conf__b="b = 1", conf__a="a = 1", c="c = 1")
    document = read_files(path)
    assert list(document.tree) == ["a", "b", "c"]
    assert document.files == [str(tmp_path / f"{name}.toml") for name in ("l4d", "conf/a", "conf/b", "c")]
    assert document.places["b",] == (str(tmp_path / "conf/b.toml"), 1)


def test_includes_are_relative_to_the_file_they_stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, l4d='include = "conf/a.toml"', conf__a='include = "b*.toml"', conf__b="b = 1")
    monkeypatch.chdir(tmp_path)
    assert read_files("l4d.toml").files == ["l4d.toml", "conf/a.toml", "conf/b.toml"]


def test_a_folder_with_wildcards_in_its_name_is_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "[x]*"
    folder.mkdir()
    assert read_files(write(folder, l4d='include = "a*"', a="a = 1")).tree == {"a": 1}


def test_a_pattern_may_match_nothing_but_a_name_must_exist(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    assert read_files(write(tmp_path, l4d='include = "conf.d/*.toml"')).tree == {}
    document = read_files(write(tmp_path, l4d='x = 1\ninclude = ["none.toml", "conf"]'))
    assert [message.replace(f"{tmp_path}/", "") for message in problems_of(document.problems)] == [
        "l4d.toml:2: include[0]: cannot read 'none.toml': No such file or directory",
        "l4d.toml:2: include[1]: cannot read 'conf': Is a directory",
    ]


def test_a_file_that_cannot_be_read_is_no_matter_of_the_file(tmp_path: Path) -> None:
    with pytest.raises(StartError) as caught:
        read_files("none.toml")
    assert str(caught.value) == "cannot read none.toml: No such file or directory"
    with pytest.raises(StartError, match="Is a directory"):
        read_files(str(tmp_path))


def test_a_device_in_place_of_a_file_does_not_go_on_forever() -> None:
    with pytest.raises(StartError, match="cannot read /dev/zero: larger than 16 MiB"):
        read_files("/dev/zero")


def test_loops_are_found(tmp_path: Path) -> None:
    path = write(tmp_path, a='\ninclude = ["b.toml"]', b='include = ["*.toml"]', c="")
    document = read_files(path)
    assert [message.replace(str(tmp_path), "") for message in problems_of(document.problems)] == [
        "/b.toml:1: include[0]: '/a.toml' is read already; a file can be included once, and not by itself",
        "/b.toml:1: include[0]: '/b.toml' is read already; a file can be included once, and not by itself",
    ]
    assert document.files == [str(tmp_path / name) for name in ("a.toml", "b.toml", "c.toml")]


def test_an_include_that_is_no_text_is_a_problem(tmp_path: Path) -> None:
    document = read_files(write(tmp_path, l4d='include = [\n3,\n"a\\u0000"]'))
    assert [message.replace(f"{tmp_path}/", "") for message in problems_of(document.problems)] == [
        "l4d.toml:2: include[0]: must be a string, not 3",
        "l4d.toml:3: include[1]: must not contain control characters",
    ]


def test_every_file_that_is_not_toml_is_told_and_nothing_else(tmp_path: Path) -> None:
    path = write(tmp_path, l4d='include = ["a.toml", "b.toml"]', a="\n[", b="x = 1\ny")
    first, second = refused(path)
    assert first.startswith("a.toml:2: not TOML")
    assert second.startswith("b.toml:2: not TOML")


@pytest.mark.parametrize(
    ("data", "line"),
    [(b"a = 1\nb = '\xff'", 2), (b"a = '\0'", 1), (b"\xff\xfe", 1), (b"a = " + b"[" * 5000, 0), (b"a = 1\r\nb\r\n", 2)],
    ids=["latin-1", "zero", "utf-16", "deep", "dos"],
)
def test_bytes_that_are_no_toml_are_one_problem(tmp_path: Path, data: bytes, line: int) -> None:
    path = tmp_path / "l4d.toml"
    path.write_bytes(data)
    (problem,) = refused(path)
    assert problem.startswith(f"l4d.toml:{line}: not TOML" if line else "l4d.toml")


def test_what_other_editors_leave_in_a_file_is_no_problem(tmp_path: Path) -> None:
    path = tmp_path / "l4d.toml"
    path.write_bytes(b"\xef\xbb\xbfa = 1\r\nb = 2\r\n")
    assert read_files(str(path)).places["b",].line == 2


def test_a_large_file_is_read_up_to_the_bound(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_LARGEST", 1 << 20)
    path = tmp_path / "l4d.toml"
    path.write_bytes(b"#" * (1 << 20))
    assert read_files(str(path)).tree == {}
    path.write_bytes(b"#" * ((1 << 20) + 1))
    with pytest.raises(StartError, match="larger than 1 MiB"):
        read_files(str(path))
