"""Whether the parts of a configuration fit together."""

from l4d.config.check import check
from l4d.config.draft import read_draft
from tests.unit.config.helpers import document, problems_of


def problems(text: str) -> list[str]:
    written = document(text)
    check(read_draft(written), written.problems)
    return [message.removeprefix("a.toml:") for message in problems_of(written.problems)]


def served(servers: str, *listeners: str, more: str = "") -> list[str]:
    """The problems of upstream "u" with *servers*, and listeners that use it, each given by what is in it."""
    tables = "\n".join(f'[listeners.l{index}]\nupstream = "u"\n{keys}' for index, keys in enumerate(listeners))
    return [
        message[message.index(" ") + 1 :]
        for message in problems(f"[upstreams.u]\nservers = {servers}\n{more}\n{tables}")
    ]


ONE_PORT = 'bind = "1.2.3.4:80"'
RANGE = 'bind = "1.2.3.4:80-81"'


def test_a_group_needs_a_user() -> None:
    assert problems("[main]\ngroup = 'a'") == ["2: main.group: has no effect without 'user'"]
    assert problems("[main]\ngroup = 'a'\nuser = 'b'") == []


def test_the_upstream_of_a_listener_exists() -> None:
    text = '[listeners.a]\nbind = "1.2.3.4:80"\nupstream = "wbe"\n[upstreams.web]\nservers = "1.2.3.4:5"'
    assert problems(text) == ["3: listeners.a.upstream: there is no upstream 'wbe'; did you mean 'web'?"]


def test_an_address_is_bound_once() -> None:
    two = ('bind = ["1.2.3.4:1", "*:80"]', 'bind = ["0.0.0.0:80", "[::1]:80"]')
    assert served('"1.2.3.4:5"', *two) == [
        "listeners.l1.bind[0]: 0.0.0.0:80 (tcp) is bound twice; first by listeners.l0.bind[1] at a.toml:6",
    ]


def test_an_address_is_bound_once_in_one_listener_too() -> None:
    assert served('"1.2.3.4:5"', 'bind = ["unix:/a", "unix:/a"]') == [
        "listeners.l0.bind[1]: unix:/a (tcp) is bound twice; first by listeners.l0.bind[0] at a.toml:6",
    ]


def test_ranges_that_overlap_are_one_problem_and_not_one_a_port() -> None:
    two = ('bind = "1.2.3.4:1000-2000"', 'bind = "1.2.3.4:1500-2500"')
    assert served('"1.2.3.4:5"', *two) == [
        "listeners.l1.bind[0]: 1.2.3.4:1500 (tcp) is bound twice; first by listeners.l0.bind[0] at a.toml:6",
    ]


def test_tcp_and_udp_and_any_free_port_do_not_clash() -> None:
    udp = 'protocol = "udp"\n'
    assert served('"1.2.3.4:5"', ONE_PORT, udp + ONE_PORT) == []
    assert served('"1.2.3.4:5"', 'bind = "1.2.3.4:0"', 'bind = "1.2.3.4:0"') == []


def test_nothing_clashes_with_a_listener_of_unknown_protocol() -> None:
    assert served('"1.2.3.4:5"', ONE_PORT, 'protocol = "upd"\n' + ONE_PORT) == [
        "listeners.l1.protocol: must be tcp or udp, not 'upd'",
    ]


def test_unix_sockets_are_for_tcp() -> None:
    assert served('"1.2.3.4:5"', 'protocol = "udp"\nbind = "unix:/a"') == [
        "listeners.l0.bind[0]: 'unix:/a': a unix socket is for tcp listeners",
    ]
    assert served('"unix:/b"', ONE_PORT, 'protocol = "udp"\n' + ONE_PORT) == [
        "upstreams.u.servers[0]: 'unix:/b': a unix socket is for tcp, and listener 'l1' is udp",
    ]


def test_servers_have_names_of_their_own() -> None:
    assert served('["1.2.3.4:5", "1.2.3.4:6", { address = "1.2.3.4:7", name = "1.2.3.4:5" }]') == [
        "upstreams.u.servers[2]: '1.2.3.4:5' is the name of servers[0] already; give it a 'name'",
    ]


def test_a_server_is_dialled_from_an_address_of_its_family() -> None:
    assert served('["1.2.3.4:5", "[::1]:5", "unix:/a"]', more='source = "1.2.3.4"') == [
        "upstreams.u.source: '1.2.3.4' is IPv4, servers[1] is IPv6",
    ]
    assert served('["1.2.3.4:5", "[::1]:5"]', more='source = "::1"') == [
        "upstreams.u.source: '::1' is IPv6, servers[0] is IPv4",
    ]


def test_a_server_without_a_port_takes_that_of_the_client() -> None:
    assert served('"1.2.3.4"', RANGE) == []
    assert served('"1.2.3.4"', 'bind = ["1.2.3.4:80", "1.2.3.4:90"]') == []
    assert served('"1.2.3.4"', 'bind = "1.2.3.4:0"') == []


def test_a_server_without_a_port_needs_several_to_choose_from() -> None:
    said = "upstreams.u.servers[0]: '1.2.3.4' has no port; write it as"
    assert served('"1.2.3.4"', ONE_PORT, RANGE.replace("1.2.3.4", "::1").replace("::1:", "[::1]:")) == [
        f"{said} '1.2.3.4:80'"
    ]
    assert served('"1.2.3.4"') == [f"{said} '1.2.3.4:PORT'"]
    assert served('"::1"') == ["upstreams.u.servers[0]: '[::1]' has no port; write it as '[::1]:PORT'"]


def test_a_unix_socket_has_no_port_to_take() -> None:
    (problem,) = served('"1.2.3.4"', 'bind = ["unix:/a", "1.2.3.4:1-2"]')
    assert "'1.2.3.4' has no port, and listener 'l0' has a unix socket, which has none to take" in problem
    assert problem.endswith("write it as '1.2.3.4:PORT'")


def test_ports_are_not_judged_by_what_is_wrong_itself() -> None:
    assert served('"1.2.3.4"', 'bind = ["1.2.3.4:80", "wrong"]') == [
        "listeners.l0.bind[1]: 'wrong' has no port; write it as 'wrong:PORT'",
    ]


def test_servers_may_all_be_in_maintenance() -> None:
    assert served('{ address = "1.2.3.4:5", state = "maint" }', ONE_PORT) == []
