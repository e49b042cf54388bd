"""Doing what was asked of a running l4d. What shows tables is imported only when there is one to show."""

from l4d.cli.commands.asked import Asked
from l4d.cli.commands.find import find
from l4d.cli.commands.works import work_of
from l4d.errors import L4dError


def run(asked: Asked) -> int:
    """Do it: the exit status. Raises ConfigError or StartError."""
    if asked.command == "names":
        return _names(asked)
    return work_of(asked.command)(asked, find(asked))


def _names(asked: Asked) -> int:
    """Whatever is wrong, a shell that completes a word wants no complaint."""
    from l4d.cli.commands.names import PATIENCE, names

    try:
        return names(asked, find(asked, PATIENCE))
    except L4dError:
        return 1
