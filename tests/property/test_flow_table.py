"""The flow table with its deadlines against a dict of client -> last heard. It is slow and obviously right."""

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from l4d.loop.deadlines import Deadlines
from l4d.udp.table import FlowTable

LENGTH = 10.0
BOUND = 4

CLIENTS = "abcdefg"
clients = st.sampled_from(CLIENTS)


class Flow:
    """What the table holds: it knows its client, and is itself alone."""

    def __init__(self, client: str) -> None:
        self.client = client


class FlowTableAgainstAPlainDict(RuleBasedStateMachine):
    """Datagrams come, flows fall silent, are replaced and end, in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.waiting: Deadlines[Flow] = Deadlines(LENGTH, self.idle)
        self.table: FlowTable[str, Flow] = FlowTable(BOUND, self.waiting)
        self.last_heard: dict[str, float] = {}
        self.replaced: list[Flow] = []
        self.dropped = 0
        self.dropped_by_model = 0

    def idle(self, flow: Flow) -> None:
        """As a flow does when it was silent for too long."""
        self.table.remove(flow.client, flow)

    @rule(client=clients)
    def a_datagram_comes(self, client: str) -> None:
        flow = self.table.get(client)
        if flow is None and self.table.full:
            self.dropped += 1
        else:
            if flow is None:
                flow = Flow(client)
                self.table.put(client, flow)
            self.table.hear(flow, self.now)
        if client not in self.last_heard and len(self.last_heard) == BOUND:
            self.dropped_by_model += 1
        else:
            self.last_heard[client] = self.now

    @rule(client=clients)
    def a_flow_ends(self, client: str) -> None:
        flow = self.table.get(client)
        assert (flow is None) is (client not in self.last_heard)
        if flow is not None:
            self.table.remove(client, flow)
            del self.last_heard[client]

    @precondition(lambda self: self.last_heard)
    @rule(data=st.data())
    def a_flow_is_replaced(self, data: st.DataObject) -> None:
        """Also in a full table: the client has its place already."""
        client = data.draw(st.sampled_from(sorted(self.last_heard)))
        former = self.table.get(client)
        assert former is not None
        self.waiting.leave(former)
        self.replaced.append(former)
        successor = Flow(client)
        self.table.put(client, successor)
        self.table.hear(successor, self.now)
        self.last_heard[client] = self.now

    @precondition(lambda self: self.replaced)
    @rule()
    def a_flow_that_was_replaced_ends_late(self) -> None:
        flow = self.replaced.pop(0)
        self.table.remove(flow.client, flow)

    @rule(seconds=st.sampled_from([0.0, 1.0, 4.0, LENGTH]))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds
        self.waiting.expire(self.now)
        self.last_heard = {client: heard for client, heard in self.last_heard.items() if self.now - heard < LENGTH}

    @invariant()
    def they_agree(self) -> None:
        assert [client for client in CLIENTS if self.table.get(client)] == sorted(self.last_heard)
        assert len(self.table) == len(self.last_heard)
        assert len(self.table) == len(self.last_heard) <= BOUND
        assert self.table.full is (len(self.last_heard) == BOUND)
        assert len(self.waiting) == len(self.table)
        assert self.dropped == self.dropped_by_model

    @invariant()
    def whoever_is_next_to_fall_silent_was_heard_of_longest_ago(self) -> None:
        if self.last_heard:
            assert self.waiting.next_due() == min(self.last_heard.values()) + LENGTH


def test_the_flow_table_does_what_a_plain_dict_does() -> None:
    run_state_machine_as_test(FlowTableAgainstAPlainDict, settings=settings(deadline=None, max_examples=150))
