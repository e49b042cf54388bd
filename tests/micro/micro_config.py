"""Reading a configuration: the one that is shipped, and one with many servers and listeners."""

from pathlib import Path

import pytest

from l4d.config.load import load
from tests.micro.benchmark import Benchmark

SHIPPED = Path(__file__).parents[2] / "conf" / "l4d.toml"


def test_the_configuration_that_is_shipped(benchmark: Benchmark) -> None:
    assert benchmark(load, str(SHIPPED)).main


@pytest.mark.parametrize("count", [10, 1000])
def test_so_many_servers(benchmark: Benchmark, tmp_path: Path, count: int) -> None:
    servers = ", ".join(f'"10.0.{number // 250}.{number % 250}:80"' for number in range(count))
    config = _write(tmp_path, '[listeners.web]\nbind = "127.0.0.1:80"\nupstream = "web"\n', servers)
    assert len(benchmark(load, config).upstreams["web"].servers) == count


@pytest.mark.parametrize("count", [10, 500])
def test_so_many_listeners(benchmark: Benchmark, tmp_path: Path, count: int) -> None:
    listeners = "".join(
        f'[listeners.web{number}]\nbind = "127.0.0.1:{1000 + number}"\nupstream = "web"\n' for number in range(count)
    )
    config = _write(tmp_path, listeners, '"10.0.0.1:80"')
    assert len(benchmark(load, config).listeners) == count


def _write(folder: Path, listeners: str, servers: str) -> str:
    path = folder / "l4d.toml"
    path.write_text(f"{listeners}[upstreams.web]\nservers = [{servers}]\n", encoding="utf-8")
    return str(path)
