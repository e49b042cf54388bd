"""Which function does which command. Only what that one needs is imported: a schema takes longer than most answers."""

from collections.abc import Callable
from importlib import import_module
from typing import TypeAlias, cast

from l4d.cli.commands.asked import Asked
from l4d.cli.commands.client import Client

Work: TypeAlias = Callable[[Asked, Client], int]

_ELSEWHERE = dict.fromkeys(("drain", "ready", "maint", "weight"), "steer")
"""Commands that have no module of their own name."""


def work_of(command: str) -> Work:
    """The function that does *command*; the exit status is what it returns."""
    module = import_module(f"l4d.cli.commands.{_ELSEWHERE.get(command, command)}")
    return cast(Work, getattr(module, command))
