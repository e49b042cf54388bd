"""What may be typed after `l4d`, and what it means.

    [-d] [-c FILE] [--set KEY=VALUE]...         run
    -t [-q] | -T   [-c FILE] [--set ...]        check, show
    -s SIGNAL      [-c FILE]                    tell the running master something
    -v | -V                                     versions
    demo [--once]                               see it work
    status, top, sessions ...                   ask or change a running l4d; commands/catalogue.py has them

What makes no sense together is refused rather than half obeyed.
"""

import argparse
import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NoReturn

from l4d.cli.commands.asked import Asked, overview, understand
from l4d.cli.commands.catalogue import COMMANDS, DEFAULT_CONFIG
from l4d.cli.output import complain, say
from l4d.config.suggest import did_you_mean

_LATER = frozenset(("convert",))

_HELP = f"""\
usage: l4d [-d] [-c FILE] [--set KEY=VALUE]...          serve what FILE says
       l4d -t [-q] [-c FILE] [--set KEY=VALUE]...       check FILE, and what it names
       l4d -T [-c FILE] [--set KEY=VALUE]...            check, and print the effective configuration
       l4d -s SIGNAL [-c FILE]                          tell the running l4d
       l4d -v | -V                                      version; with all it stands on
       l4d demo [--once]                                see it work, with nothing prepared
       l4d COMMAND [--socket PATH | -c FILE] ...        ask or change a running l4d; l4d COMMAND -h tells more

{overview()}
  -c FILE          the configuration; {DEFAULT_CONFIG} when not given
  -d               run as a daemon
  -t               check the configuration, open what it names, print every problem
  -q               with -t: say nothing when all is fine
  -T               as -t, and print the effective configuration as TOML, defaults included
  -s stop          close all sessions and end
  -s quit          take nothing new, let the sessions finish, end
  -s reload        read the configuration again
  -s reopen        open the log files again
  -s upgrade       let the l4d now on disk take over; if it does not start, go on
  --set KEY=VALUE  override one key, as in --set main.workers=2; repeatable
  --once           with demo: end after its own check, which the exit status tells

exit status: 0 fine; 1 it could not be done here; 2 usage; 78 the configuration is wrong
"""


class Task(enum.Enum):
    """What is wanted. The value is how it is asked for."""

    RUN = "run"
    CHECK = "-t"
    SHOW = "-T"
    SIGNAL = "-s"
    VERSION = "-v"
    VERSIONS = "-V"
    DEMO = "demo"


class Signal(enum.Enum):
    """What a running master can be told."""

    STOP = "stop"
    QUIT = "quit"
    RELOAD = "reload"
    REOPEN = "reopen"
    UPGRADE = "upgrade"


@dataclass(frozen=True, slots=True)
class Options:
    """One command line, understood."""

    task: Task
    config: str = DEFAULT_CONFIG
    overrides: tuple[str, ...] = ()
    daemon: bool = False
    quiet: bool = False
    signal: Signal = Signal.STOP
    once: bool = False


def parse(arguments: Sequence[str]) -> Options | Asked:
    """What *arguments* ask for. Exits with status 2 and one line when they make no sense, with 0 after -h."""
    if arguments and not arguments[0].startswith("-"):
        return _parse_command(arguments[0], arguments[1:])
    parser = _parser()
    return _understood(parser, parser.parse_args(arguments))


def _parse_command(command: str, arguments: Sequence[str]) -> Options | Asked:
    if command in COMMANDS:
        return understand(COMMANDS[command], arguments)
    parser = _Parser()
    if command in _LATER:
        parser.error(f"'{command}' is not available in this version")
    if command != "demo":
        parser.error(f"no such command: '{command}'{did_you_mean(command, [*COMMANDS, 'demo'])}")
    parser.add_argument("--once", action="store_true")
    return Options(Task.DEMO, once=parser.parse_args(arguments).once)


class _Parser(argparse.ArgumentParser):
    def __init__(self) -> None:
        super().__init__(prog="l4d", allow_abbrev=False)

    def print_help(self, file: object = None) -> None:  # noqa: ARG002 - argparse's signature
        say(_HELP)

    def error(self, message: str) -> NoReturn:
        complain(f"l4d: {message}; see l4d -h")
        raise SystemExit(2)


def _parser() -> _Parser:
    parser = _Parser()
    tasks = parser.add_mutually_exclusive_group()
    for task in (Task.CHECK, Task.SHOW, Task.VERSION, Task.VERSIONS):
        tasks.add_argument(task.value, dest="task", action="store_const", const=task)
    tasks.add_argument("-s", dest="signal", metavar="SIGNAL")
    parser.add_argument("-c", dest="config", metavar="FILE")
    parser.add_argument("-d", dest="daemon", action="store_true")
    parser.add_argument("-q", dest="quiet", action="store_true")
    parser.add_argument("--set", dest="overrides", action="append", default=[], metavar="KEY=VALUE")
    return parser


def _understood(parser: _Parser, given: argparse.Namespace) -> Options:
    task = given.task or (Task.SIGNAL if given.signal is not None else Task.RUN)
    served = {Task.RUN, Task.CHECK, Task.SHOW}
    refused = {
        "-c": given.config is not None and task not in served | {Task.SIGNAL},
        "-d": given.daemon and task is not Task.RUN,
        "--set": given.overrides and task not in served,
    }
    for option, wrong in refused.items():
        if wrong:
            parser.error(f"{option} does not go with {task.value}")
    if given.quiet and task is not Task.CHECK:
        parser.error("-q goes with -t only")
    return Options(
        task,
        config=DEFAULT_CONFIG if given.config is None else given.config,
        overrides=tuple(given.overrides),
        daemon=given.daemon,
        quiet=given.quiet,
        signal=_signal(parser, given.signal) if task is Task.SIGNAL else Signal.STOP,
    )


def _signal(parser: _Parser, word: str) -> Signal:
    try:
        return Signal(word)
    except ValueError:
        parser.error(f"-s {word}: no such signal; choose stop, quit, reload, reopen or upgrade")
