"""Every pure module is covered, by branch, by the tests of its own name alone.

    python -m tests.pure_coverage

What another module's tests happen to pass through does not count: coverage notes for each line which test ran it
(dynamic contexts), and only what those of tests/unit/<same path>/test_<same name>.py ran counts, with what an import
runs.
"""

import io
import re
import sys
from pathlib import Path

import coverage
import pytest

ROOT = Path(__file__).parents[1]

PURE = (
    "terms",
    "address",
    "errors",
    "loop/deadlines",
    "handover/link",
    "handover/record",
    "handover/settings",
    "child/channel",
    "child/life",
    "control/book",
    "control/checks",
    "control/named",
    "health/expecting",
    "health/lack",
    "health/login",
    "health/make",
    "health/secret",
    "health/verdict",
    "health/wishes",
    "health/words",
    "names/found",
    "names/meaning",
    "names/pace",
    "names/records",
    "names/resolv_conf",
    "names/hosts",
    "names/seating",
    "upstream/balance",
    "upstream/places",
    "upstream/first",
    "upstream/hashing",
    "upstream/key",
    "upstream/least",
    "upstream/least_conn",
    "upstream/least_time",
    "upstream/loads",
    "upstream/maglev",
    "upstream/outlook",
    "upstream/pool",
    "upstream/random_two",
    "upstream/round_robin",
    "upstream/server",
    "access/capacity",
    "stats/board",
    "stats/catalogue",
    "stats/columns",
    "stats/distribution",
    "stats/failures",
    "stats/health",
    "stats/histogram",
    "stats/history",
    "stats/numbers",
    "stats/picture",
    "stats/picture_servers",
    "stats/tally",
    "session/session",
    "session/lifetime",
    "session/facts",
    "session/filter",
    "session/forms",
    "session/journal",
    "session/ids",
    "session/transfer",
    "udp/burst",
    "udp/gather",
    "udp/table",
    "log/access",
    "log/escape",
    "log/log",
    "log/moment",
    "config/template",
    "linux/datagram",
    "master/generation",
    "master/will",
    "master/pulse",
    "worker/assignment",
    "worker/members",
    "admin/guard",
    "admin/recent",
    "admin/parameters",
    "stats/changes",
    "stats/wish",
    "stats/process",
    "stats/seat",
    "stats/standing",
    "upstream/place",
    "config/diff",
    "cli/commands/asked",
    "cli/commands/effects",
    "cli/commands/rates",
    "cli/commands/table",
    "cli/commands/text",
    "cli/commands/told",
)


def main() -> int:
    """Run the tests of the pure modules, say what they leave out, and give the exit status."""
    watched = coverage.Coverage(data_file=None, config_file=False, branch=True, source=[str(ROOT / "l4d")])
    watched.set_option("run:dynamic_context", "test_function")
    watched.set_option("report:exclude_also", [r"^\s*\.\.\.$"])  # the methods of a Protocol
    watched.start()
    status = int(pytest.main(["-q", "--no-header", *(str(ROOT / f"{_test_of(module)}.py") for module in PURE)]))
    watched.stop()
    if status:
        return status
    gaps = [gap for module in PURE if (gap := _gap(watched, module))]
    print("\n".join(gaps) or f"{len(PURE)} pure modules: every branch is covered by the tests of the same name")
    return 1 if gaps else 0


def _test_of(module: str) -> str:
    """The path of the module's own tests, without the suffix."""
    folder, slash, name = module.rpartition("/")
    return f"tests/unit/{folder}{slash}test_{name}"


def _gap(watched: coverage.Coverage, module: str) -> str:
    """What the module's own tests leave out; empty if nothing."""
    own = re.escape(_test_of(module).replace("/", "."))
    report = io.StringIO()
    covered = watched.report(
        include=[str(ROOT / "l4d" / f"{module}.py")],
        contexts=["^$", rf"^{own}\."],
        show_missing=True,
        file=report,
    )
    return "" if covered == 100 else report.getvalue()


if __name__ == "__main__":
    sys.exit(main())
