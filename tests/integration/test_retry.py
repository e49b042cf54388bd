"""A server that cannot be reached costs the client nothing while another one can."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from l4d.address import Inet
from tests.kit import Echo, Server, Start, ask, wait_until
from tests.kit.accepting import Accepting
from tests.kit.awkward import DeadServer, FullServer


def test_a_dead_server_is_passed_over(start: Start) -> None:
    with Echo("one") as one, DeadServer() as dead, DeadServer() as dead_too:
        daemon = start(f"""
            [listeners.web]
            bind = "127.0.0.1:0"
            upstream = "web"

            [upstreams.web]
            servers = ["{dead.address}", "{one.address}", "{dead_too.address}"]
        """)
        assert [ask(daemon.address()) for _ in range(20)] == ["one"] * 20
        daemon.wait_log("connection refused")


def test_a_backup_serves_only_while_no_ordinary_server_can(start: Start) -> None:
    with Echo("spare") as spare:
        ordinary = Echo("ordinary")
        daemon = start(f"""
            [listeners.web]
            bind = "127.0.0.1:0"
            upstream = "web"

            [upstreams.web]
            servers = [{{ address = "{spare.address}", backup = true }}, "{ordinary.address}"]
            fail_timeout = "300ms"
        """)
        assert {ask(daemon.address()) for _ in range(10)} == {"ordinary"}
        ordinary.close()
        assert {ask(daemon.address()) for _ in range(10)} == {"spare"}
        with Echo("returned", ordinary.address):
            wait_until("the ordinary server serves again", lambda: ask(daemon.address()) == "returned")


def test_a_server_is_out_after_max_fails_in_all_workers_together(start: Start) -> None:
    with Echo("one") as one, DeadServer() as dead:
        daemon = start(f"""
            [log]
            level = "debug"

            [listeners.web]
            bind = "127.0.0.1:0"
            upstream = "web"

            [upstreams.web]
            servers = [{{ address = "{dead.address}", name = "dead" }}, "{one.address}"]
            max_fails = 5
            fail_timeout = "1m"
        """)
        for _ in range(60):
            assert ask(daemon.address()) == "one"
        daemon.wait_log("end=--", times=60)
        log = daemon.log()
    assert log.count("tries=2") == 5, "five dials fail, whichever worker makes them"
    assert log.count("tries=1") == 55
    assert log.count("server web/dead is out for 60 s") == 1
    assert "worker 0 generation 1: session" in log
    assert "worker 1 generation 1: session" in log


def test_with_max_fails_0_a_server_is_never_out(start: Start) -> None:
    with Echo("one") as one, DeadServer() as dead:
        daemon = start(f"""
            [main]
            workers = 1

            [log]
            level = "debug"

            [listeners.web]
            bind = "127.0.0.1:0"
            upstream = "web"

            [upstreams.web]
            servers = ["{dead.address}", "{one.address}"]
            max_fails = 0
        """)
        for _ in range(20):
            assert ask(daemon.address()) == "one"
        daemon.wait_log("end=--", times=20)
        assert daemon.log().count("tries=2") == 10
        assert "is out" not in daemon.log()


def test_a_server_gets_sessions_again_after_fail_timeout(start: Start) -> None:
    with Echo("one") as one:
        dead = DeadServer()
        daemon = start(f"""
            [listeners.web]
            bind = "127.0.0.1:0"
            upstream = "web"

            [upstreams.web]
            servers = [{{ address = "{dead.address}", name = "two" }}, "{one.address}"]
            max_fails = 1
            fail_timeout = "1s"
        """)
        wait_until("two is out", lambda: ask(daemon.address()) == "one" and "web/two is out for 1 s" in daemon.log())
        dead.close()
        with Echo("two", dead.address):
            assert {ask(daemon.address()) for _ in range(20)} == {"one"}
            wait_until("two is in again", lambda: ask(daemon.address()) == "two")
            wait_until("both take turns", lambda: {ask(daemon.address()) for _ in range(4)} == {"one", "two"})


def test_a_server_that_still_fails_after_fail_timeout_is_out_again_at_once(start: Start) -> None:
    with Echo("one") as one, DeadServer() as dead:
        daemon = start(f"""
            [main]
            workers = 1

            [log]
            level = "debug"

            [listeners.web]
            bind = "127.0.0.1:0"
            upstream = "web"

            [upstreams.web]
            servers = [{{ address = "{dead.address}", name = "two" }}, "{one.address}"]
            max_fails = 3
            fail_timeout = "500ms"
        """)

        def is_out_twice() -> bool:
            assert ask(daemon.address()) == "one"
            return "web/two is out for 0.5 s" in daemon.log() and "web/two stays out for 0.5 s" in daemon.log()

        wait_until("two is out twice", is_out_twice)
        assert daemon.log().count("tries=2") <= 4, "three to find out, one to see whether it is back"


def test_the_last_server_is_tried_even_while_it_is_out(start: Start) -> None:
    dead = DeadServer()
    daemon = start(f"""
        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [upstreams.web]
        servers = ["{dead.address}"]
        max_fails = 1
        fail_timeout = "1m"
    """)
    with daemon.client() as client:
        assert client.read_all() == b""
    daemon.wait_log("is out for 60 s")
    dead.close()
    with Echo("one", dead.address):
        assert ask(daemon.address()) == "one"


def test_no_more_servers_are_tried_than_tries_says(start: Start) -> None:
    with DeadServer() as one, DeadServer() as two, DeadServer() as three:
        daemon = start(f"""
            [log]
            level = "debug"

            [listeners.web]
            bind = "127.0.0.1:0"
            upstream = "web"

            [upstreams.web]
            servers = ["{one.address}", "{two.address}", "{three.address}"]
            tries = 2
        """)
        with daemon.client() as client:
            assert client.read_all() == b""
        daemon.wait_log("tries=2 end=SC no server accepted")


def test_a_server_that_does_not_answer_is_left_after_connect_timeout(start: Start) -> None:
    with Echo("one") as one, FullServer() as silent:
        daemon = start(f"""
            [main]
            workers = 1

            [log]
            level = "debug"

            [listeners.web]
            bind = "127.0.0.1:0"
            upstream = "web"

            [upstreams.web]
            servers = ["{silent.address}", "{one.address}"]
            connect_timeout = "200ms"
        """)
        assert ask(daemon.address()) == "one"
        daemon.wait_log(f"dialling {silent.address} (upstreams.web/{silent.address}): connection timed out")
        daemon.wait_log("tries=2 end=--")


def test_when_no_server_answers_the_session_ends_with_connect_timeout(start: Start) -> None:
    with FullServer() as silent:
        daemon = start(f"""
            [log]
            level = "debug"

            [listeners.web]
            bind = "127.0.0.1:0"
            upstream = "web"

            [upstreams.web]
            servers = ["{silent.address}"]
            connect_timeout = "200ms"
        """)
        with daemon.client() as client:
            assert client.read_all() == b""
        daemon.wait_log("tries=1 end=sC connect timeout")


def test_no_further_server_is_tried_after_tries_timeout(start: Start) -> None:
    with FullServer() as one, FullServer() as two, Echo("three") as three:
        daemon = start(f"""
            [log]
            level = "debug"

            [listeners.web]
            bind = "127.0.0.1:0"
            upstream = "web"

            [upstreams.web]
            servers = ["{one.address}", "{two.address}", {{ address = "{three.address}", backup = true }}]
            connect_timeout = "300ms"
            tries_timeout = "500ms"
        """)
        with daemon.client() as client:
            assert client.read_all() == b""
        daemon.wait_log("tries=2 end=sC connect timeout")


def test_a_server_that_closes_early_without_a_byte_is_passed_over(start: Start, server: Server) -> None:
    with Echo("one") as one:
        daemon = start(f"""
            [main]
            workers = 1

            [listeners.web]
            bind = "127.0.0.1:0"
            upstream = "web"

            [upstreams.web]
            servers = ["{server.address}", "{one.address}"]
            early_close = "10s"
        """)
        with daemon.client() as client:
            server.accept().close()
            wait_until("the other server is dialled", lambda: one.served)
            assert client.send(b"anybody?\n").read_line() == b"one anybody?\n"
        daemon.wait_log(f"dialling {server.address} (upstreams.web/{server.address}): closed without a byte")


def test_a_server_that_resets_early_is_passed_over_too(start: Start, server: Server) -> None:
    with Echo("one") as one:
        daemon = start(f"""
            [main]
            workers = 1

            [listeners.web]
            bind = "127.0.0.1:0"
            upstream = "web"

            [upstreams.web]
            servers = ["{server.address}", "{one.address}"]
            early_close = "10s"
        """)
        with daemon.client() as client:
            server.accept().reset()
            wait_until("the other server is dialled", lambda: one.served)
            assert client.send(b"anybody?\n").read_line() == b"one anybody?\n"


def test_what_one_server_has_read_is_never_sent_to_another(start: Start, server: Server) -> None:
    with Echo("one") as one:
        daemon = start(f"""
            [main]
            workers = 1

            [listeners.web]
            bind = "127.0.0.1:0"
            upstream = "web"

            [upstreams.web]
            servers = ["{server.address}", "{one.address}"]
            early_close = "10s"
        """)
        with daemon.client() as client, server.accept() as peer:
            client.send(b"pay 10 euros\n")
            assert peer.read_line() == b"pay 10 euros\n"
            peer.close()
            assert client.read_all() == b""
        assert one.served == 0
        daemon.wait_log("closed without a byte")


def test_a_server_that_closes_early_after_a_byte_has_served(start: Start, server: Server) -> None:
    with Echo("one") as one:
        daemon = start(f"""
            [main]
            workers = 1

            [listeners.web]
            bind = "127.0.0.1:0"
            upstream = "web"

            [upstreams.web]
            servers = ["{server.address}", "{one.address}"]
            early_close = "10s"
        """)
        with daemon.client() as client:
            server.accept().send(b"!").close()
            assert client.read_all() == b"!"
        assert one.served == 0


def test_a_server_that_closes_early_again_and_again_is_out(start: Start) -> None:
    with Echo("one") as one, Accepting() as sick:
        daemon = start(f"""
            [log]
            level = "debug"

            [listeners.web]
            bind = "127.0.0.1:0"
            upstream = "web"

            [upstreams.web]
            servers = [{{ address = "{sick.address}", name = "sick" }}, "{one.address}"]
            early_close = "10s"
            max_fails = 3
            fail_timeout = "1m"
        """)
        for number in range(1, 31):
            with daemon.client() as client:
                wait_until("the well server is dialled", partial(has_served, one, number))
                assert client.send(b"anybody?\n").read_line() == b"one anybody?\n"
        daemon.wait_log("end=--", times=30)
        daemon.wait_log("server web/sick is out for 60 s: 3 failed dials, the last: closed without a byte")
        assert daemon.log().count("tries=2") == 3


def has_served(server: Echo, times: int) -> bool:
    return server.served >= times


def test_a_dead_server_among_three_costs_no_client_of_a_crowd_more_than_a_moment(start: Start) -> None:
    workers, max_fails = 4, 3
    with Echo("one") as one, Echo("two") as two, DeadServer() as dead:
        daemon = start(f"""
            [main]
            workers = {workers}

            [log]
            level = "debug"

            [listeners.web]
            bind = "127.0.0.1:0"
            upstream = "web"

            [upstreams.web]
            servers = ["{one.address}", {{ address = "{dead.address}", name = "dead" }}, "{two.address}"]
            max_fails = {max_fails}
            fail_timeout = "1m"
        """)
        address = daemon.address()
        with ThreadPoolExecutor(8) as crowd:
            answers = list(crowd.map(lambda _number: ask(address), range(240)))
        assert Counter(answers) == {"one": answers.count("one"), "two": 240 - answers.count("one")}
        daemon.wait_log("end=--", times=240)
        log = daemon.log()
    # While the dial that puts it out is told, each other worker may be amid a dial of its own.
    assert max_fails <= log.count("tries=2") <= max_fails + workers - 1
    assert "tries=3" not in log


def test_servers_are_dialled_from_the_source_address(start: Start, server: Server) -> None:
    daemon = start(f"""
        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [upstreams.web]
        servers = ["{server.address}"]
        source = "127.0.0.9"
    """)
    with daemon.client(), server.accept() as peer:
        assert isinstance(peer.remote, Inet)
        assert peer.remote.host == "127.0.0.9"


def test_no_server_is_blamed_for_an_address_that_we_lack(start: Start, server: Server) -> None:
    daemon = start(f"""
        [log]
        level = "debug"

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [upstreams.web]
        servers = ["{server.address}"]
        source = "192.0.2.1"
        max_fails = 1
    """)
    for _ in range(5):
        with daemon.client() as client:
            assert client.read_all() == b""
    daemon.wait_log("end=RC out of descriptors, ports or memory", times=5)
    daemon.wait_log(f"dialling {server.address}: cannot assign requested address")
    assert "is out" not in daemon.log()
