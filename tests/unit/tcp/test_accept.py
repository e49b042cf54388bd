"""The gate: what a worker does about the sockets of slots that were given up."""

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from l4d.address import from_sockaddr
from l4d.linux import sockets
from l4d.linux.sockets import Socket
from l4d.tcp import accept as accept_module
from l4d.tcp.accept import Acceptor, Gate
from tests.kit.tcp import Client
from tests.kit.wait import is_readable
from tests.unit.tcp.house import House


class Hall:
    """A gate with a listening socket of its own and one of a slot that was given up, of which we keep a copy."""

    def __init__(self, stack: ExitStack, house: House) -> None:
        self.stack = stack
        self.house = house
        self.clients: list[Client] = []
        self.capacity = house.tcp.service.capacity
        self.gate = Gate(house.loop, self.capacity, house.tcp.service.log)
        self.own, self.surplus = self._listen(surplus=False), self._listen(surplus=True)
        self.gate.open()

    def _listen(self, *, surplus: bool) -> socket.socket:
        ours = self.stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        theirs = socket.socket(fileno=os.dup(ours.fileno()))
        theirs.setblocking(False)
        self.stack.callback(theirs.close)
        self.gate.add(Acceptor(self.house.tcp, theirs, self.gate), surplus=surplus)
        return ours

    def client(self, sock: socket.socket) -> None:
        self.clients.append(self.stack.enter_context(Client(from_sockaddr(sock.getsockname()))))

    def empty(self) -> None:
        """Every client leaves."""
        for client in self.clients:
            client.reset()
        for _ in range(3):
            self.house.loop.turn()


@pytest.fixture
def hall() -> Iterator[Hall]:
    with ExitStack() as stack:
        hall = Hall(stack, House(stack))
        yield hall
        hall.empty()


def test_who_is_queued_is_taken_before_the_copy_is_closed(hall: Hall) -> None:
    for _ in range(40):
        hall.client(hall.surplus)
    assert hall.gate.shed()
    assert hall.capacity.sessions == 40
    hall.house.loop.turn()
    hall.client(hall.surplus)
    hall.house.loop.turn()
    assert is_readable(hall.surplus), "nobody here takes them any more"
    hall.client(hall.own)
    hall.house.loop.turn()
    assert hall.capacity.sessions == 41


def test_a_worker_that_is_full_sheds_nothing_until_all_who_wait_are_taken(hall: Hall) -> None:
    while hall.capacity.has_room(2):
        hall.capacity.take(2)
    hall.client(hall.surplus)
    assert not hall.gate.shed()
    assert is_readable(hall.surplus)
    hall.capacity.give_back(2)
    assert hall.gate.shed()
    assert not is_readable(hall.surplus)
    hall.house.loop.turn()
    hall.capacity.give_back(2)  # the gate opens again, without what it has shed
    hall.client(hall.own)
    hall.house.loop.turn()
    assert not is_readable(hall.own)


def test_whoever_wants_to_know_is_told_whether_clients_are_taken(hall: Hall, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[bool] = []
    hall.gate.tell_taking = told.append
    while hall.capacity.has_room(2):
        hall.capacity.take(2)
    hall.client(hall.own)
    hall.house.loop.turn()
    assert told == [False]
    hall.capacity.give_back(2)
    assert told == [False, True]

    def out_of_descriptors(_sock: Socket, _family: int) -> tuple[Socket, object]:
        raise OSError(errno.EMFILE, "too many open files")

    monkeypatch.setattr(accept_module, "accept", out_of_descriptors)
    hall.house.loop.turn()
    assert told == [False, True, False]
    hall.gate.open()
    assert told == [False, True, False, True]
    hall.gate.shut()
    hall.gate.open()
    assert told == [False, True, False, True], "a gate that is shut for good does not open"


def test_what_is_shed_or_shut_already_need_not_be_shed_again(hall: Hall) -> None:
    assert hall.gate.shed()
    assert hall.gate.shed()
    hall.house.loop.turn()
    hall.gate.shut()
    assert hall.gate.shed()
    hall.house.loop.turn()


def test_those_who_come_while_the_queue_is_taken_are_not_waited_for(
    hall: Hall, monkeypatch: pytest.MonkeyPatch
) -> None:
    def accept(sock: Socket, family: int) -> tuple[Socket, object]:
        assert len(hall.clients) < 10, "there is no end"
        hall.client(hall.own)
        return sockets.accept(sock, family)

    for _ in range(3):
        hall.client(hall.own)
    monkeypatch.setattr(accept_module, "accept", accept)
    hall.gate.take_queued()
    assert hall.capacity.sessions == 3
    monkeypatch.undo()
    hall.gate.take_queued()
    assert hall.capacity.sessions == 6
