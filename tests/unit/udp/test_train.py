"""Sending a train: as one where the kernel cuts it, else datagram by datagram."""

import errno
import socket
from collections.abc import Iterator

import pytest

from l4d.linux import options
from l4d.linux.datagram import Ancillary
from l4d.udp.train import send_train


class Sender(socket.socket):
    """Refuses trains, or one single datagram, with an error of the test's choice; notes how many it was asked for."""

    train_error = 0
    single_error: tuple[int, int] = (-1, 0)
    singles = 0

    def sendmsg(self, *args: object) -> int:
        ancillary = args[1]
        assert isinstance(ancillary, list)
        if any(kind == options.UDP_SEGMENT for _, kind, _ in ancillary):
            if self.train_error:
                raise OSError(self.train_error, "no train")
        else:
            self.singles += 1
            if self.singles == self.single_error[0]:
                raise OSError(self.single_error[1], "not this one")
        return super().sendmsg(*args)  # type: ignore[arg-type]


@pytest.fixture
def receiver() -> Iterator[socket.socket]:
    with socket.socket(type=socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        sock.setblocking(False)
        yield sock


@pytest.fixture
def sender() -> Iterator[Sender]:
    with Sender(type=socket.SOCK_DGRAM) as sock:
        yield sock


TRAIN = memoryview(b"aaabbbcccd")
NOTHING: Ancillary = []


def everything(sock: socket.socket) -> list[bytes]:
    """All datagrams that wait."""
    datagrams = []
    while True:
        try:
            datagrams.append(sock.recv(100))
        except BlockingIOError:
            return datagrams


@pytest.mark.parametrize("connected", [True, False])
@pytest.mark.parametrize("train_error", [0, errno.EINVAL, errno.EIO, errno.EMSGSIZE])
def test_every_datagram_of_a_train_arrives_by_itself(
    sender: Sender, receiver: socket.socket, train_error: int, connected: bool
) -> None:
    sender.train_error = train_error
    if connected:
        sender.connect(receiver.getsockname())
    address = None if connected else receiver.getsockname()
    assert send_train(sender, TRAIN, 3, NOTHING, address) == 4
    assert everything(receiver) == [b"aaa", b"bbb", b"ccc", b"d"]
    assert sender.singles == (4 if train_error else 0)


def test_an_error_that_is_not_about_trains_is_told(sender: Sender, receiver: socket.socket) -> None:
    sender.train_error = errno.ECONNREFUSED
    with pytest.raises(ConnectionRefusedError):
        send_train(sender, TRAIN, 3, NOTHING, receiver.getsockname())
    assert everything(receiver) == []


def test_when_the_first_cannot_be_sent_that_is_told(sender: Sender, receiver: socket.socket) -> None:
    sender.train_error, sender.single_error = errno.EINVAL, (1, errno.EMSGSIZE)
    with pytest.raises(OSError, match="not this one"):
        send_train(sender, TRAIN, 3, NOTHING, receiver.getsockname())


def test_when_a_later_one_cannot_be_sent_the_others_are(sender: Sender, receiver: socket.socket) -> None:
    sender.train_error, sender.single_error = errno.EINVAL, (2, errno.ENOBUFS)
    assert send_train(sender, TRAIN, 3, NOTHING, receiver.getsockname()) == 3
    assert everything(receiver) == [b"aaa", b"ccc", b"d"]
