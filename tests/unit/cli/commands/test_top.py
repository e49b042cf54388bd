"""`l4d top` without a terminal. With one: tests/integration/test_commands_top.py."""

import pytest

from tests.kit.fake_admin import FakeAdmin
from tests.unit.cli.commands.conftest import Typed


@pytest.mark.parametrize("words", [("top",), ("top", "--once"), ("top", "--interval", "5")])
def test_without_a_terminal_it_is_one_picture(words: tuple[str, ...], typed: Typed) -> None:
    status, out, err = typed(*words)
    assert (status, err) == (0, "")
    assert out.startswith("l4d 0.1.0 is healthy: ")
    assert "\x1b" not in out and "pg/two" in out


def test_no_l4d_is_a_line(typed: Typed, l4d: FakeAdmin) -> None:
    del l4d.answers["GET", "upstreams"]
    assert typed("top") == (1, "", "l4d: nothing at upstreams\n")


@pytest.mark.parametrize("word", ["0", "soon", "nan", "1e9", "-1"])
def test_a_wrong_interval_is_wrong_usage(word: str, typed: Typed) -> None:
    status, out, err = typed("top", f"--interval={word}")
    assert (status, out) == (2, "")
    assert err == f"l4d: --interval {word}: seconds are wanted, 0.1 to 3600\n"
