"""TOML in and out."""

import pytest

from l4d.config.toml import NotToml, parse, written, written_key


def refusal(text: str) -> tuple[int, str]:
    with pytest.raises(NotToml) as caught:
        parse(text)
    return caught.value.line, str(caught.value)


def test_a_mistake_is_placed_on_its_line() -> None:
    line, message = refusal('a = 1\nb = "x\nc = 3\n')
    assert line == 2
    assert message.startswith("not TOML: ")
    assert "column" in message


def test_a_mistake_at_the_end_is_placed_on_the_last_line() -> None:
    line, message = refusal("a = 1\nb = [\n\n")
    assert line == 2
    assert message.endswith("(at the end of the file)")


def test_a_number_too_long_for_python_is_no_traceback() -> None:
    line, message = refusal(f"a = {'9' * 5000}")
    assert line == 0
    assert "not TOML" in message


def test_nesting_too_deep_for_the_parser_is_no_traceback() -> None:
    assert refusal("a = " + "[" * 100_000)[1].startswith(("nested too deeply", "not TOML"))


@pytest.mark.parametrize(
    "value",
    [True, False, 3, 1.5, "", 'a"b\\c', "\x7f\x00\n", "ü😀", [], [1, "a"], {"a b": [{"c": 1}]}],
    ids=repr,
)
def test_what_is_written_reads_back(value: object) -> None:
    assert parse(f"a = {written(value)}") == {"a": value}


def test_a_tuple_is_written_as_a_list() -> None:
    assert written((1, "a")) == '[1, "a"]'


def test_a_key_is_quoted_only_where_it_must_be() -> None:
    assert written_key("web-1_a") == "web-1_a"
    assert written_key("a.b") == '"a.b"'
