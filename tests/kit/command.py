"""The command `l4d`, run to its end."""

import os
import subprocess
import sys
from pathlib import Path

from tests.kit.wait import TIMEOUT

L4D = (sys.executable, "-m", "l4d")

ROOT = Path(__file__).parents[2]
_WITHOUT_RIGHTS = ("setpriv", "--bounding-set", "-all", "--inh-caps", "-all", "--")


def command(*args: str | Path, rights: bool = True, timeout: float = TIMEOUT) -> "subprocess.CompletedProcess[str]":
    """Run `l4d` with *args*, without a terminal. Without *rights* root is an ordinary user, but for his name."""
    powerless = _WITHOUT_RIGHTS if not rights and os.geteuid() == 0 else ()
    return subprocess.run(
        [*powerless, *L4D, *map(str, args)],
        env=environment(),
        timeout=timeout,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def environment() -> dict[str, str]:
    """Ours, with l4d importable from any folder, and its warnings as errors like our own."""
    return os.environ | {"PYTHONPATH": str(ROOT), "PYTHONWARNINGS": "error", "PYTHONUNBUFFERED": "1"}
