"""`l4d top`: a running l4d, live; one picture where there is no terminal."""

import sys
import time
from contextlib import closing

from rich.console import Group
from rich.text import Text

from l4d.cli.commands.asked import Asked
from l4d.cli.commands.client import Client, WrongUsageError
from l4d.cli.commands.page import show, width
from l4d.cli.commands.terminal import Terminal
from l4d.cli.commands.text import clean
from l4d.cli.commands.top_view import SORTS, View, keys
from l4d.errors import StartError

_PATIENCE = 2.0
_INTERVAL = 1.0
_SHORTEST, _LONGEST = 0.1, 3600.0
_ENDED_BY = 128  # plus the signal: as shells report it


def top(asked: Asked, client: Client) -> int:
    """Show l4d until the operator has seen enough: the exit status."""
    interval = _interval(asked.values["interval"])
    view = View(Client(client.path, _PATIENCE))
    view.look(time.monotonic())
    view.insist()
    if asked.values["once"] or not _is_terminal():
        show([view.picture(width(), None, time.monotonic())])
        return 0
    try:
        with closing(Terminal()) as terminal:
            terminal.take()
            return _live(terminal, view, interval)
    except OSError as error:
        raise StartError(f"the terminal: {error.strerror or error}") from None


def _interval(word: str | None) -> float:
    try:
        interval = _INTERVAL if word is None else float(word)
    except ValueError:
        interval = 0.0
    if not _SHORTEST <= interval <= _LONGEST:
        raise WrongUsageError(f"--interval {clean(str(word))}: seconds are wanted, {_SHORTEST:g} to {_LONGEST:g}")
    return interval


def _is_terminal() -> bool:
    return sys.stdin is not None and sys.stdin.isatty() and sys.stdout is not None and sys.stdout.isatty()


def _live(terminal: Terminal, view: View, interval: float) -> int:
    """Look, show, and heed the keys, until the end."""
    due = time.monotonic() + interval
    while True:
        terminal.show(_screen(terminal, view))
        came = terminal.wait(due - time.monotonic())
        if came.ended_by:
            return _ENDED_BY + came.ended_by
        for key in came.keys:
            if key == "q":
                return 0
            view.sort = key if key in SORTS else view.sort
        if time.monotonic() >= due:
            view.look(time.monotonic())
            due = time.monotonic() + interval


def _screen(terminal: Terminal, view: View) -> Group:
    """The picture, and the keys on the last line."""
    picture = view.picture(terminal.width, terminal.height, time.monotonic())
    return Group(picture, Text(), keys(view.sort))
