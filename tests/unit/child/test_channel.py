"""What master and child say to each other, a word at a time."""

import os
import socket
from collections.abc import Iterator

import pytest

from l4d.child import channel
from tests.kit.processes import own_descriptors

Pair = tuple[socket.socket, socket.socket]

WORDS = [
    channel.READY,
    channel.MOVED,
    channel.QUIET,
    channel.VACANT,
    channel.LOOKED,
    channel.BEGIN,
    channel.TAKE_OVER,
    channel.HAND_OVER,
    channel.STEERED,
    channel.GO,
    channel.DRAIN,
    channel.FINISH,
    channel.STOP,
    channel.LOG,
    channel.ACCESS,
]


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


def test_what_an_operator_asks_for_is_answered_by_its_number() -> None:
    assert channel.asked(channel.ask(7, channel.RELOAD)) == (7, "reload")
    for problems in ([], ["l4d.toml:6: a b: \n 'c'", "é"]):
        word = channel.answer(7, problems)
        assert word.startswith(channel.ANSWER)
        assert channel.answered(word) == (7, problems)


@pytest.mark.parametrize("problems", [["x" * 500] * 1000, ["é" * 100_000], ["x" * 59_000, "y" * 59_000]])
def test_of_more_problems_than_fit_the_first_ones_are_told(pair: Pair, problems: list[str]) -> None:
    ours, theirs = pair
    channel.say(ours, channel.answer(1, problems))
    heard = channel.hear(theirs)
    assert heard is not None
    number, told = channel.answered(heard[0])
    assert number == 1
    assert told
    assert told[0].startswith(problems[0][:1000].rstrip("."))


def test_what_has_happened_is_told_as_it_is(pair: Pair) -> None:
    ours, theirs = pair
    encoded = b'{"started": 1.5, "all": []}'
    channel.say(ours, channel.changes(encoded))
    heard = channel.hear(theirs)
    assert heard is not None
    assert heard[0].startswith(channel.CHANGES)
    assert channel.details(heard[0]) == encoded


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


# Links


@pytest.mark.parametrize(("slot", "slots"), [(0, 1), (3, 8), (499, 500)])
def test_the_word_for_a_successor_says_which_of_how_many_it_is(slot: int, slots: int) -> None:
    word = channel.hand_over(slot, slots)
    assert word.startswith(channel.HAND_OVER)
    assert len(word) <= channel.LONGEST
    assert channel.successor(word) == (slot, slots)


def test_a_link_comes_with_a_word_and_is_what_the_other_end_is_linked_to(pair: Pair) -> None:
    ours, theirs = pair
    giver, taker = channel.link_pair()
    channel.say(ours, channel.hand_over(0, 2), giver.fileno())
    giver.close()
    heard = channel.hear(theirs)
    assert heard is not None
    _word, [fd] = heard
    with channel.link(fd) as linked, taker:
        assert not os.get_inheritable(linked.fileno())
        taker.send(b"hello")
        assert linked.recv(100, socket.MSG_DONTWAIT) == b"hello"
        with pytest.raises(BlockingIOError):  # whoever made it non-blocking did so for all its holders
            linked.recv(100)


def test_a_link_holds_a_datagram_of_any_size_many_times_over() -> None:
    giver, taker = channel.link_pair()
    with giver, taker:
        sent = 0
        with pytest.raises(BlockingIOError):
            while True:
                sent += giver.send(bytes(65_000))
        assert sent >= 2 * 65_000
        assert len(taker.recv(1 << 20)) == 65_000


def test_it_is_known_which_words_bring_a_descriptor() -> None:
    assert channel.has_descriptor(channel.TAKE_OVER)
    assert channel.has_descriptor(channel.hand_over(1, 2))
    assert channel.has_descriptor(channel.LOG)
    assert not channel.has_descriptor(channel.DRAIN)


def test_the_word_of_an_access_log_has_its_number() -> None:
    assert channel.access_log(channel.access(12)) == 12
    assert channel.has_descriptor(channel.access(12))
