"""The command `l4d`: understands what was typed, has it done, and ends with the status that says how it went.

    0 fine; 1 it could not be done here; 2 usage; 78 the configuration is wrong

Each task imports what it needs when it is asked for: the versions come at once, and the master carries nothing that
only another task would use.
"""

import signal
import sys
from collections.abc import Sequence

from l4d.cli.commands.asked import Asked
from l4d.cli.options import Options, Task, parse
from l4d.cli.output import complain, say
from l4d.config.model import Config
from l4d.errors import ConfigError, StartError

_ENDED_BY = 128  # plus the signal: as shells report a process that a signal ended


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks: the exit status."""
    try:
        wanted = parse(sys.argv[1:] if arguments is None else arguments)
        return _ask(wanted) if isinstance(wanted, Asked) else _TASKS[wanted.task](wanted)
    except ConfigError as error:
        complain(str(error))
        return error.exit_status
    except StartError as error:
        complain("\n".join(f"l4d: {message}" for message in error.messages))
        return error.exit_status
    except UnicodeEncodeError as error:  # a name that this locale has no bytes for
        letter = error.object[error.start]
        complain(f"l4d: {letter!a} cannot be written in {error.encoding}; use a UTF-8 locale, as by LC_ALL=C.UTF-8")
        return 1
    except KeyboardInterrupt:
        return _ENDED_BY + signal.SIGINT
    except BrokenPipeError:
        return _ENDED_BY + signal.SIGPIPE


def _run(options: Options) -> int:
    from l4d.master.run import run

    return run(options.config, options.overrides, daemon=options.daemon)


def _check(options: Options) -> int:
    from l4d.master.check import check

    config = check(options.config, options.overrides)
    if not options.quiet:
        complain(f"l4d: configuration {options.config} is fine")
        _tell_difference(config)
    return 0


def _tell_difference(config: Config) -> None:
    """Say what a reload would change, if an l4d runs that can be asked."""
    if not config.admin.socket:
        return
    from l4d.cli.commands.client import Client
    from l4d.cli.commands.reloading import PATIENCE, reloading, told

    try:
        found = reloading(config, Client(config.admin.socket, PATIENCE))
    except StartError:
        return  # none does, or it is not ours to ask
    for line in told(found):
        complain(f"l4d: {line}")


def _show(options: Options) -> int:
    from l4d.config.show import show
    from l4d.master.check import check

    say(show(check(options.config, options.overrides)))
    return 0


def _signal(options: Options) -> int:
    from l4d.cli.signals import send

    send(options.signal, options.config)
    return 0


def _version(_: Options) -> int:
    from l4d.cli.versions import short

    say(short())
    return 0


def _versions(_: Options) -> int:
    from l4d.cli.versions import long

    say(long())
    return 0


def _ask(asked: Asked) -> int:
    from l4d.cli.commands.run import run

    return run(asked)


def _demo(options: Options) -> int:
    from l4d.cli.demo import demo

    return demo(once=options.once)


_TASKS = {
    Task.RUN: _run,
    Task.CHECK: _check,
    Task.SHOW: _show,
    Task.SIGNAL: _signal,
    Task.VERSION: _version,
    Task.VERSIONS: _versions,
    Task.DEMO: _demo,
}
