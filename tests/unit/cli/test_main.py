"""How main ends: the statuses, and what is said on the way out."""

import pytest

from l4d.cli import main as module
from l4d.cli.main import main
from l4d.cli.options import Options, Task
from l4d.errors import ConfigError, Problem, StartError


def _make_it(raise_this: BaseException, monkeypatch: pytest.MonkeyPatch) -> None:
    def task(_: Options) -> int:
        raise raise_this

    monkeypatch.setitem(module._TASKS, Task.RUN, task)


def test_a_wrong_configuration_ends_with_78_and_each_problem_is_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    problems = [Problem("l4d.toml", 6, "listeners.pg.upstrem", "no such key"), Problem("l4d.toml", 0, "", "empty")]
    _make_it(ConfigError(problems), monkeypatch)
    assert main([]) == 78
    assert capsys.readouterr() == ("", "l4d.toml:6: listeners.pg.upstrem: no such key\nl4d.toml: empty\n")


def test_what_cannot_be_done_here_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _make_it(StartError("first", "second"), monkeypatch)
    assert main([]) == 1
    assert capsys.readouterr() == ("", "l4d: first\nl4d: second\n")


def test_a_letter_that_the_locale_has_not_is_said_with_the_way_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _make_it(UnicodeEncodeError("ascii", "caf\xe9", 3, 4, "ordinal not in range(128)"), monkeypatch)
    assert main([]) == 1
    words = "l4d: '\\xe9' cannot be written in ascii; use a UTF-8 locale, as by LC_ALL=C.UTF-8\n"
    assert capsys.readouterr() == ("", words)


@pytest.mark.parametrize(("raised", "status"), [(KeyboardInterrupt(), 130), (BrokenPipeError(), 141)])
def test_who_is_interrupted_ends_in_silence(
    raised: BaseException, status: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    _make_it(raised, monkeypatch)
    assert main([]) == status
    assert capsys.readouterr() == ("", "")


def test_without_arguments_those_of_the_process_count(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["l4d", "-v"])
    assert main() == 0
    assert capsys.readouterr().out.startswith("l4d ")
