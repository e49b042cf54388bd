"""What master and child say to each other, a word at a time."""

import os
import socket
from collections.abc import Iterator

import pytest

from l4d.child import channel
from tests.kit.processes import own_descriptors

Pair = tuple[socket.socket, socket.socket]

WORDS = [channel.READY, channel.QUIET, channel.GO, channel.DRAIN, channel.FINISH, channel.STOP, channel.LOG]


@pytest.fixture
def pair() -> Iterator[Pair]:
    ours, theirs = channel.pair()
    with ours, theirs:
        yield ours, theirs


def test_a_word_is_heard_as_it_was_said_and_each_by_itself(pair: Pair) -> None:
    ours, theirs = pair
    for word in WORDS:
        channel.say(ours, word)
    assert [channel.hear(theirs) for _ in WORDS] == [(word, []) for word in WORDS]


def test_both_sides_may_speak(pair: Pair) -> None:
    ours, theirs = pair
    channel.say(ours, channel.GO)
    channel.say(theirs, channel.READY)
    assert channel.hear(ours) == (channel.READY, [])
    assert channel.hear(theirs) == (channel.GO, [])


def test_nobody_waits_for_a_word(pair: Pair) -> None:
    assert channel.hear(pair[1]) is None


def test_every_word_is_another_and_has_room() -> None:
    assert len(set(WORDS)) == len(WORDS)
    assert all(0 < len(word) <= channel.LONGEST for word in WORDS)


def test_a_descriptor_comes_with_the_word_and_goes_to_no_program_that_is_started(pair: Pair) -> None:
    ours, theirs = pair
    null = os.open(os.devnull, os.O_RDONLY)
    channel.say(ours, channel.LOG, null)
    heard = channel.hear(theirs)
    assert heard is not None
    word, [fd] = heard
    assert word == channel.LOG
    assert os.path.sameopenfile(fd, null)
    assert not os.get_inheritable(fd)
    os.close(fd)
    os.close(null)


def test_the_others_end_is_an_empty_word_again_and_again(pair: Pair) -> None:
    ours, theirs = pair
    channel.say(ours, channel.STOP)
    ours.close()
    assert channel.hear(theirs) == (channel.STOP, []), "what was said before is heard"
    assert channel.hear(theirs) == (b"", [])
    assert channel.hear(theirs) == (b"", [])


def test_an_end_with_words_left_unheard_is_an_end(pair: Pair) -> None:
    ours, theirs = pair
    channel.say(theirs, channel.READY)
    ours.close()  # the kernel tells the other side of a reset then
    assert channel.hear(theirs) == (b"", [])


def test_one_who_is_gone_is_spoken_to_in_vain(pair: Pair) -> None:
    ours, theirs = pair
    theirs.close()
    channel.say(ours, channel.STOP)


def test_one_who_does_not_listen_holds_nobody_up(pair: Pair) -> None:
    ours, theirs = pair
    for _ in range(10_000):
        channel.say(ours, channel.STOP)
    assert channel.hear(theirs) == (channel.STOP, [])


def test_a_pair_leaves_nothing_behind() -> None:
    before = own_descriptors()
    ours, theirs = channel.pair()
    assert not ours.getblocking()
    assert not theirs.getblocking()
    ours.close()
    theirs.close()
    assert own_descriptors() == before
