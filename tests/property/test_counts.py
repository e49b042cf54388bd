"""What workers count together, sessions of servers and waits in a queue, whatever becomes of sessions and workers."""

from collections.abc import Iterator, Sequence

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from l4d.session.session import Session
from l4d.stats import catalogue
from l4d.stats.standing import Standing
from l4d.terms import End
from l4d.upstream.pool import Pool
from l4d.upstream.server import Server
from tests.unit.making import Clock, OwnBoard, Row, member, upstream

SERVERS = {"one": 2, "two": 3, "three": 0}
"""Their max_sessions, as the file says."""

QUEUE = 3
CONFIG = upstream(max_fails=2, fail_timeout=10.0, queue=QUEUE)
CLIENT = ("10.9.9.9", 1)


class Worker:
    """A living worker: its sessions by how far they have come, and how many wait in its queue."""

    def __init__(self, row: Row, clock: Clock) -> None:
        self.row = row
        places = [row.place(CONFIG, name=name, max_sessions=most) for name, most in SERVERS.items()]
        self.service = row.service(clock.as_loop(), *places, upstream=CONFIG, max_sessions=1000)
        self.dialled: list[tuple[Session, Server]] = []
        self.served: list[tuple[Session, Server]] = []
        self.waiting = 0

    @property
    def pool(self) -> Pool:
        return self.service.pool


class CountsAgainstPlainLists(RuleBasedStateMachine):
    """The model is the lists of the sessions themselves: a server has as many as stand beside its name."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        self.first = Row(OwnBoard(rows=8, columns=512))
        self.most = dict(SERVERS)
        self.workers = [Worker(self.first, self.clock)]

    def worker(self, data: st.DataObject) -> Worker:
        return data.draw(st.sampled_from(self.workers))

    def sessions(self, name: str) -> int:
        return sum(server.name == name for worker in self.workers for _, server in (*worker.dialled, *worker.served))

    # Workers

    @precondition(lambda self: len(self.workers) < 4)
    @rule()
    def a_worker_is_born(self) -> None:
        self.workers.append(Worker(self.first.another(), self.clock))

    @precondition(lambda self: len(self.workers) > 1)
    @rule(data=st.data())
    def a_worker_dies_with_all_it_has(self, data: st.DataObject) -> None:
        worker = self.worker(data)
        self.workers.remove(worker)
        self.first.board.retire_row(worker.row.number, worker.row.columns.counters(), worker.row.columns.used)

    # Sessions

    @rule(data=st.data(), again=st.booleans())
    def a_session_is_given_a_server(self, data: st.DataObject, again: bool) -> None:
        """A new one, or one that was refused by a server before."""
        worker = self.worker(data)
        before = {name: self.sessions(name) for name in SERVERS}
        session = Session(worker.service, CLIENT, 80, 2)
        server = session.choose()
        if server is not None and again:
            self.refuse(session, server)
            before = {name: self.sessions(name) for name in SERVERS}
            first, server = server, session.choose()
            assert server is not first
        if server is None:
            session.over(End.NO_SERVER_UP)
            return
        most = self.most[server.name]
        assert not most or before[server.name] < most
        worker.dialled.append((session, server))

    def refuse(self, session: Session, server: Server) -> None:
        server.give_back()
        server.failed(self.clock.now)

    @rule(data=st.data(), early=st.booleans())
    def a_dial_is_answered(self, data: st.DataObject, early: bool) -> None:
        """And the server may close so early that another one is dialled; there is none here."""
        worker = self.worker(data)
        if not worker.dialled:
            return
        session, server = worker.dialled.pop()
        server.succeeded(self.clock.now)
        session.served_by(server)
        if early:
            session.no_longer_served()
            server.failed(self.clock.now)
            session.over(End.NO_SERVER_ACCEPTED)
        else:
            worker.served.append((session, server))

    @rule(data=st.data(), refused=st.booleans())
    def a_dial_fails_or_is_given_up(self, data: st.DataObject, refused: bool) -> None:
        worker = self.worker(data)
        if not worker.dialled:
            return
        session, server = worker.dialled.pop(0)
        if refused:
            self.refuse(session, server)
        else:
            server.given_up()
            server.give_back()
        session.over(End.NO_SERVER_ACCEPTED)

    @rule(data=st.data())
    def a_session_is_over(self, data: st.DataObject) -> None:
        worker = self.worker(data)
        if worker.served:
            worker.served.pop(0)[0].over(End.FINISHED)

    # The queue

    @rule(data=st.data())
    def a_session_wants_to_wait(self, data: st.DataObject) -> None:
        worker = self.worker(data)
        room = sum(each.waiting for each in self.workers) < QUEUE
        assert worker.pool.enter_queue(QUEUE) is room
        worker.waiting += room

    @rule(data=st.data())
    def a_wait_is_over(self, data: st.DataObject) -> None:
        worker = self.worker(data)
        if worker.waiting:
            worker.pool.leave_queue()
            worker.waiting -= 1

    # What else happens

    @rule(seconds=st.sampled_from([0.0, 0.001, 5.0, 10.0, 25.0]))
    def time_passes(self, seconds: float) -> None:
        self.clock.now += seconds

    @rule(name=st.sampled_from(sorted(SERVERS)), most=st.integers(0, 4))
    def the_operator_sets_a_bound(self, name: str, most: int) -> None:
        """One that is less than what a server has keeps new sessions away, and ends none."""
        entry = member(name=name, max_sessions=SERVERS[name])
        Standing(self.first.said, self.first.columns, "db", name).wish_sessions(most, entry)
        self.first.board.ring()
        self.most[name] = most

    @invariant()
    def the_sum_over_the_rows_is_that_of_the_model(self) -> None:
        counted = {labels[1]: self.total(column) for labels, column in self.each(catalogue.SERVER_SESSIONS)}
        assert counted == {name: self.sessions(name) for name in SERVERS}

    @invariant()
    def those_who_wait_are_those_of_the_model(self) -> None:
        waiting = sum(worker.waiting for worker in self.workers)
        assert [self.total(column) for _, column in self.each(catalogue.QUEUE_SESSIONS)] == [waiting]
        assert waiting <= QUEUE

    @invariant()
    def no_worker_thinks_that_more_dials_are_tried_than_it_makes(self) -> None:
        for worker in self.workers:
            for server in worker.pool.servers:
                assert 0 <= server.trying <= sum(one is server for _, one in worker.dialled)

    def each(self, metric: catalogue.Metric) -> Iterator[tuple[Sequence[str], int]]:
        return self.first.columns.each(metric)

    def total(self, column: int) -> int:
        return sum(self.first.board.read(column))


def test_all_workers_together_count_what_there_is() -> None:
    run_state_machine_as_test(
        CountsAgainstPlainLists, settings=settings(deadline=None, max_examples=150, stateful_step_count=60)
    )
