"""What the tests of the configuration share: files written, loaded, and refused."""

from collections.abc import Sequence
from pathlib import Path

from l4d.config.document import Document
from l4d.config.load import load
from l4d.config.model import Config
from l4d.config.positions import KeyPath, positions
from l4d.config.problems import Place, Problems
from l4d.config.toml import parse
from l4d.errors import ConfigError

SERVED = """
[listeners.web]
bind = "127.0.0.1:80"
upstream = "web"
[upstreams.web]
servers = "10.0.0.1:80"
"""
"""The least that serves somebody."""


def loaded(folder: Path, text: str, overrides: Sequence[str] = ()) -> Config:
    """The configuration in *text*, which is put into a file."""
    file = folder / "l4d.toml"
    file.write_text(text, encoding="utf-8")
    return load(str(file), overrides)


def refused(folder: Path, text: str, overrides: Sequence[str] = ()) -> list[str]:
    """Every problem with the configuration *text*, as printed, without the folder."""
    try:
        loaded(folder, text, overrides)
    except ConfigError as error:
        return [str(problem).replace(f"{folder}/", "") for problem in error.problems]
    raise AssertionError("was accepted")


def document(text: str) -> Document:
    """The document of a file "a.toml" with *text* in it."""
    places: dict[KeyPath, Place] = {path: Place("a.toml", line) for path, line in positions(text).items()}
    return Document(parse(text), places, ["a.toml"], Problems(places, Place("a.toml", 0)))


def problems_of(problems: Problems) -> list[str]:
    """What was noted in *problems*, as printed."""
    try:
        problems.stop_if_any(["a.toml", "b.toml"])
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return []
