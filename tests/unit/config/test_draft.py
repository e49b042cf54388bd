"""What the document says, with every default filled in."""

import pytest

from l4d.address import Inet
from l4d.config.draft import Draft, read_draft
from l4d.terms import CheckType, HashKey, Protocol, Relay
from tests.unit.config.helpers import document, problems_of


def drafted(text: str) -> tuple[Draft, list[str]]:
    written = document(text)
    draft = read_draft(written)
    return draft, [message.removeprefix("a.toml:") for message in problems_of(written.problems)]


def test_an_empty_file_says_what_the_defaults_say() -> None:
    draft, problems = drafted("")
    assert problems == []
    assert draft.main["drain_timeout"] == 30
    assert draft.log["error"] == "stderr"
    assert draft.listeners == draft.upstreams == {}


def test_the_nearest_word_counts_own_then_defaults_table_then_default() -> None:
    draft, problems = drafted("""
        [defaults.listeners]
        backlog = 7
        relay = "copy"
        [defaults.upstreams]
        tries = 2
        [listeners.a]
        bind = "1.2.3.4:5"
        upstream = "u"
        relay = "splice"
        [upstreams.u]
        servers = "1.2.3.4:5"
    """)
    assert problems == []
    a = draft.listeners["a"]
    assert (a["relay"], a["backlog"], a["half_close_timeout"]) == (Relay.SPLICE, 7, 60)
    assert draft.upstreams["u"]["tries"] == 2


def test_a_udp_listener_has_its_own_defaults() -> None:
    draft, problems = drafted("""
        [listeners.t]
        bind = "1.2.3.4:5"
        upstream = "u"
        [listeners.u]
        bind = "1.2.3.4:5"
        upstream = "u"
        protocol = "udp"
    """)
    assert problems == []
    assert [draft.listeners[name]["idle_timeout"] for name in "tu"] == [600, 60]


def test_defaults_apply_silently_to_the_listeners_they_fit() -> None:
    draft, problems = drafted("""
        [defaults.listeners]
        protocol = "udp"
        half_close = false
        responses = 3
        upstream = "u"
        [listeners.u]
        bind = "1.2.3.4:5"
        [listeners.t]
        bind = "1.2.3.4:5"
        protocol = "tcp"
    """)
    assert problems == []
    assert draft.listeners["u"]["protocol"] is Protocol.UDP
    assert [draft.listeners[name]["responses"] for name in "ut"] == [3, -1]
    assert [draft.listeners[name]["half_close"] for name in "ut"] == [True, False]


def test_a_key_of_the_other_protocol_is_a_problem_in_the_listener_itself() -> None:
    _, problems = drafted("""
        [listeners.u]
        bind = "1.2.3.4:5"
        upstream = "u"
        protocol = "udp"
        half_close = true
        [listeners.t]
        bind = "1.2.3.4:5"
        upstream = "u"
        requests = 1
    """)
    assert problems == [
        "6: listeners.u.half_close: is for tcp listeners; this one is udp",
        "10: listeners.t.requests: is for udp listeners; this one is tcp",
    ]


def test_defaults_apply_silently_to_the_upstreams_whose_balance_they_fit() -> None:
    draft, problems = drafted("""
        [defaults.upstreams]
        balance = "hash"
        hash_key = "client_port"
        slow_start = "30s"
        [upstreams.h]
        servers = "1.2.3.4:5"
        [upstreams.f]
        servers = "1.2.3.4:5"
        balance = "first"
        [upstreams.r]
        servers = "1.2.3.4:5"
        balance = "round_robin"
    """)
    assert problems == []
    assert [draft.upstreams[name]["slow_start"] for name in "hfr"] == [0, 0, 30]
    assert [draft.upstreams[name]["hash_key"] for name in "hfr"] == [
        (HashKey.CLIENT_PORT,),
        (HashKey.CLIENT,),
        (HashKey.CLIENT,),
    ]


def test_a_key_for_another_balance_is_a_problem_in_the_upstream_itself() -> None:
    _, problems = drafted("""
        [upstreams.h]
        servers = "1.2.3.4:5"
        balance = "hash"
        slow_start = "30s"
        [upstreams.r]
        servers = "1.2.3.4:5"
        hash_key = "client"
    """)
    weighed = "round_robin, least_conn, random or least_time"
    assert problems == [
        f"5: upstreams.h.slow_start: is for upstreams balanced by {weighed}; this one is balanced by hash",
        "8: upstreams.r.hash_key: is for upstreams balanced by hash; this one is balanced by round_robin",
    ]


@pytest.mark.parametrize("place", ["upstreams.u", "defaults.upstreams"])
def test_a_wrong_balance_is_not_taken_for_round_robin(place: str) -> None:
    _, (problem,) = drafted(f"""
        {place}.balance = "hsah"
        upstreams.u.servers = "1.2.3.4:5"
        upstreams.u.hash_key = "client"
    """)
    assert problem.startswith(f"2: {place}.balance: must be ")


def test_the_check_of_an_upstream_replaces_the_shared_one_as_a_whole() -> None:
    draft, problems = drafted("""
        [defaults.upstreams]
        check = { type = "http", path = "/healthz", interval = "9s" }
        [upstreams.shared]
        servers = "1.2.3.4:5"
        [upstreams.own]
        servers = "1.2.3.4:5"
        [upstreams.own.check]
        type = "http"
        fall = 5
        [upstreams.off]
        servers = "1.2.3.4:5"
        check = "off"
    """)
    assert problems == []
    checks = {name: upstream["check"] for name, upstream in draft.upstreams.items()}
    assert (checks["shared"].path, checks["shared"].interval, checks["shared"].fall) == ("/healthz", 9, 3)
    assert (checks["own"].path, checks["own"].interval, checks["own"].fall) == ("/", 2, 5)
    assert checks["off"].type is CheckType.OFF


def test_the_resolver_has_a_table() -> None:
    draft, problems = drafted('[resolver]\nnameservers = ["9.9.9.9", "[::1]:5353"]\nmin_ttl = "5s"')
    assert problems == []
    assert list(draft.resolver["nameservers"].values()) == [Inet("9.9.9.9", 53), Inet("::1", 5353)]
    assert [draft.resolver[name] for name in ("timeout", "min_ttl", "max_ttl")] == [2, 5, 60]


@pytest.mark.parametrize("place", ["listeners.a", "defaults.listeners"])
def test_a_wrong_protocol_is_not_taken_for_tcp(place: str) -> None:
    _, problems = drafted(f"""
        {place}.protocol = "upd"
        listeners.a.bind = "1.2.3.4:5"
        listeners.a.upstream = "u"
        listeners.a.requests = 1
    """)
    assert problems == [f"2: {place}.protocol: must be tcp or udp, not 'upd'"]


def test_what_must_be_given_is_asked_for() -> None:
    _, problems = drafted("[listeners.a]\n[upstreams.u]")
    assert [problem.split(": ")[:3] for problem in problems] == [
        ["1", "listeners.a", "has no 'bind'"],
        ["1", "listeners.a", "has no 'upstream'"],
        ["2", "upstreams.u", "has no 'servers'"],
    ]


def test_tables_are_where_tables_belong() -> None:
    _, problems = drafted("""
        listeners = 1
        upstreams.x = 2
        main = 3
        lgo = 4
        [defaults]
        listener = {}
        upstreams = 5
        [resolver]
        nameservers = "x"
    """)
    assert problems == [
        "2: listeners: must be tables with a name, as in [listeners.NAME], not 1",
        "3: upstreams.x: must be a table, not 2",
        "4: main: must be a table, not 3",
        "5: lgo: no such key; did you mean 'log'?",
        "7: defaults.listener: no such table; did you mean 'listeners'?",
        "8: defaults.upstreams: must be a table, not 5",
        "10: resolver.nameservers: 'x': a nameserver is given by its IP address",
    ]


@pytest.mark.parametrize("name", ["", "a b", "ü", "a/b", "x" * 65])
def test_names_become_labels_and_are_plain(name: str) -> None:
    _, (problem,) = drafted(f'upstreams."{name}".servers = "1.2.3.4:5"')
    assert problem.endswith(": a name is made of 1 to 64 letters, digits, '_', '-' and '.'")
