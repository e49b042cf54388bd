"""What may be typed after the name of a command."""

import pytest

from l4d.cli.commands.asked import help_of, overview, understand
from l4d.cli.commands.catalogue import COMMANDS


def test_arguments_options_and_the_way_to_the_socket() -> None:
    asked = understand(
        COMMANDS["kill"], ["--server", "pg/two", "--older", "1h", "--yes", "--json", "--socket", "/s", "-c", "x.toml"]
    )
    assert (asked.command, asked.socket, asked.config, asked.json) == ("kill", "/s", "x.toml", True)
    assert asked.filters() == {"server": "pg/two", "older": "1h"}
    assert asked.values["yes"] and asked.values["id"] is None


def test_an_empty_filter_is_one() -> None:
    assert understand(COMMANDS["sessions"], ["--client", ""]).filters() == {"client": ""}


def test_several_servers_and_a_weight() -> None:
    asked = understand(COMMANDS["weight"], ["pg/one", "pg/unix:/run/x", "5"])
    assert (asked.values["upstream/server"], asked.values["n"]) == (["pg/one", "pg/unix:/run/x"], "5")


@pytest.mark.parametrize("line", ["status x", "drain", "explain web", "top --json", "sessions --old 1h", "diff --set"])
def test_what_makes_no_sense_is_refused_in_one_line(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    name, *arguments = line.split()
    with pytest.raises(SystemExit) as refused:
        understand(COMMANDS[name], arguments)
    said = capsys.readouterr()
    assert (refused.value.code, said.out, said.err.count("\n")) == (2, "", 1)
    assert said.err.startswith(f"l4d {name}: ") and said.err.endswith(f"see l4d {name} -h\n")


@pytest.mark.parametrize("name", COMMANDS)
def test_each_command_has_help_with_all_that_may_be_typed(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as helped:
        understand(COMMANDS[name], ["-h"])
    said = capsys.readouterr()
    assert (helped.value.code, said.err) == (0, "")
    assert said.out == help_of(COMMANDS[name])
    assert all(f"  {option.flag} " in said.out or f"  {option.flag}\n" in said.out for option in COMMANDS[name].options)
    assert all(len(line) <= 120 for line in said.out.splitlines())


def test_the_overview_has_each_command_that_is_for_people() -> None:
    assert [line.split()[0] for line in overview().splitlines()] == [
        *("status", "top", "sessions", "kill", "servers", "drain", "ready", "maint", "weight", "explain", "diff")
    ]
