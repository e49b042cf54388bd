"""The chaos program: `python -m tests.chaos`, or `make chaos`."""

import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from types import FrameType

from tests.chaos import report
from tests.chaos.options import parse
from tests.chaos.run import run
from tests.kit.needs import find_program

_NEEDED = ("initdb", "postgres", "pgbench", "psql", "setpriv")


def main(arguments: Sequence[str]) -> int:
    """0 when all is accounted for."""
    signal.signal(signal.SIGTERM, _end)  # so that all that was begun is ended, as with Ctrl-C
    options = parse(arguments)
    if missing := [name for name in _NEEDED if not find_program(name)]:
        print(f"chaos: needs {', '.join(missing)}, not found on this machine", file=sys.stderr)
        return 1
    folder = Path(tempfile.mkdtemp(prefix="l4d-chaos-"))
    print(f"seed {options.seed}, events for {options.seconds:g} s; seconds since all clients are served:", flush=True)
    try:
        outcome = run(options, folder, lambda line: print(line, flush=True))
    except AssertionError as error:
        print(f"chaos: {error}\nchaos: what all have said is in {folder}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("chaos: ended before it was over; nothing is left behind", file=sys.stderr)
        shutil.rmtree(folder)
        return 130
    print(report.text(outcome))
    if outcome.differences:
        print(f"seed {options.seed} again plans the same events; what all have said is in {folder}")
        return 1
    shutil.rmtree(folder)
    return 0


def _end(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
