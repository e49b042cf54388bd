"""The configuration under documents nobody thought of.

Lines: whatever the document, every value has a line, and the line holds it. Showing: what is shown reads back as
equal. Mutation: a damaged file is refused in words, never with a traceback.
"""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from l4d.config.checks import CHECK
from l4d.config.load import load
from l4d.config.model import Config
from l4d.config.override import override
from l4d.config.positions import KeyPath, positions
from l4d.config.show import show
from l4d.config.toml import parse, written
from l4d.errors import ConfigError, StartError
from l4d.terms import CheckType
from tests.unit.config.generated import configurations, documents
from tests.unit.config.helpers import document, problems_of

SHIPPED = Path(__file__).parents[2] / "conf"
SEEDS = [path.read_text(encoding="utf-8") for path in sorted(SHIPPED.rglob("*.toml"))]
SEEDS += [SEEDS[-1].replace("\n#", "\n"), SEEDS[0] + "\n[defaults.listeners]\nresponses = 3\n[log]\nlevel = 'debug'\n"]
SLOW_OK = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)


def paths_in(value: Any, path: KeyPath = ()) -> Iterator[KeyPath]:
    """The path of everything in a parsed document."""
    if path:
        yield path
    if isinstance(value, dict):
        for name, item in value.items():
            yield from paths_in(item, (*path, name))
    if isinstance(value, list):
        for index, item in enumerate(value):
            yield from paths_in(item, (*path, index))


def is_toml(text: str) -> bool:
    try:
        parse(text)
    except Exception:  # whatever the parser says, this is none
        return False
    return True


@SLOW_OK
@given(documents().filter(is_toml))
def test_every_value_of_a_document_has_a_line(text: str) -> None:
    lines = positions(text)
    assert set(lines) == set(paths_in(parse(text)))
    assert all(1 <= line <= text.count("\n") + 1 for line in lines.values())


TREES = st.recursive(
    st.just(0),
    lambda inner: (
        st.lists(inner, min_size=1, max_size=3)
        | st.dictionaries(st.sampled_from("abcde"), inner, min_size=1, max_size=3)
    ),
    max_leaves=12,
)


def numbered(tree: Any, counter: Iterator[int]) -> Any:
    """*tree* with another number in each leaf."""
    if isinstance(tree, dict):
        return {name: numbered(item, counter) for name, item in tree.items()}
    if isinstance(tree, list):
        return [numbered(item, counter) for item in tree]
    return next(counter)


def spread(value: Any, path: str) -> Iterator[str]:
    """*value* at *path* written over many lines: tables as dotted keys, lists an element a line."""
    if isinstance(value, dict):
        for name, item in value.items():
            yield from spread(item, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        yield f"{path} = [ # here"
        for item in value:
            yield f"    {written(item)},"
        yield "]"
    else:
        yield f"{path} = {value}"


@given(st.dictionaries(st.sampled_from("abcde"), TREES, min_size=1))
def test_the_line_of_a_value_holds_it(tree: Any) -> None:
    tree = numbered(tree, iter(range(10_000, 99_999)))
    text = "\n".join(spread(tree, ""))
    lines = text.split("\n")
    for path, line in positions(text).items():
        value = tree
        for part in path:
            value = value[part]
        if isinstance(value, int):
            assert str(value) in lines[line - 1]


def loaded(folder: Path, text: str) -> Config:
    path = folder / "l4d.toml"
    path.write_text(text, encoding="utf-8", newline="")
    return replace(load(str(path)), files=())


@settings(SLOW_OK, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(configurations())
def test_what_is_shown_reads_back_as_equal(tmp_path: Path, text: str) -> None:
    config = loaded(tmp_path, text)
    shown = show(config)
    assert loaded(tmp_path, shown) == config
    assert show(loaded(tmp_path, shown)) == shown


# Files that are wrong.

JUNK = st.one_of(
    st.sampled_from(
        [*"[]{}=,.\"'#\n\0", "[[", "nan", "inf", "-1", "true", "{}", "[]", "1e400", "0x" + "f" * 5000, "9" * 5000]
    ),
    st.text(max_size=3),
)


@st.composite
def mutations(draw: st.DrawFn) -> bytes:
    """A right file with something cut out, put in, repeated or replaced, perhaps in the middle of a letter."""
    text = draw(st.one_of(st.sampled_from(SEEDS), configurations()))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.integers(0, 12)))
        middle = draw(st.one_of(JUNK, st.just(text[start:end] * 2), st.just("")))
        text = text[:start] + middle + text[end:]
    data = text.encode("utf-8", "surrogatepass")
    cut = draw(st.integers(0, len(data)))
    return data[:cut] + draw(st.binary(max_size=1)) + data[cut:]


@settings(SLOW_OK, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(mutations())
def test_a_damaged_file_is_refused_in_words(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "l4d.toml"
    path.write_bytes(data)
    try:
        load(str(path))
    except ConfigError as error:
        assert error.problems
        assert all(problem.message and 0 <= problem.line <= data.count(b"\n") + 1 for problem in error.problems)
    except StartError as error:
        assert "include" in path.read_text(encoding="utf-8")
        assert str(error).startswith("cannot read ")


WORDS = st.sampled_from(
    [
        "main",
        "log",
        "listeners",
        "upstreams",
        "defaults",
        "a",
        "bind",
        "servers",
        "upstream",
        "protocol",
        "workers",
        "level",
        "resolver",
        "nameservers",
        "check",
        "type",
        "status",
        "command",
        "expect",
        "srv",
        "balance",
        "hash_key",
    ]
)
ANYTHING = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(),
        st.floats(),
        st.text(max_size=8),
        st.sampled_from(["1.2.3.4:5", "udp", "http", "exec", "hash", "a.example:5"]),
    ),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.one_of(WORDS, st.text(max_size=3)), inner, max_size=4)
    ),
    max_leaves=15,
).filter(lambda value: value is not None)


CHECKED = st.dictionaries(
    st.sampled_from([*CHECK.keys, "typ"]),
    st.one_of(st.sampled_from([one.value for one in CheckType]), st.integers(0, 600), ANYTHING),
    max_size=5,
)


@settings(SLOW_OK, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.sampled_from([one.value for one in CheckType]) | ANYTHING, CHECKED)
def test_a_check_of_anything_is_refused_in_words_or_right(tmp_path: Path, kind: Any, keys: dict[str, Any]) -> None:
    check = written(without_none({"type": kind, **keys}))
    text = f"[upstreams.u]\nservers = ['unix:/a', '1.2.3.4:5', 'a.example:5']\ncheck = {check}\n"
    try:
        config = loaded(tmp_path, text)
    except ConfigError as error:
        assert all("check" in problem.key or "unix:/a" in problem.message for problem in error.problems)
    else:
        assert loaded(tmp_path, show(config)) == config


def without_none(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: without_none(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [without_none(item) for item in value if item is not None]
    return value


@settings(SLOW_OK, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(st.dictionaries(WORDS, ANYTHING, max_size=5))
def test_toml_with_anything_anywhere_is_refused_in_words_or_right(tmp_path: Path, tree: dict[str, Any]) -> None:
    text = "".join(f"{name} = {written(value)}\n" for name, value in without_none(tree).items())
    try:
        shown = show(loaded(tmp_path, text))
    except ConfigError as error:
        assert error.problems
    else:
        assert show(loaded(tmp_path, shown)) == shown


@given(
    st.lists(
        st.one_of(st.text(max_size=20), st.builds("{}.{}={}".format, WORDS, WORDS, st.text(max_size=8))), max_size=3
    )
)
def test_whatever_is_given_to_set_is_applied_or_refused(texts: list[str]) -> None:
    written_document = document("")
    override(written_document, texts)
    assert len(problems_of(written_document.problems)) <= len(texts)
