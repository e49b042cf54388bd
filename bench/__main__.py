"""The benchmark: `python -m bench`, or `make bench`."""

import signal
import sys
from collections.abc import Sequence
from types import FrameType

from bench import chart, report, results
from bench.options import parse
from bench.programs import BenchError
from bench.run import run
from bench.scenarios import ALL


def main(arguments: Sequence[str]) -> int:
    signal.signal(signal.SIGTERM, _end)  # so that all that was begun is ended, as with Ctrl-C
    try:
        options = parse(arguments, ALL)
        result = run(options, lambda text: print(text, file=sys.stderr, flush=True))
    except BenchError as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("bench: ended before it was over; nothing is left behind", file=sys.stderr)
        return 130
    print(report.text(result))
    if options.json:
        results.write(result, options.json)
    if options.chart:
        chart.write(result, options.chart)
    return 0


def _end(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
