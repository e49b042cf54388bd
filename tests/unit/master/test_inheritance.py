"""An estate as a will with its descriptors, and back."""

import os
from collections.abc import Iterator
from dataclasses import replace

import pytest

from l4d.errors import StartError
from l4d.linux import calls
from l4d.master.estate import Estate
from l4d.master.inheritance import bequeath, inherit
from l4d.master.will import Will, decode, encode
from l4d.stats.board import Board
from l4d.stats.columns import Columns
from tests.kit.processes import own_descriptors


@pytest.fixture
def left() -> Iterator[tuple[Estate, Will, list[int]]]:
    """An estate, what is left of it, and the descriptors as another process would have them."""
    board = Board(rows=4, columns=64)
    estate = Estate(board, Columns(64), board.take_row(), calls.listen(), last_number=7)
    will, descriptors = bequeath(estate)
    yield estate, decode(encode(will)), [os.dup(fd) for fd in descriptors]
    estate.inquiries.close()
    for fd in board.left:
        os.close(fd)


def close(heir: Estate) -> None:
    heir.inquiries.close()
    for fd in heir.board.left:
        os.close(fd)


def test_workers_go_on_calling_by_the_name_they_know(left: tuple[Estate, Will, list[int]]) -> None:
    estate, will, descriptors = left
    heir = inherit(will, descriptors)
    assert (heir.last_number, heir.ours) == (7, False)
    with calls.call(calls.name_of(estate.inquiries)):
        answered = calls.answer(heir.inquiries)
        assert answered is not None
        answered[0].close()
    close(heir)


def test_where_a_program_of_before_has_left_no_inquiries_there_are_new_ones(
    left: tuple[Estate, Will, list[int]],
) -> None:
    estate, will, descriptors = left
    os.close(descriptors.pop())
    heir = inherit(replace(will, inquiries=None), descriptors)
    assert calls.name_of(heir.inquiries) != calls.name_of(estate.inquiries)
    with calls.call(calls.name_of(heir.inquiries)):
        pass
    close(heir)


def test_what_does_not_fit_is_refused(left: tuple[Estate, Will, list[int]]) -> None:
    _estate, will, descriptors = left
    with pytest.raises(StartError, match="what the running l4d leaves cannot be used"):
        inherit(replace(will, inquiries=99), descriptors)
    for fd in descriptors:
        os.close(fd)


def test_leaving_it_to_another_holds_the_name(left: tuple[Estate, Will, list[int]]) -> None:
    estate, _will, descriptors = left
    for fd in descriptors:
        os.close(fd)
    before = own_descriptors()
    estate.leave()
    assert own_descriptors() == before
    with calls.call(calls.name_of(estate.inquiries)):
        pass
    estate.release()
    assert estate.inquiries.fileno() == -1
