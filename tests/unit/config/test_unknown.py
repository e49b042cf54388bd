"""What is said about a key that does not exist."""

import pytest

from l4d.config.checks import CHECK
from l4d.config.kinds import Section
from l4d.config.schema import LISTENER, MAIN, RESOLVER, SERVER, TOP, UPSTREAM
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
        ("handover", TOP, "no such key here; 'handover' belongs to [main]"),
        ("admins", TOP, "no such key; did you mean 'admin'?"),
        ("allow", LISTENER, "not available in this version"),
        ("send_proxy", UPSTREAM, "not available in this version"),
        ("srv", UPSTREAM, "no such key here; 'srv' belongs to servers"),
        ("timeout", UPSTREAM, "no such key here; 'timeout' belongs to [resolver] or [upstreams.*.check]"),
        ("fall", UPSTREAM, "no such key here; 'fall' belongs to [upstreams.*.check]"),
        ("port", SERVER, "no such key here; 'port' belongs to [upstreams.*.check]"),
        ("intervall", CHECK, "no such key; did you mean 'interval'?"),
        ("nameserver", RESOLVER, "no such key; did you mean 'nameservers'?"),
        ("resolvers", TOP, "no such key; did you mean 'resolver'?"),
    ],
)
def test_an_unknown_key_gets_a_way_out(name: str, section: Section, said: str) -> None:
    assert unknown(name, section) == said
