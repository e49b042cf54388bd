"""What the access log costs: connect, request, answer, close, through two listeners of one l4d; only one of them logs.

    python -m bench.access_log [--pairs 40] [--rate 5000]

The listeners take turns of half a second, so whatever else the machine does meets both. Each pair of turns gives the
time on the CPU that the worker has spent for a session with a line in the log, as against one without.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Callable

from bench.candidates import wait_ready
from bench.cost import family, spent
from bench.places import LOOPBACK, Ports, Where
from bench.programs import BenchError
from bench.stage import Settings, Stage
from bench.web import Web
from l4d.terms import Protocol

FORMS = {"text": "text", "json": "json", "template": "$time $client $server $duration_ms $end"}

WARM_UP, TURN = 0.1, 0.5

_CONFIG = """
[main]
workers = 1

[log]
format = "{form}"

[listeners.off]
bind = "127.0.0.1:{off}"
upstream = "web"

[listeners.on]
bind = "127.0.0.1:{on}"
upstream = "web"
access_log = "{path}"

[upstreams.web]
servers = ["{server}"]
"""


def main() -> None:
    """Measure each form, and print a line for it."""
    parser = argparse.ArgumentParser(prog="python -m bench.access_log", description="What the access log costs.")
    parser.add_argument("--pairs", type=int, default=40, help="turns of half a second with and without")
    parser.add_argument("--rate", type=float, default=5000.0, help="sessions a second that the shares are told for")
    chosen = parser.parse_args()
    print(f"{'form':10} {'without':>10} {'with':>10} {'a line':>8} {'more':>22}   at {chosen.rate:g}/s, of one CPU")
    for name, form in FORMS.items():
        with Stage(LOOPBACK, Settings(1, 1, TURN, WARM_UP, quick=False), Ports(), print, print) as stage:
            print(_line(name, *_measure(stage, form, chosen.pairs), chosen.rate))


def _line(name: str, off: list[float], on: list[float], rate: float) -> str:
    """What so many pairs of costs, in microseconds, say."""
    ratios = [100 * (one / other - 1) for one, other in zip(on, off, strict=True)]
    quarter, middle, three = statistics.quantiles(ratios)
    without, with_log = statistics.median(off), statistics.median(on)
    line = statistics.median(one - other for one, other in zip(on, off, strict=True))
    more = f"{middle:.1f} % [{quarter:.1f} - {three:.1f}]"
    return f"{name:10} {without:8.1f}us {with_log:8.1f}us {line:6.1f}us {more:>22}   {100 * line * rate / 1e6:.1f} %"


def _measure(stage: Stage, form: str, pairs: int) -> tuple[list[float], list[float]]:
    """The worker's microseconds for a session, without and with the log, pair by pair."""
    web = Web(stage)
    ports = stage.port(), stage.port()
    log = stage.folder / "access.log"
    config = stage.folder / "l4d.toml"
    config.write_text(
        _CONFIG.format(form=form, off=ports[0], on=ports[1], path=log, server=web.addresses[0]), encoding="utf-8"
    )
    l4d = stage.keep(stage.start(Where.PROXY, [sys.executable, "-m", "l4d", "-c", str(config)]))
    wait_ready(l4d, Protocol.TCP, ports[1], "ready: generation")
    costs: tuple[list[float], list[float]] = [], []
    for pair in range(pairs):
        for which in (pair % 2, 1 - pair % 2):
            costs[which].append(_turn(stage, ports[which], web.answered, l4d.pid))
    if not log.stat().st_size:
        raise BenchError("nothing was logged")
    return costs


def _turn(stage: Stage, port: int, answered: Callable[[], float], pid: int) -> float:
    """Microseconds for a session."""
    load = ["wrk", "-t", "1", "-c", "16", "-d", "10s", "-H", "Connection: close", f"http://127.0.0.1:{port}/"]
    with stage.start(Where.CLIENT, load):
        time.sleep(WARM_UP)
        pids = family(pid)
        number, before = answered(), spent(pids).precise
        time.sleep(TURN)
        number, after = answered() - number, spent(pids).precise
    return (after - before) / number * 1e6


if __name__ == "__main__":
    main()
