"""Two masters' ends: words in their order, with their descriptors, however many wait."""

import errno
import os
import socket
from collections.abc import Iterator

import pytest

from l4d.linux import messages
from l4d.loop.loop import Loop
from l4d.master import between
from l4d.master.between import End, hear, number, pair, say
from tests.kit.processes import own_descriptors


class Masters:
    """Ours has a loop; of the next one there is only its socket."""

    def __init__(self) -> None:
        self.loop = Loop()
        ours, self.theirs = pair()
        self.heard: list[tuple[bytes, bytes, int]] = []
        heed = {word: self._note(word) for word in (between.ROOM, between.BORN, b"")}
        self.end = End(self.loop, ours, heed)

    def _note(self, word: bytes) -> between.Heed:
        return lambda details, descriptors: self.heard.append((word, details, len(descriptors)))

    def close(self) -> None:
        self.end.close()
        self.theirs.close()
        self.loop.shut()


@pytest.fixture
def masters() -> Iterator[Masters]:
    before = own_descriptors()
    masters = Masters()
    yield masters
    masters.close()
    assert own_descriptors() == before


def test_a_word_comes_with_its_details_and_descriptors(masters: Masters) -> None:
    masters.end.say(between.TELL, b"3 take_over", (0, 1))
    heard = hear(masters.theirs)
    assert heard is not None
    word, details, descriptors = heard
    assert (word, details, len(descriptors)) == (between.TELL, b"3 take_over", 2)
    assert not any(os.get_inheritable(fd) for fd in descriptors)
    messages.close_all(descriptors)
    assert hear(masters.theirs) is None


def test_what_is_said_is_heeded_and_its_descriptors_are_closed(masters: Masters) -> None:
    say(masters.theirs, between.ROOM)
    socket.send_fds(masters.theirs, [b"born 3 100"], [0])
    masters.loop.turn()
    assert masters.heard == [(between.ROOM, b"", 0), (between.BORN, b"3 100", 1)]


def test_a_word_of_a_later_program_is_passed_over_with_its_descriptors(masters: Masters) -> None:
    socket.send_fds(masters.theirs, [b"sing a song"], [0, 1])
    say(masters.theirs, between.ROOM)
    masters.loop.turn()
    assert masters.heard == [(between.ROOM, b"", 0)]


def test_the_end_of_the_other_side_is_told_once(masters: Masters) -> None:
    masters.theirs.close()
    masters.loop.turn()
    masters.end.read()
    assert masters.heard == [(b"", b"", 0)]
    masters.end.say(between.GO, b"", (0,))


def test_what_cannot_be_sent_at_once_waits_in_its_order(masters: Masters) -> None:
    for word in range(3000):
        masters.end.say(between.GONE, b"%d" % word)
    heard: list[int] = []
    while len(heard) < 3000:
        message = hear(masters.theirs)
        if message is None:
            masters.loop.turn()
        else:
            heard.append(number(message[1]))
    assert heard == list(range(3000))


def test_what_waits_when_all_ends_is_closed(masters: Masters) -> None:
    for _ in range(3000):
        masters.end.say(between.TELL, b"0 word", (0,))


def test_without_a_number_for_a_copy_what_waits_comes_without_descriptors(
    masters: Masters, monkeypatch: pytest.MonkeyPatch
) -> None:
    copies = [os.dup(0)]

    def dup(_fd: int) -> int:
        if copies:
            return copies.pop()
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    for _ in range(3000):  # more than there is room for
        masters.end.say(between.GO)
    monkeypatch.setattr(os, "dup", dup)
    masters.end.say(between.TELL, b"0 word", (0, 0))
    heard = None
    while heard is None or heard[0] == between.GO:
        heard = hear(masters.theirs)
        if heard is None:
            masters.loop.turn()
    assert heard == (between.TELL, b"0 word", [])


def test_a_long_word_is_cut_and_not_lost(masters: Masters) -> None:
    masters.end.say(between.FAILED, b"x" * 100_000)
    heard = hear(masters.theirs)
    assert heard is not None
    assert heard[1] == b"x" * (between.LONGEST - len(b"failed "))


@pytest.mark.parametrize(("details", "expected"), [(b"7", 7), (b"", -1), (b"seven", -1), (b"7 8", -1)])
def test_a_number_is_all_of_the_details_or_none(details: bytes, expected: int) -> None:
    assert number(details) == expected
