"""One of the commands as it was typed, understood by the tables of catalogue.py."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from l4d.cli.commands.catalogue import COMMANDS, FILTERS, LASTING, Command, Option
from l4d.cli.output import complain, say


@dataclass(frozen=True, slots=True)
class Asked:
    """What is wanted of a running l4d."""

    command: str
    values: dict[str, Any]  # by the names of options and arguments; None, "" or False: not given
    socket: str | None = None
    config: str | None = None
    json: bool = False

    def filters(self) -> dict[str, str]:
        """The filters that were given, as the API has them."""
        return {one.name: self.values[one.name] for one in FILTERS if self.values.get(one.name) is not None}


def understand(command: Command, arguments: Sequence[str]) -> Asked:
    """What *arguments* ask of *command*. Exits with status 2 when they make no sense, with 0 after -h."""
    given = vars(_parser(command).parse_args(arguments))
    return Asked(command.name, given, given.pop("socket"), given.pop("c"), given.pop("json", False))


class _Parser(argparse.ArgumentParser):
    def __init__(self, command: Command) -> None:
        super().__init__(prog=f"l4d {command.name}", allow_abbrev=False)
        self._command = command

    def print_help(self, file: object = None) -> None:  # noqa: ARG002 - argparse's signature
        say(help_of(self._command))

    def error(self, message: str) -> NoReturn:
        complain(f"{self.prog}: {message}; see {self.prog} -h")
        raise SystemExit(2)


def _parser(command: Command) -> _Parser:
    parser = _Parser(command)
    for argument in command.arguments:
        parser.add_argument(argument.name, metavar=argument.metavar, nargs=argument.many or None)
    for option in command.options:
        _add(parser, option)
    return parser


def _add(parser: _Parser, option: Option) -> None:
    if not option.metavar:
        parser.add_argument(option.flag, dest=option.name, action="store_true")
    elif option.repeatable:
        parser.add_argument(option.flag, dest=option.name, action="append", default=[])
    else:
        parser.add_argument(option.flag, dest=option.name, metavar=option.metavar)


def help_of(command: Command) -> str:
    """What `l4d COMMAND -h` prints."""
    words = [f"usage: l4d {command.name}", *(one.usage for one in command.arguments), "[option]..."]
    rows = [(f"{one.flag} {one.metavar}".strip(), one.why) for one in command.options]
    width = max(len(row[0]) for row in rows)
    more = command.more or (LASTING if command.name in {"drain", "ready", "maint", "weight"} else "")
    return "\n".join(
        [
            " ".join(words),
            f"\n{command.why}\n",
            *(f"  {row[0]:{width}}  {row[1]}" for row in rows),
            *([f"\n{more}"] if more else []),
            "\nexit status: 0 fine; 1 it could not be done; 2 usage; 78 the configuration is wrong\n",
        ]
    )


def overview() -> str:
    """The lines of `l4d -h` about the commands."""
    shown = [command for command in COMMANDS.values() if not command.hidden]
    width = max(len(command.name) for command in shown)
    return "".join(f"  {command.name:{width}}  {command.why}\n" for command in shown)
