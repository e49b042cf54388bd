"""Who is chosen, over all workers together: with real sessions through real processes."""

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

from tests.kit import Client, Daemon, Echo, Start, ask, wait_until
from tests.kit.awkward import FullServer
from tests.kit.programs import port_of


@contextmanager
def echoes(*names: str) -> Iterator[list[Echo]]:
    with ExitStack() as stack:
        yield [stack.enter_context(Echo(name)) for name in names]


def config(servers: Sequence[Echo], rules: str, each: str = "") -> str:
    entries = ", ".join(f'{{ address = "{one.address}"{each} }}' for one in servers)
    return f"""
        [main]
        workers = 4

        [log]
        level = "debug"

        [listeners.web]
        bind = "127.0.0.1:0"
        upstream = "web"

        [upstreams.web]
        servers = [{entries}]
        {rules}
    """


def begin(daemon: Daemon) -> tuple[Client, str]:
    """A session that stays, and who serves it."""
    client = daemon.client()
    return client, client.send(b"?\n").read_line().decode().split()[0]


def test_least_conn_evens_out_over_all_workers(start: Start) -> None:
    with echoes("a", "b", "c", "d") as servers, ExitStack() as open_ones:
        daemon = start(config(servers, 'balance = "least_conn"'))
        counts: Counter[str] = Counter()
        for _ in range(40):
            client, name = begin(daemon)
            open_ones.enter_context(client)
            counts[name] += 1
        assert counts == {"a": 10, "b": 10, "c": 10, "d": 10}, "one after the other, each worker knows of all"


def test_least_conn_gives_new_sessions_to_whoever_lost_some(start: Start) -> None:
    with echoes("a", "b") as servers, ExitStack() as open_ones:
        daemon = start(config(servers, 'balance = "least_conn"'))
        sessions = [begin(daemon) for _ in range(20)]
        for client, name in sessions:
            if name == "a":
                client.close()
            else:
                open_ones.enter_context(client)
        daemon.wait_log("end=--", times=10)
        names = []
        for _ in range(10):
            client, name = begin(daemon)
            open_ones.enter_context(client)
            names.append(name)
        assert names == ["a"] * 10


def test_first_fills_one_server_before_the_next(start: Start) -> None:
    with echoes("a", "b", "c") as servers, ExitStack() as open_ones:
        daemon = start(config(servers, 'balance = "first"', ", max_sessions = 5"))
        names = []
        for _ in range(15):
            client, name = begin(daemon)
            open_ones.enter_context(client)
            names.append(name)
        assert names == ["a"] * 5 + ["b"] * 5 + ["c"] * 5


def test_a_client_comes_to_the_same_server_from_every_worker_of_every_l4d(start: Start) -> None:
    with echoes("a", "b", "c", "d", "e") as servers:
        rules = 'balance = "hash"\nhash_key = "client"'
        one = start(config(servers, rules))
        other = start(config(list(reversed(servers)), rules).replace("workers = 4", "workers = 1"))
        chosen = {ask(daemon.address()) for daemon in (one, other) for _ in range(20)}
        assert len(chosen) == 1, "one address is one client"


def test_clients_are_spread_by_hash_and_come_back_to_where_they_were(start: Start) -> None:
    with echoes("a", "b", "c", "d", "e") as servers:
        daemon = start(config(servers, 'balance = "hash"\nhash_key = "client"'))
        sources = [f"127.0.1.{number}" for number in range(1, 61)]
        first = {source: ask_from(daemon, source) for source in sources}
        assert len(set(first.values())) == 5
        assert {source: ask_from(daemon, source) for source in sources} == first


def ask_from(daemon: Daemon, source: str) -> str:
    with Client(daemon.address(), source=source) as client:
        return client.send(b"?\n").read_line().decode().split()[0]


def test_a_server_never_has_more_than_its_max_sessions(start: Start) -> None:
    with echoes("a", "b") as servers, ExitStack() as open_ones:
        daemon = start(config(servers, "", ", max_sessions = 7"))
        counts: Counter[str] = Counter()
        for _ in range(14):
            client, name = begin(daemon)
            open_ones.enter_context(client)
            counts[name] += 1
        assert counts == {"a": 7, "b": 7}
        for _ in range(5):
            with daemon.client() as client:
                assert client.read_all() == b""
        daemon.wait_log("end=PL refused by a limit", times=5)
        open_ones.pop_all().close()
        wait_until("there is room again", lambda: is_served(daemon))


def is_served(daemon: Daemon) -> bool:
    with daemon.client() as client:
        try:
            return client.send(b"?\n").read_line() != b""
        except (AssertionError, ConnectionError):  # closed, before or after it had said something
            return False


def test_who_finds_every_server_full_waits_for_one(start: Start) -> None:
    with echoes("a") as servers:
        daemon = start(config(servers, "queue = 3", ", max_sessions = 1"))
        holder, _name = begin(daemon)
        waiting = [daemon.client().send(b"?\n") for _ in range(3)]
        assert all(worker_of(daemon, client) for client in waiting), "each is taken before the fourth"
        with holder, daemon.client() as refused:
            assert refused.read_all() == b"", "the queue has no room for a fourth"
        for _ in range(3):  # whoever is served leaves, and makes room for the next
            [served, *_] = wait_until("one is served", lambda: [client for client in waiting if client.waiting()])
            assert served.read_line() == b"a ?\n"
            served.close()
            waiting.remove(served)
        daemon.wait_log("end=--", times=4)


def test_room_made_in_one_worker_is_taken_by_who_waits_in_another(start: Start) -> None:
    with echoes("a") as servers:
        daemon = start(config(servers, "queue = 100", ", max_sessions = 1").replace("workers = 4", "workers = 2"))
        took = []
        for _ in range(7):
            holder, _name = begin(daemon)
            where = worker_of(daemon, holder)
            with holder, elsewhere(daemon, where) as waiting:
                waiting.send(b"?\n")
                before = time.monotonic()
                holder.close()
                assert waiting.read_line() == b"a ?\n"
                took.append(time.monotonic() - before)
        assert sorted(took)[3] < 0.05, "it is told at once; workers look by themselves twice a second"


def elsewhere(daemon: Daemon, worker: int) -> Client:
    """A client that another worker than this one has."""
    while True:
        client = daemon.client()
        if worker_of(daemon, client) != worker:
            return client
        client.reset()


def worker_of(daemon: Daemon, client: Client) -> int:
    """The pid of the worker that has accepted the client: the one that holds a socket with its port for a peer."""
    found = partial(_holder, daemon, port_of(client.local), port_of(client.remote))
    return wait_until("a worker has accepted it", found)


def _holder(daemon: Daemon, client: int, listener: int) -> int:
    ends = [f":{listener:04X}", f":{client:04X}"]
    rows = [line.split() for line in Path("/proc/net/tcp").read_text("utf-8").splitlines()[1:]]
    names = {f"socket:[{row[9]}]" for row in rows if [row[1][-5:], row[2][-5:]] == ends}
    for pid in daemon.workers():
        for fd in Path(f"/proc/{pid}/fd").iterdir():
            with suppress(FileNotFoundError):
                if str(fd.readlink()) in names:
                    return pid
    return 0


def test_the_queue_has_an_end(start: Start) -> None:
    with echoes("a") as servers:
        daemon = start(config(servers, 'queue = 3\nqueue_timeout = "300ms"', ", max_sessions = 1"))
        holder, _name = begin(daemon)
        with holder, daemon.client() as waiting:
            assert waiting.read_all() == b""
            daemon.wait_log("end=sQ queue timeout")
            leaving = daemon.client()
            leaving.reset()
            daemon.wait_log("end=CQ client left while queued")
            assert holder.send(b"!\n").read_line() == b"a !\n"


def test_the_server_that_answers_sooner_is_preferred_by_least_time(start: Start) -> None:
    with echoes("a", "b") as servers:
        daemon = start(config(servers, 'balance = "least_time"'))
        counts = Counter(ask(daemon.address()) for _ in range(100))
        assert set(counts) == {"a", "b"}, "both are near; neither is forgotten"


def test_a_server_that_takes_its_time_to_answer_is_seldom_chosen_by_least_time(start: Start) -> None:
    """It does not answer at all, which counts as connect_timeout."""
    with echoes("near") as [near], FullServer() as far:
        daemon = start(f"""
            [main]
            workers = 2

            [log]
            level = "debug"

            [listeners.web]
            bind = "127.0.0.1:0"
            upstream = "web"

            [upstreams.web]
            servers = ["{near.address}", "{far.address}"]
            balance = "least_time"
            connect_timeout = "200ms"
            max_fails = 0
        """)
        assert [ask(daemon.address()) for _ in range(60)] == ["near"] * 60
        daemon.wait_log("end=--", times=60)
        assert daemon.log().count("tries=2") <= 4, "each worker measures it once; half of all would be 30"


def test_weights_hold_over_all_workers(start: Start) -> None:
    with echoes("a", "b") as (a, b):
        daemon = start(f"""
            [main]
            workers = 2

            [listeners.web]
            bind = "127.0.0.1:0"
            upstream = "web"

            [upstreams.web]
            servers = [{{ address = "{a.address}", weight = 3 }}, "{b.address}"]
            balance = "least_conn"
        """)
        with ExitStack() as open_ones:
            names: Counter[str] = Counter()
            for _ in range(40):
                client, name = begin(daemon)
                open_ones.enter_context(client)
                names[name] += 1
        assert names == {"a": 30, "b": 10}


def test_the_queues_of_two_listeners_move_side_by_side(start: Start) -> None:
    with echoes("a") as [server]:
        daemon = start(f"""
            [main]
            workers = 1

            [listeners.one]
            bind = "127.0.0.1:0"
            upstream = "web"

            [listeners.two]
            bind = "127.0.0.1:0"
            upstream = "web"

            [upstreams.web]
            servers = [{{ address = "{server.address}", max_sessions = 1 }}]
            queue = 100
        """)
        served: Counter[str] = Counter()
        stop = threading.Event()

        def keep_asking(listener: str) -> None:
            while not stop.is_set():
                ask(daemon.address(listener))
                served[listener] += 1

        with ThreadPoolExecutor(12) as pool:
            asking = [pool.submit(keep_asking, listener) for listener in ("one", "two") for _ in range(6)]
            try:
                wait_until("both have been served often", lambda: min(served["one"], served["two"]) > 50, 30)
            finally:
                stop.set()
            for each in asking:
                each.result()
        assert 1 / 3 < served["one"] / served["two"] < 3
