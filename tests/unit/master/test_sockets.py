"""The plan of the listening sockets: what is taken, opened, retired, and given back; and who gets which client."""

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from l4d.address import Inet
from l4d.config.model import Config
from l4d.errors import StartError
from l4d.linux.steering import slot_of
from l4d.master.bound import Bound, Place, shed, steer
from l4d.master.sockets import Plan, keep, plan
from l4d.terms import Protocol
from tests.kit import free_port
from tests.kit.processes import own_descriptors
from tests.unit.config.helpers import loaded

Held = dict[Place, Bound]
NAME = "127.0.0.1"


@pytest.fixture
def held() -> Iterator[Held]:
    """What the master holds; all of it is closed at the end, and nothing else is left open."""
    before = own_descriptors()
    held: Held = {}
    yield held
    for bound in held.values():
        bound.close()
    assert own_descriptors() == before


def config(folder: Path, **listeners: str) -> Config:
    """Listeners by name, each "udp 127.0.0.1:0"."""
    text = "[upstreams.one]\nservers = '10.0.0.1:53'\n"
    for name, words in listeners.items():
        protocol, bind = words.split()
        text += f"[listeners.{name}]\nprotocol = '{protocol}'\nbind = '{bind}'\nupstream = 'one'\n"
    return loaded(folder, text)


def present(held: Held, made: Plan, wanted: Config, *, steered: bool = True) -> Plan:
    """The plan becomes the present, as at a commit."""
    kept = keep(made, wanted, held)
    held.clear()
    held.update(kept)
    if steered:
        for protocol in Protocol:
            steer(made.of_protocol(protocol), made.slots)
    return made


def heard(sockets: list[socket.socket], count: int) -> dict[tuple[str, int], int]:
    """Which socket hears which client, of *count* that write to the address of the first one."""
    found: dict[tuple[str, int], int] = {}
    with ExitStack() as clients:  # open all at once, so that no two have one port
        for _ in range(count):
            client = clients.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
            client.sendto(b"x", sockets[0].getsockname())
    for number, sock in enumerate(sockets):
        while True:
            try:
                found[sock.recvfrom(10)[1]] = number
            except BlockingIOError:
                break
    assert len(found) == count
    return found


def is_by_slot(sockets: list[socket.socket], slots: int) -> bool:
    """Whether every client is heard by the socket of its slot."""
    return all(number == slot_of(client, slots) for client, number in heard(sockets, 60).items())


def test_a_new_udp_address_is_steered_from_its_first_socket_on(held: Held, tmp_path: Path) -> None:
    wanted = config(tmp_path, dns="udp 127.0.0.1:0")
    made = present(held, plan(wanted, 3, held, ()), wanted, steered=False)
    [bound] = made.by_listener["dns"]
    assert is_by_slot(bound.sockets, 3)
    assert [made.of_slot(slot) for slot in range(3)] == [{"dns": [sock]} for sock in bound.sockets]


def test_what_joins_for_more_workers_hears_nobody_before_it_is_steered_to(held: Held, tmp_path: Path) -> None:
    wanted = config(tmp_path, dns="udp 127.0.0.1:0")
    present(held, plan(wanted, 2, held, ()), wanted)
    made = plan(wanted, 5, held, ())
    [bound] = made.by_listener["dns"]
    assert len(bound.sockets) == 5
    assert is_by_slot(bound.sockets, 2)
    present(held, made, wanted)
    assert is_by_slot(bound.sockets, 5)


def test_a_plan_that_is_dropped_was_never_there(held: Held, tmp_path: Path) -> None:
    wanted = config(tmp_path, dns="udp 127.0.0.1:0", web="tcp 127.0.0.1:0")
    present(held, plan(wanted, 2, held, ()), wanted)
    before = own_descriptors()
    more = config(tmp_path, dns="udp 127.0.0.1:0", web="tcp 127.0.0.1:0", other="udp 127.0.0.1:0")
    made = plan(more, 6, held, ())
    [web] = made.by_listener["web"]
    clients = [socket.create_connection(web.sockets[0].getsockname()) for _ in range(30)]
    made.drop()
    assert own_descriptors() - before == len(clients)
    accepted = 0
    for sock in web.sockets:
        with pytest.raises(BlockingIOError):
            while True:
                sock.accept()[0].close()
                accepted += 1
    assert accepted == len(clients)
    for client in clients:
        client.close()
    [dns] = made.by_listener["dns"]
    assert is_by_slot(dns.sockets, 2)


def test_with_fewer_workers_the_last_udp_sockets_are_nobodys_and_tcp_queues_are_shared_out_until_they_are_shed(
    held: Held, tmp_path: Path
) -> None:
    wanted = config(tmp_path, dns="udp 127.0.0.1:0", web="tcp 127.0.0.1:0")
    present(held, plan(wanted, 4, held, ()), wanted)
    made = plan(wanted, 3, held, ())
    [dns], [web] = made.by_listener["dns"], made.by_listener["web"]
    assert is_by_slot(dns.sockets, 4)
    present(held, made, wanted)
    assert is_by_slot(dns.sockets, 3)
    assert [made.of_slot(slot)["dns"] for slot in range(3)] == [[sock] for sock in dns.sockets[:3]]
    assert [made.of_slot(slot)["web"] for slot in range(3)] == [[sock] for sock in web.sockets[:3]]
    assert made.surplus_of_slot(0) == {"dns": [], "web": [web.sockets[3]]}
    assert made.surplus_of_slot(1) == {"dns": [], "web": []}
    before = own_descriptors()
    assert shed([dns, web], 3) == 2
    assert shed([dns, web], 3) == 0
    assert own_descriptors() == before - 2
    assert is_by_slot(dns.sockets, 3)
    assert made.surplus_of_slot(0) == {"dns": [], "web": []}


def test_of_several_slots_that_were_given_up_each_has_an_heir(held: Held, tmp_path: Path) -> None:
    wanted = config(tmp_path, web="tcp 127.0.0.1:0")
    present(held, plan(wanted, 8, held, ()), wanted)
    made = present(held, plan(wanted, 3, held, ()), wanted)
    [web] = made.by_listener["web"]
    shared_out = [made.surplus_of_slot(slot)["web"] for slot in range(3)]
    assert shared_out == [web.sockets[3::3], web.sockets[4::3], web.sockets[5::3]]


def test_what_is_opened_again_after_shedding_has_the_places_of_its_slots(held: Held, tmp_path: Path) -> None:
    wanted = config(tmp_path, dns="udp 127.0.0.1:0", web="tcp 127.0.0.1:0")
    for slots in (8, 2, 5, 3, 6):
        made = present(held, plan(wanted, slots, held, ()), wanted)
        shed(made.places.values(), slots)
        [dns], [web] = made.by_listener["dns"], made.by_listener["web"]
        assert len(dns.sockets) == len(web.sockets) == slots
        assert is_by_slot(dns.sockets, slots)


def test_all_slots_share_a_unix_socket(held: Held, tmp_path: Path) -> None:
    wanted = config(tmp_path, web=f"tcp unix:{tmp_path}/front")
    made = present(held, plan(wanted, 2, held, ()), wanted)
    assert made.of_slot(0) == made.of_slot(1)
    assert shed(present(held, plan(wanted, 1, held, ()), wanted).places.values(), 1) == 0
    assert made.served() == set()


# Addresses that are gone from the file


def test_a_udp_address_that_is_gone_is_kept_for_its_flows_when_told_to(held: Held, tmp_path: Path) -> None:
    port = free_port(socket.SOCK_DGRAM)
    both = config(tmp_path, dns=f"udp {NAME}:{port}", web="tcp 127.0.0.1:0", front=f"tcp unix:{tmp_path}/front")
    first = present(held, plan(both, 2, held, ()), both)
    [dns] = first.by_listener["dns"]
    other = config(tmp_path, other="udp 127.0.0.1:0")
    made = present(held, plan(other, 3, held, (), retain=True), other)
    assert made.retired == {"dns": [dns]}
    assert list(made.by_listener) == ["other"]
    assert set(held.values()) == {dns, *made.by_listener["other"]}  # TCP and unix are closed
    assert not (tmp_path / "front").exists()
    assert is_by_slot(dns.sockets, 3)
    assert [made.retired_of_slot(slot) for slot in range(3)] == [{"dns": [sock]} for sock in dns.sockets]
    assert (Protocol.UDP, Inet(NAME, port)) in made.served()


def test_the_sockets_that_join_a_retired_address_have_buffers_as_large(held: Held, tmp_path: Path) -> None:
    wanted = config(tmp_path, dns="udp 127.0.0.1:0")
    wanted = replace(wanted, listeners={"dns": replace(wanted.listeners["dns"], receive_buffer=50_000)})
    present(held, plan(wanted, 1, held, ()), wanted)
    none = replace(wanted, listeners={})
    [dns] = present(held, plan(none, 3, held, (), retain=True), none).retired["dns"]
    assert {sock.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF) for sock in dns.sockets} == {100_000}


def test_without_being_told_to_nothing_is_kept(held: Held, tmp_path: Path) -> None:
    wanted = config(tmp_path, dns="udp 127.0.0.1:0")
    present(held, plan(wanted, 2, held, ()), wanted)
    none = replace(wanted, listeners={})
    retiring = present(held, plan(none, 2, held, (), retain=True), none)
    assert len(held) == 1
    assert present(held, plan(none, 2, held, ()), none).retired == {}
    assert held == {}
    assert retiring.retired_of_slot(0) == {"dns": []}  # a worker of then that is replaced


@pytest.mark.parametrize("name", ["dns", "other"])
def test_a_retired_address_is_taken_by_whoever_names_it(held: Held, tmp_path: Path, name: str) -> None:
    port = free_port(socket.SOCK_DGRAM)
    wanted = config(tmp_path, dns=f"udp {NAME}:{port}")
    [dns] = present(held, plan(wanted, 2, held, ()), wanted).by_listener["dns"]
    none = replace(wanted, listeners={})
    present(held, plan(none, 2, held, (), retain=True), none)
    back = config(tmp_path, **{name: f"udp {NAME}:{port}"})
    plan(back, 3, held, (), retain=True).drop()
    assert dns.retired
    made = present(held, plan(back, 3, held, (), retain=True), back)
    assert made.by_listener == {name: [dns]}
    assert made.retired == {}
    assert (dns.listener, dns.retired) == (name, False)
    assert is_by_slot(dns.sockets, 3)
    made.vacate()
    assert made.places == held


def test_a_port_of_the_systems_choice_that_is_retired_is_taken_by_its_listener_or_by_its_number(
    held: Held, tmp_path: Path
) -> None:
    drawn = config(tmp_path, dns="udp 127.0.0.1:0")
    [dns] = present(held, plan(drawn, 2, held, ()), drawn).by_listener["dns"]
    none = replace(drawn, listeners={})
    present(held, plan(none, 2, held, (), retain=True), none)
    assert present(held, plan(drawn, 2, held, (), retain=True), drawn).by_listener == {"dns": [dns]}
    present(held, plan(none, 2, held, (), retain=True), none)
    both = config(tmp_path, other=f"udp {dns.address}", dns="udp 127.0.0.1:0")
    made = present(held, plan(both, 2, held, (), retain=True), both)
    assert made.by_listener["other"] == [dns]
    assert made.by_listener["dns"] != [dns]
    assert made.retired == {}


def test_a_retired_address_outlives_reloads_until_no_flow_is_left_there(held: Held, tmp_path: Path) -> None:
    wanted = config(tmp_path, dns="udp 127.0.0.1:0")
    [dns] = present(held, plan(wanted, 2, held, ()), wanted).by_listener["dns"]
    web = config(tmp_path, web="tcp 127.0.0.1:0")
    for slots in (2, 4, 3):
        made = present(held, plan(web, slots, held, (), retain=True), web)
        assert made.retired == {"dns": [dns]}
        assert is_by_slot(dns.sockets, slots)
    made.vacate()
    assert list(made.places.values()) == made.by_listener["web"]
    assert made.of_protocol(Protocol.UDP) == []
    assert made.retired_of_slot(0) == {}
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(dns.address.sockaddr)
    held.clear()
    held.update(made.places)


# Addresses that workers on their way out still have


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_a_group_that_leaving_workers_are_in_is_left_to_the_kernel(held: Held, tmp_path: Path, protocol: str) -> None:
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    wanted = config(tmp_path, dns=f"{protocol} {NAME}:{free_port(kind)}")
    first = present(held, plan(wanted, 2, held, ()), wanted)
    theirs = [os.dup(sock.fileno()) for sock in first.by_listener["dns"][0].sockets]
    none = replace(wanted, listeners={})
    present(held, plan(none, 2, held, ()), none)
    with pytest.raises(StartError, match="the address is in use"):
        plan(wanted, 2, held, ())
    [again] = present(held, plan(wanted, 2, held, first.served()), wanted).by_listener["dns"]
    assert not again.steered
    assert shed([again], 1) == 0  # which of them gets whom is not known
    reached = 0
    for _ in range(60):
        with socket.socket(socket.AF_INET, kind) as client:
            client.connect(again.sockets[0].getsockname())
            client.send(b"x")
    for sock in again.sockets:
        with pytest.raises(BlockingIOError):
            while True:
                sock.recv(10) if protocol == "udp" else sock.accept()[0].close()
                reached += 1
    assert 0 < reached < 60
    for fd in theirs:
        os.close(fd)


def test_a_group_that_leaving_workers_have_left_already_is_steered(held: Held, tmp_path: Path) -> None:
    wanted = config(tmp_path, dns=f"udp {NAME}:{free_port(socket.SOCK_DGRAM)}")
    first = present(held, plan(wanted, 2, held, ()), wanted)
    none = replace(wanted, listeners={})
    present(held, plan(none, 2, held, ()), none)
    [again] = present(held, plan(wanted, 2, held, first.served()), wanted).by_listener["dns"]
    assert again.steered
    assert is_by_slot(again.sockets, 2)
