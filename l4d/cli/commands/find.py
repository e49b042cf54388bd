"""Where the admin socket of the running l4d is: as typed, or as a configuration names it."""

from l4d.cli.commands.asked import Asked
from l4d.cli.commands.catalogue import DEFAULT_CONFIG
from l4d.cli.commands.client import PATIENCE, Client, WrongUsageError
from l4d.errors import StartError

_WAY_OUT = "name the socket of the running l4d by --socket PATH, or a configuration by -c FILE"


def find(asked: Asked, patience: float = PATIENCE) -> Client:
    """The l4d that is meant; never another one where a word is empty, as an unset variable of a shell is.

    Raises ConfigError or StartError.
    """
    for flag, word in {"--socket": asked.socket, "-c": asked.config}.items():
        if word == "":
            raise WrongUsageError(f"{flag} is empty; {_WAY_OUT}")
    if asked.socket is not None:
        return Client(asked.socket, patience)
    return Client(socket_of(DEFAULT_CONFIG if asked.config is None else asked.config), patience)


def socket_of(config: str) -> str:
    """`admin.socket` of the file *config*, and of those it includes.

    Nothing else of it has to be right: who edits the file goes on steering the l4d that runs.
    """
    from l4d.config.files import read_files  # not needed where the socket was typed, and a Tab should be quick

    try:
        table = read_files(config).tree.get("admin")
    except StartError as error:
        raise StartError(f"{error}; {_WAY_OUT}") from None
    path = table.get("socket") if isinstance(table, dict) else None
    if not path or not isinstance(path, str):
        raise StartError(f"admin.socket is not set in {config}, so no running l4d can be asked; set it, or {_WAY_OUT}")
    return path
