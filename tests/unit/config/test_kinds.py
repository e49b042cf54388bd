"""What a table of keys is made of."""

from l4d.config.kinds import Key, One, section
from l4d.terms import Protocol


def test_the_default_may_be_another_for_udp() -> None:
    key = Key("idle", One(str), "10m", "why", udp_default="60s")
    assert [key.default_for(protocol) for protocol in Protocol] == ["10m", "60s"]
    assert Key("bind", One(str), "x", "why").default_for(Protocol.UDP) == "x"


def test_a_key_fits_every_listener_or_those_it_is_for() -> None:
    assert all(Key("bind", One(str), None, "why").fits(protocol) for protocol in Protocol)
    only_udp = Key("responses", One(str), 0, "why", only=(Protocol.UDP,))
    assert [only_udp.fits(protocol) for protocol in Protocol] == [False, True]
    both = Key("bind", One(str), None, "why", only=(Protocol.TCP, Protocol.UDP))
    assert all(both.fits(protocol) for protocol in Protocol)


def test_a_key_without_default_must_be_given_unless_it_is_derived() -> None:
    assert Key("bind", One(str), None, "why").required
    assert not Key("name", One(str), None, "why", optional=True).required
    assert not Key("user", One(str), "", "why").required


def test_a_section_keeps_the_order_of_its_keys() -> None:
    keys = section("[x]", Key("b", One(str), 1, "why"), Key("a", One(str), 1, "why"), later="c d")
    assert list(keys.keys) == ["b", "a"]
    assert keys.later == {"c", "d"}
    assert One(str).write("as it is") == "as it is"
