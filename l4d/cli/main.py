"""The command `l4d`: understands what was typed, has it done, and ends with the status that says how it went.

    0 fine; 1 it could not be done here; 2 usage; 78 the configuration is wrong

Each task imports what it needs when it is asked for: the versions come at once, and the master carries nothing that
only another task would use.
"""

import signal
import sys
from collections.abc import Sequence

from l4d.cli.options import Options, Task, parse
from l4d.cli.output import complain, say
from l4d.errors import ConfigError, StartError

_ENDED_BY = 128  # plus the signal: as shells report a process that a signal ended


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what the command line asks: the exit status."""
    try:
        options = parse(sys.argv[1:] if arguments is None else arguments)
        return _TASKS[options.task](options)
    except ConfigError as error:
        complain(str(error))
        return error.exit_status
    except StartError as error:
        complain("\n".join(f"l4d: {message}" for message in error.messages))
        return error.exit_status
    except KeyboardInterrupt:
        return _ENDED_BY + signal.SIGINT
    except BrokenPipeError:
        return _ENDED_BY + signal.SIGPIPE


def _run(options: Options) -> int:
    from l4d.master.run import run

    return run(options.config, options.overrides, daemon=options.daemon)


def _check(options: Options) -> int:
    from l4d.master.check import check

    check(options.config, options.overrides)
    if not options.quiet:
        complain(f"l4d: configuration {options.config} is fine")
    return 0


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
