"""Templates of access log lines: texts, and the names between them."""

import pytest

from l4d.config.template import FIELDS, NAMES, pieces


@pytest.mark.parametrize(
    ("template", "made_of"),
    [
        ("no name", [("no name", "")]),
        ("$client", [("", "client"), ("", "")]),
        ("<$client> $end!", [("<", "client"), ("> ", "end"), ("!", "")]),
        ("${bytes_up}B", [("", "bytes_up"), ("B", "")]),
        ("$bytes_up-$end.", [("", "bytes_up"), ("-", "end"), (".", "")]),
        ("5 $$ $tries $$$end$$", [("5 $ ", "tries"), (" $", "end"), ("$", "")]),
        ("$$client", [("$client", "")]),
    ],
)
def test_a_template_is_texts_and_names(template: str, made_of: list[tuple[str, str]]) -> None:
    assert list(pieces(template)) == made_of


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("$clinet", "there is no '$clinet'; did you mean 'client'?"),
        ("$Client", "there is no '$Client'; did you mean 'client'?"),
        ("$bytes_upB", "there is no '$bytes_upB'; did you mean 'bytes_up'?"),
        ("${xyzzy}", "there is no '$xyzzy'"),
        ("$client $", "has a '$' without a name (at character 9); a dollar is '$$'"),
        ("$ client", "has a '$' without a name (at character 1); a dollar is '$$'"),
        ("${} $client", "has a '$' without a name (at character 1); a dollar is '$$'"),
        ("a ${client", "has a '$' without a name (at character 3); a dollar is '$$'"),
    ],
)
def test_what_is_no_name_is_said(template: str, said: str) -> None:
    with pytest.raises(ValueError) as caught:
        list(pieces(template))
    assert str(caught.value) == said


def test_every_field_may_be_named() -> None:
    assert set(FIELDS) < NAMES
    for name in NAMES:
        assert list(pieces(f"${name}")) == [("", name), ("", "")]
