"""What the operator wishes of a server holds for all workers, and over reloads until the file says something else."""

from collections import Counter

from l4d.address import Address
from l4d.terms import ServerState
from tests.kit import Daemon, Echo, Start, ask, wait_until
from tests.kit.board import BoardOf
from tests.kit.rights import needs_root

pytestmark = needs_root


def config(one: Address, two: Address, of_two: str = "") -> str:
    return f"""
        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [upstreams.web]
        servers = [{{ address = "{one}", name = "one" }}, {{ address = "{two}", name = "two"{of_two} }}]
        check = {{ type = "tcp", interval = "100ms" }}
    """


def answers(daemon: Daemon, times: int = 16) -> Counter[str]:
    return Counter(ask(daemon.address("web")) for _ in range(times))


def wait_for(daemon: Daemon, *names: str) -> None:
    wait_until(f"{names} answer", lambda: set(answers(daemon)) == set(names))


def is_served(daemon: Daemon) -> bool:
    with daemon.client() as client:
        try:
            return client.send(b"?\n").read_line() != b""
        except (AssertionError, ConnectionError):
            return False


def test_a_drained_server_is_given_nothing_until_the_file_changes(start: Start) -> None:
    with Echo("one") as one, Echo("two") as two:
        daemon = start(config(one.address, two.address))
        wait_for(daemon, "one", "two")
        with BoardOf(daemon) as board:
            entry = board.config.upstreams["web"].servers[1]
            with daemon.client() as client:
                wait_until("two serves it", lambda: client.send(b"a\n").read_line())
                board.standing("web", "two").wish_state(ServerState.DRAIN, entry)
                board.ring()
                wait_for(daemon, "one")
                assert client.send(b"b\n").read_line().endswith(b"b\n"), "sessions finish"
            daemon.reload(config(one.address, two.address))
            wait_for(daemon, "one")
            daemon.reload(config(one.address, two.address, ", weight = 7"))
            wait_for(daemon, "one")
            daemon.reload(config(one.address, two.address, ', state = "maint"'))
            wait_for(daemon, "one")
            wait_until("the wish is over", lambda: board.standing("web", "two").wished_state(entry) is entry.state)
            daemon.reload(config(one.address, two.address))
            wait_for(daemon, "one", "two")


def test_a_wished_weight_holds_until_the_files_weight_changes(start: Start) -> None:
    with Echo("one") as one, Echo("two") as two:
        daemon = start(config(one.address, two.address))
        with BoardOf(daemon) as board:
            entry = board.config.upstreams["web"].servers[1]
            board.standing("web", "two").wish_weight(3, entry)
            board.ring()
            assert answers(daemon, 80)["two"] in range(58, 63)
            daemon.reload(config(one.address, two.address))
            assert answers(daemon, 80)["two"] in range(58, 63)
            daemon.reload(config(one.address, two.address, ", weight = 2"))
            wait_until("the file's weight holds", lambda: answers(daemon, 60)["two"] in range(38, 43))


def test_a_wished_bound_of_sessions_holds_at_once(start: Start) -> None:
    with Echo("one") as one, Echo("two") as two:
        daemon = start(config(one.address, two.address))
        with BoardOf(daemon) as board:
            for server in board.config.upstreams["web"].servers:
                board.standing("web", server.name).wish_sessions(1, server)
            board.ring()
            clients = [daemon.client() for _ in range(2)]
            names = {client.send(b"?\n").read_line().split()[0] for client in clients}
            assert names == {b"one", b"two"}
            with daemon.client() as refused:
                assert refused.read_all() == b""
            for client in clients:
                client.close()
            wait_until("there is room again", lambda: is_served(daemon))
