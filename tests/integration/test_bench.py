"""The benchmark runs: so that it does not rot. Its figures mean nothing here."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.kit.needs import needs

ROOT = Path(__file__).parents[2]


def bench(folder: Path, *words: str) -> dict[str, Any]:
    """One very short round: what it wrote."""
    results, chart = folder / "results.json", folder / "chart.svg"
    line = [sys.executable, "-m", "bench", "--quick", "--rounds", "1", "--seconds", "0.5"]
    done = subprocess.run(
        [*line, *words, "--json", str(results), "--chart", str(chart)],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(folder)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert chart.read_text("utf-8").startswith("<svg")
    assert not list(folder.glob("l4d-bench-*")), "the folders of its programs are gone"
    document: dict[str, Any] = json.loads(results.read_text("utf-8"))
    return document


def values(document: dict[str, Any], place: str, scenario: str, candidate: str) -> list[float]:
    """What a candidate did in each round; fails if it could not be measured."""
    [outcome] = [each for each in document["outcomes"] if (each["place"], each["name"]) == (place, scenario)]
    [series] = [each for each in outcome["series"] if each["candidate"] == candidate]
    assert None not in series["samples"], document["notes"]
    return [sample["value"] for sample in series["samples"]]


@needs("setpriv")
def test_datagrams_with_offload_are_counted_through_l4d_and_past_it(tmp_path: Path) -> None:
    document = bench(tmp_path, "--places", "loopback", "--only", "udp-offload", "--candidates", "l4d")
    assert all(rate > 0 for name in ("l4d", "direct") for rate in values(document, "loopback", "udp-offload", name))


@needs("setpriv", "redis-server", "redis-benchmark")
def test_the_cost_of_a_request_is_measured(tmp_path: Path) -> None:
    document = bench(tmp_path, "--places", "loopback", "--only", "pingpong-64", "--candidates", "l4d")
    assert values(document, "loopback", "pingpong-64", "l4d")[0] > 0
    [outcome] = document["outcomes"]
    cost = outcome["series"][0]["samples"][0]["proxy"]
    assert cost["user"] + cost["system"] > 0


@needs("setpriv", "ip")
@pytest.mark.skipif(os.geteuid() != 0, reason="network namespaces need root")
def test_the_namespaces_it_makes_are_gone_afterwards(tmp_path: Path) -> None:
    before = namespaces()
    document = bench(tmp_path, "--places", "namespaces", "--only", "udp-bulk", "--candidates", "l4d")
    assert values(document, "namespaces", "udp-bulk", "l4d")[0] > 0, document["notes"]
    assert namespaces() <= before


def namespaces() -> set[str]:
    return (
        {name for name in os.listdir("/run/netns") if name.startswith("l4d-bench-")}
        if os.path.isdir("/run/netns")
        else set()
    )
