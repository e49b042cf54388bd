"""Installed versions of l4d beside each other, and the command that runs whichever is the present one.

versions = Versions(folder)
versions.install("1.0")                   a copy of the package that calls itself so
versions.install("2.0", broken)           one that differs, as a function changes its source
versions.switch("1.0")                    what `versions.command` runs from now on
"""

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from tests.kit.command import ROOT

_LAUNCHER = """\
#!{python}
import sys
sys.path.insert(0, "{present}")
from l4d.cli.main import main
raise SystemExit(main())
"""


class Versions:
    """Those in one folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._present = folder / "present"
        self._launcher = folder / "l4d"
        self._launcher.write_text(_LAUNCHER.format(python=sys.executable, present=self._present))
        self._launcher.chmod(0o755)

    @property
    def command(self) -> tuple[str]:
        """What an operator types."""
        return (str(self._launcher),)

    def install(self, version: str, change: "Change | None" = None) -> None:
        """Have this version, too; *change* is done to its source."""
        package = self._folder / version / "l4d"
        shutil.copytree(ROOT / "l4d", package, ignore=shutil.ignore_patterns("__pycache__"))
        (package / "__init__.py").write_text(
            f'"""l4d as an operator has it installed."""\n\n__version__ = "{version}"\n'
        )
        if change is not None:
            change(package)

    def switch(self, version: str) -> None:
        """Put this version in the place of the present one, at once, as a package manager does."""
        link = self._folder / "present.new"
        link.symlink_to(self._folder / version)
        os.rename(link, self._present)

    def spoil(self) -> None:
        """The command cannot be run any more."""
        self._launcher.write_text("#!/nonexistent/interpreter\n")


Change = Callable[[Path], None]
"""Changes the package in a folder."""


def replaced(file: str, old: str, new: str) -> Change:
    """The change of one place in one file of the package."""

    def change(package: Path) -> None:
        path = package / file
        text = path.read_text()
        assert text.count(old) == 1, f"{old!r} stands {text.count(old)} times in {file}"
        path.write_text(text.replace(old, new))

    return change
