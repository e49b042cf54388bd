"""Whether the parts of a configuration fit together."""

import pytest

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


def test_a_name_without_a_port_takes_that_of_the_client_too() -> None:
    assert served('"db.example"', RANGE) == []
    assert served('"db.example"', ONE_PORT) == [
        "upstreams.u.servers[0]: 'db.example' has no port; write it as 'db.example:80'",
    ]


def test_an_srv_record_has_ports_of_its_own() -> None:
    assert served('{ srv = "_a._tcp.example" }', ONE_PORT, more='check = "tcp"') == []


def test_what_a_name_stands_for_has_names_of_its_own_too() -> None:
    said = "is the name of servers[0] already; give it a 'name'"
    assert served('["db.example:5", "db.example:5", "db.example:5"]') == [
        f"upstreams.u.servers[1]: 'db.example:5' {said}",
        f"upstreams.u.servers[2]: 'db.example:5' {said}",
    ]
    assert served('["db.example:5", { address = "1.2.3.4:5", name = "db.example:5#64" }]') == [
        f"upstreams.u.servers[1]: 'db.example:5#64' {said}",
    ]
    assert served('[{ address = "1.2.3.4:5", name = "a#1" }, { srv = "_a._tcp.example", name = "a" }]') == [
        f"upstreams.u.servers[1]: 'a#1' {said}",
    ]
    assert served('["db.example:5", { address = "1.2.3.4:5", name = "db.example:5#65" }, "db.example:6"]') == []


def test_only_the_family_of_an_address_is_known() -> None:
    assert served('["db.example:5", { srv = "_a._tcp.example" }]', more='source = "1.2.3.4"') == []


def test_a_name_serves_udp_as_well() -> None:
    assert served('["db.example:5", { srv = "_a._udp.example" }]', 'protocol = "udp"\n' + ONE_PORT) == []


def test_names_are_kept_for_a_time_that_can_be() -> None:
    assert problems('resolver.min_ttl = "2m"\nresolver.max_ttl = "90s"') == [
        "1: resolver.min_ttl: is 2m, and 'max_ttl' is only 90s",
    ]
    assert problems('resolver.max_ttl = "500ms"') == ["1: resolver.min_ttl: is 1s, and 'max_ttl' is only 500ms"]
    assert problems('resolver.min_ttl = "1m"') == []


def test_a_time_is_not_judged_by_one_that_is_wrong_itself() -> None:
    (problem,) = problems('resolver.min_ttl = "2m"\nresolver.max_ttl = "x"')
    assert problem.startswith("2: resolver.max_ttl: must be a duration")


def test_a_check_needs_a_port_to_ask() -> None:
    for server in ("1.2.3.4", "db.example"):
        assert served(f'"{server}"', RANGE, more='check = "tcp"') == [
            f"upstreams.u.servers[0]: '{server}' has no port to check; give the check a 'port'",
        ]
        assert served(f'"{server}"', RANGE, more='check = { type = "tcp", port = 80 }') == []
        assert served(f'"{server}"', RANGE, more='check = { type = "exec", command = "true" }') == []


@pytest.mark.parametrize(
    ("check", "said"),
    [
        ('"tcp"', None),
        ('{ type = "http", path = "/x" }', None),
        ('{ type = "tls", verify = false }', None),
        ('{ type = "tls", server_name = "a.example" }', None),
        ('{ type = "exec", command = "true" }', None),
        ('{ type = "udp", send = "x" }', "cannot be asked by a check of type udp"),
        ('{ type = "dns", query = "a.example" }', "cannot be asked by a check of type dns"),
        ('{ type = "tcp", port = 80 }', "has no port 80 to check"),
        ('"tls"', "has no address a certificate could be for; give the check a 'server_name'"),
        (
            '{ type = "http", tls = true }',
            "has no address a certificate could be for; give the check a 'server_name'",
        ),
    ],
)
def test_a_unix_socket_cannot_be_asked_everything(check: str, said: str | None) -> None:
    problems = [f"upstreams.u.servers[0]: 'unix:/a': a unix socket {said}"] if said else []
    assert served('["unix:/a", "1.2.3.4:5"]', more=f"check = {check}") == problems


def test_a_shared_check_is_judged_where_it_is_used() -> None:
    text = '[defaults.upstreams]\ncheck = "tls"\n[upstreams.u]\nservers = "unix:/a"\n'
    (problem,) = problems(text)
    assert problem.startswith("4: upstreams.u.servers[0]: 'unix:/a': ")
    assert problems(text + 'check = "off"') == []


def test_servers_may_all_be_in_maintenance() -> None:
    assert served('{ address = "1.2.3.4:5", state = "maint" }', ONE_PORT) == []
