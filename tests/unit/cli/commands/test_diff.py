"""`l4d diff`, and what `l4d -t` adds when an l4d runs."""

import json
from pathlib import Path

import pytest

from l4d.cli.main import main
from l4d.config.load import load
from l4d.config.show import show
from l4d.config.toml import parse
from tests.kit import documents
from tests.kit.fake_admin import FakeAdmin

TOML = """
admin.socket = "{socket}"
[listeners.db]
bind = "127.0.0.1:0"
upstream = "pg"
[upstreams.pg]
servers = [{{ name = "one", address = "10.0.0.1:5432" }}]
"""


@pytest.fixture
def config(l4d: FakeAdmin, tmp_path: Path) -> Path:
    """A file that l4d runs."""
    path = tmp_path / "l4d.toml"
    path.write_text(TOML.format(socket=l4d.path))
    l4d.answers["GET", "config"] = {"files": [str(path)], "config": parse(show(load(str(path))))}
    return path


def test_what_runs_already_is_no_difference(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "-c", str(config)]) == 0
    assert capsys.readouterr() == (f"no difference: l4d runs what {config} says\n", "")


def test_each_change_is_a_line(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    overrides = ("--set", "listeners.db.idle_timeout=5m", "--set", "main.workers=3")
    assert main(["diff", "-c", str(config), *overrides]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "a reload would change 2 things; 10 sessions would go on in new workers",
        "",
        "KEY                        CHANGE         SESSIONS  WHAT HAPPENS",
        'main.workers               "auto" -> 3          10  spread over the new number of workers',
        'listeners.db.idle_timeout  "10m" -> "5m"        10  live sessions go on with the new value',
    ]


def test_json_is_one_document(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "-c", str(config), "--set", "upstreams.pg.tries=2", "--json"]) == 0
    change = {"key": "upstreams.pg.tries", "kind": "changed", "before": 0, "after": 2, "sessions": 0}
    assert json.loads(capsys.readouterr().out) == {
        "file": str(config),
        "sessions": 10,
        "changes": [{**change, "effect": "new sessions only"}],
    }


def test_without_a_file_that_of_the_running_l4d_is_meant(
    config: Path, l4d: FakeAdmin, capsys: pytest.CaptureFixture[str]
) -> None:
    l4d.answers["GET", "status"] = documents.status(config=str(config))
    assert main(["diff", "--socket", str(l4d.path)]) == 0
    assert capsys.readouterr().out == f"no difference: l4d runs what {config} says\n"
    l4d.answers["GET", "status"] = documents.status(config="l4d.toml")
    assert main(["diff", "--socket", str(l4d.path)]) == 1
    assert "name the file by -c" in capsys.readouterr().err


def test_a_wrong_file_ends_with_78_and_all_its_problems(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config.write_text(f"{config.read_text()}trise = 1\nquue = 2\n")
    assert main(["diff", "-c", str(config)]) == 78
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 2)


@pytest.fixture
def fine(config: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The same file; that its addresses are held by a stand-in is no hindrance."""
    monkeypatch.setattr("l4d.master.check.check", load)
    return config


def test_t_tells_what_a_reload_would_change(fine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-t", "-c", str(fine), "--set", "main.workers=3"]) == 0
    assert capsys.readouterr() == (
        "",
        (
            f"l4d: configuration {fine} is fine\n"
            "l4d: a reload of the running l4d would change 1 thing; 10 sessions would go on in new workers\n"
            'l4d:   main.workers: "auto" -> 3  (10 sessions: spread over the new number of workers)\n'
        ),
    )


def test_t_says_when_nothing_would_change(fine: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["-t", "-c", str(fine)]) == 0
    assert capsys.readouterr().err.endswith("l4d: the running l4d serves that already: a reload would change nothing\n")


def test_t_says_no_more_where_no_l4d_runs_or_with_q(
    fine: Path, l4d: FakeAdmin, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["-t", "-q", "-c", str(fine), "--set", "main.workers=3"]) == 0
    assert capsys.readouterr() == ("", "")
    for elsewhere in (f"{fine}.sock", ""):
        assert main(["-t", "-c", str(fine), "--set", f"admin.socket={elsewhere}"]) == 0
        assert capsys.readouterr() == ("", f"l4d: configuration {fine} is fine\n")
