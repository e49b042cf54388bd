"""What is said about a key that does not exist."""

import pytest

from l4d.config.kinds import Section
from l4d.config.schema import LISTENER, LOG, MAIN, SERVER, TOP, UPSTREAM
from l4d.config.unknown import unknown


@pytest.mark.parametrize(
    ("name", "section", "said"),
    [
        ("upstrem", LISTENER, "no such key; did you mean 'upstream'?"),
        ("xyz", LISTENER, "no such key"),
        ("connect_timeout", LISTENER, "no such key here; 'connect_timeout' belongs to [upstreams.*]"),
        ("bind", TOP, "no such key here; 'bind' belongs to [listeners.*]"),
        ("include", MAIN, "no such key here; 'include' belongs to the top of the file"),
        ("listener", TOP, "no such key; did you mean 'listeners'?"),
        ("handover", MAIN, "not available in this version"),
        ("handover", TOP, "not available in this version"),
        ("access", LOG, "not available in this version"),
        ("admin", TOP, "not available in this version"),
        ("allow", LISTENER, "not available in this version"),
        ("check", UPSTREAM, "not available in this version"),
        ("srv", SERVER, "not available in this version"),
    ],
)
def test_an_unknown_key_gets_a_way_out(name: str, section: Section, said: str) -> None:
    assert unknown(name, section) == said
