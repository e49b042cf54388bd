"""Where the admin socket is."""

from pathlib import Path

import pytest

from l4d.cli.commands.asked import Asked
from l4d.cli.commands.find import find
from l4d.errors import ConfigError, StartError


def written(folder: Path, text: str) -> str:
    path = folder / "l4d.toml"
    path.write_text(text)
    return str(path)


def test_a_socket_that_was_typed_is_meant() -> None:
    assert find(Asked("status", {}, socket="/s", config="/nowhere")).path == "/s"


def test_else_the_file_names_it(tmp_path: Path) -> None:
    config = written(tmp_path, '[admin]\nsocket = "/run/l4d.sock"\n')
    assert find(Asked("status", {}, config=config)).path == "/run/l4d.sock"


def test_an_empty_word_never_means_the_usual_l4d() -> None:
    with pytest.raises(StartError, match="--socket is empty"):
        find(Asked("status", {}, socket="", config="/nowhere"))
    with pytest.raises(StartError, match="-c is empty"):
        find(Asked("status", {}, config=""))


def test_a_file_that_is_wrong_elsewhere_still_names_it(tmp_path: Path) -> None:
    (tmp_path / "admin.toml").write_text('admin.socket = "/run/l4d.sock"\n')
    config = written(tmp_path, 'include = "admin.toml"\n[listeners.x]\nbnid = 1\n')
    assert find(Asked("status", {}, config=config)).path == "/run/l4d.sock"


def test_a_file_that_is_not_toml_is_a_problem_with_its_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"l4d.toml:1: "):
        find(Asked("status", {}, config=written(tmp_path, "[admin\n")))


@pytest.mark.parametrize("text", ["", "admin = 1", "[admin]", '[admin]\nsocket = ""', "[admin]\nsocket = 7"])
def test_a_file_without_it_says_the_way_out(text: str, tmp_path: Path) -> None:
    with pytest.raises(StartError, match=r"admin.socket is not set in .*l4d.toml, .*set it, or name .*--socket PATH"):
        find(Asked("status", {}, config=written(tmp_path, text)))


def test_without_any_word_the_usual_file_is_meant_and_missed() -> None:
    with pytest.raises(StartError, match=r"cannot read /etc/l4d/l4d.toml: .*; name .*--socket PATH"):
        find(Asked("status", {}))
