"""The daemon: a process of its own session whose starter waits for the outcome (daemon(7), "SysV Daemons")."""

import contextlib
import os
import sys
from typing import NoReturn

from setproctitle import setproctitle

from l4d.config.model import Config
from l4d.errors import L4dError, StartError
from l4d.master.master import Master


def run(path: str, overrides: tuple[str, ...], config: Config) -> int:
    """Start the daemon, and wait until it serves. Raises StartError with what it said."""
    if config.log.error == "stderr":
        print(  # the last words that can be seen
            'l4d: log.error is "stderr", and a daemon has none: set it to a path, "syslog" or "journal"',
            file=sys.stderr,
        )
    for target, key in config.access_logs().items():
        if target in {"stdout", "stderr"}:
            print(f'l4d: {key} is "{target}", and a daemon has none: nothing is logged there', file=sys.stderr)
    reader, writer = os.pipe()
    if os.fork() == 0:
        os.close(reader)
        os.setsid()
        if os.fork() != 0:
            os._exit(0)  # so that the daemon leads no session and never gets a terminal
        _serve(path, overrides, config, writer)
    os.close(writer)
    os.wait()
    with os.fdopen(reader) as answer:
        text = answer.read()
    if text == "ready":
        return 0
    raise StartError(*(text or "the daemon died while it started").splitlines())


def _serve(path: str, overrides: tuple[str, ...], config: Config, writer: int) -> NoReturn:
    """The daemon's life. Its starter is told "ready", or why not."""
    status = 1
    master = Master(path, overrides, daemon=True)
    try:
        setproctitle(f"l4d: master process l4d -d -c {path}")
        master.start(config)

        def on_ready() -> None:
            with contextlib.suppress(BrokenPipeError):  # the starter did not wait
                os.write(writer, b"ready")
            os.close(writer)
            master.leave_terminal()

        status = master.run(on_ready)
    except L4dError as error:
        os.write(writer, str(error).encode())
    except Exception:
        master.log.bug("the master")
    finally:
        os._exit(status)
