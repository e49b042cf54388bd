"""What may be typed, what it means, and what is refused."""

import pytest

from l4d.cli.commands.catalogue import DEFAULT_CONFIG
from l4d.cli.options import Options, Signal, Task, parse


@pytest.mark.parametrize(
    ("line", "meaning"),
    [
        ("", Options(Task.RUN)),
        ("-c x.toml", Options(Task.RUN, config="x.toml")),
        ("-d -c x.toml", Options(Task.RUN, config="x.toml", daemon=True)),
        ("--set a.b=1 --set c=2", Options(Task.RUN, overrides=("a.b=1", "c=2"))),
        ("-t", Options(Task.CHECK)),
        ("-tq", Options(Task.CHECK, quiet=True)),
        ("-t -c x.toml --set a=1", Options(Task.CHECK, config="x.toml", overrides=("a=1",))),
        ("-T -c x.toml", Options(Task.SHOW, config="x.toml")),
        ("-s stop", Options(Task.SIGNAL, signal=Signal.STOP)),
        ("-s quit -c x.toml", Options(Task.SIGNAL, config="x.toml", signal=Signal.QUIT)),
        ("-s reload", Options(Task.SIGNAL, signal=Signal.RELOAD)),
        ("-s reopen", Options(Task.SIGNAL, signal=Signal.REOPEN)),
        ("-v", Options(Task.VERSION)),
        ("-V", Options(Task.VERSIONS)),
        ("demo", Options(Task.DEMO)),
        ("demo --once", Options(Task.DEMO, once=True)),
    ],
)
def test_what_is_typed_is_understood(line: str, meaning: Options) -> None:
    assert parse(line.split()) == meaning


def test_without_a_file_the_usual_one_is_meant() -> None:
    assert parse([]) == Options(Task.RUN, config=DEFAULT_CONFIG)
    assert DEFAULT_CONFIG == "/etc/l4d/l4d.toml"


def test_an_empty_file_name_is_not_the_usual_one() -> None:
    assert parse(["-c", ""]) == Options(Task.RUN, config="")


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("-x", "unrecognized arguments: -x"),
        ("-c", "expected one argument"),
        ("-t -T", "not allowed with argument -t"),
        ("-v -V", "not allowed with argument -v"),
        ("-t -s stop", "not allowed with argument -t"),
        ("-q", "-q goes with -t only"),
        ("-T -q", "-q goes with -t only"),
        ("-d -t", "-d does not go with -t"),
        ("-d -s stop", "-d does not go with -s"),
        ("-v -c x.toml", "-c does not go with -v"),
        ("-s reload --set a=1", "--set does not go with -s"),
        ("-s hup", "-s hup: no such signal; choose stop, quit, reload, reopen or upgrade"),
        ("convert nginx.conf", "'convert' is not available in this version"),
        ("dance", "no such command: 'dance'"),
        ("statsu", "no such command: 'statsu'; did you mean 'status'?"),
        ("demo --twice", "unrecognized arguments: --twice"),
        ("demo -c x.toml", "unrecognized arguments: -c x.toml"),
        ("-c x.toml demo", "unrecognized arguments: demo"),
        ("--onc", "unrecognized arguments: --onc"),
    ],
)
def test_what_makes_no_sense_is_refused_in_one_line(line: str, why: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refused:
        parse(line.split())
    said = capsys.readouterr()
    assert refused.value.code == 2
    assert said.out == ""
    assert said.err.startswith("l4d: ")
    assert said.err.count("\n") == 1
    assert why in said.err


@pytest.mark.parametrize("line", ["-h", "--help", "demo -h"])
def test_help_is_data(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as helped:
        parse(line.split())
    said = capsys.readouterr()
    assert (helped.value.code, said.err) == (0, "")
    assert all(f"  {option} " in said.out for option in ("-c FILE", "-d", "-t", "-q", "-T", "-s stop", "--once"))
