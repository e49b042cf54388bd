"""Gathering datagrams of one size into a train."""

from hypothesis import given
from hypothesis import strategies as st

from l4d.linux.datagram import TRAIN_BYTES
from l4d.udp.gather import Gathering
from tests.unit.making import UNHURRIED


def test_datagrams_of_one_size_leave_as_a_train() -> None:
    gathering = Gathering()
    assert all(gathering.takes(1200) for _ in range(3))
    assert gathering.held == 3600
    assert gathering.release() == (3600, 1200)


def test_a_single_datagram_is_no_train() -> None:
    gathering = Gathering()
    assert gathering.takes(1200)
    assert gathering.release() == (1200, 0)


def test_one_of_another_size_does_not_wait_with_the_others() -> None:
    gathering = Gathering()
    gathering.takes(1200)
    assert not gathering.takes(700)
    assert not gathering.takes(1300)
    assert not gathering.takes(0)
    assert gathering.release() == (1200, 0)


def test_one_without_a_byte_never_waits() -> None:
    gathering = Gathering()
    assert not gathering.takes(0)
    assert gathering.held == 0
    assert gathering.takes(700)


def test_after_the_release_nothing_is_held() -> None:
    gathering = Gathering()
    gathering.takes(1200)
    gathering.release()
    assert gathering.held == 0
    assert gathering.takes(700)
    assert gathering.release() == (700, 0)


def test_a_train_is_no_longer_than_the_kernel_takes() -> None:
    gathering = Gathering()
    while gathering.takes(1400):
        pass
    assert TRAIN_BYTES - 1400 < gathering.held <= TRAIN_BYTES


@UNHURRIED
@given(st.lists(st.sampled_from([0, 1, 700, 1200, 40_000, 65_507]), max_size=80))
def test_whatever_comes_leaves_whole_and_in_order(sizes: list[int]) -> None:
    """As the readers do: what cannot wait leaves by itself, after what has waited."""
    gathering = Gathering()
    left: list[int] = []

    def release() -> None:
        if gathering.held:
            held, cut = gathering.release()
            left.extend([cut] * (held // cut) if cut else [held])

    for size in sizes:
        if not gathering.takes(size):
            release()
            left.append(size)
    release()
    assert left == sizes
