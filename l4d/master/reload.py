"""Reloading: the file is read again, all or nothing."""

from collections.abc import Callable, Sequence

from l4d.config.load import load
from l4d.errors import L4dError
from l4d.linux import notify
from l4d.master.estate import Estate
from l4d.master.generations import Generations
from l4d.master.prepare import prepare
from l4d.stats import catalogue, changes


class Reload:
    """What HUP asks for, one at a time."""

    def __init__(
        self,
        path: str,
        overrides: Sequence[str],
        estate: Estate,
        generations: Generations,
        busy: Callable[[], bool],
    ) -> None:
        """While the master is *busy* with another change nothing is begun; `again` is called afterwards."""
        self._path = path
        self._overrides = overrides
        self._estate = estate
        self._generations = generations
        self._busy = busy
        self.wanted = False

    def want(self) -> list[str]:
        """Read the file now, or once more when what is under way is over: it may have changed.

        What is wrong with it; nothing, if the reload is begun or will be.
        """
        if self._busy():
            self.wanted = True
            return []
        notify.reloading()
        self._generations.log.info(f"reloading {self._path}")
        try:
            self._begin()
        except L4dError as error:
            self.refuse(error)
            return str(error).splitlines()
        return []

    def again(self) -> None:
        """Something is over: do what was wanted meanwhile."""
        if self.wanted:
            self.wanted = False
            self.want()

    def refuse(self, error: L4dError) -> None:
        """Say why nothing has changed, and count it."""
        self._estate.count(catalogue.RELOADS, "failure")
        for line in str(error).splitlines():
            self._generations.log.error(line)
        self._generations.note(changes.RELOAD, changes.FAILURE, str(error).partition("\n")[0])
        self._generations.log.error("the reload failed; everything is as it was")
        notify.ready()

    def _begin(self) -> None:
        config = load(self._path, self._overrides)
        pid_file = self._estate.pid_file.path if self._estate.pid_file else ""
        served = self._generations.leaving.served()
        self._generations.begin(prepare(config, self._estate.held, self._estate.doors, pid_file, served))
