"""Compiled or not: `L4D_COMPILE=1` builds the rooms that a client's bytes pass through with mypyc.

Without it nothing is compiled, and everything else stands in pyproject.toml. The source is the same either way, and
plain Python is complete; what compiling brings is in docs/performance.md. It wants a C compiler, and what the extra
`compile` names in pyproject.toml:

    make compiled                                              a compiled copy of this folder in build/compiled
    L4D_COMPILE=1 pip install --no-build-isolation .           installed so
"""

import os
from pathlib import Path

from setuptools import setup

HOT = (
    "access/capacity",
    "linux/datagram",
    "linux/options",
    "linux/sockets",
    "loop",
    "movers/copy",
    "movers/mover",
    "movers/splice",
    "session",
    "stats/failures",
    "stats/histogram",
    "stats/tally",
    "tcp",
    "udp",
    "upstream",
)
"""Modules, and rooms with all theirs."""


def modules() -> list[str]:
    """The files to be compiled. Not those that are empty."""
    here = Path(__file__).parent / "l4d"
    found: list[Path] = []
    for name in HOT:
        found += sorted((here / name).glob("*.py")) if (here / name).is_dir() else [here / f"{name}.py"]
    return [str(path.relative_to(here.parent)) for path in found if path.stat().st_size]


def compiled() -> list[object]:
    """The extension modules, as setuptools wants them."""
    from mypyc.build import mypycify

    return mypycify([*modules(), "--config-file", "pyproject.toml"], opt_level="3")


setup(ext_modules=compiled() if os.environ.get("L4D_COMPILE") == "1" else [])
