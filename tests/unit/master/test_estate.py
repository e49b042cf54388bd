"""The estate: what the master itself counts."""

import socket
import time
from typing import cast

import pytest

from l4d.master.estate import Estate
from l4d.stats import catalogue
from l4d.stats.columns import Columns
from tests.unit.making import OwnBoard


@pytest.fixture
def estate() -> Estate:
    board = OwnBoard(rows=4, columns=64)
    return Estate(board, Columns(64), board.take_row(), cast(socket.socket, None))


def total(estate: Estate, metric: catalogue.Metric, *labels: str) -> int:
    return estate.board.total(estate.columns.of(metric, *labels))


def test_what_the_master_counts_is_on_the_board(estate: Estate) -> None:
    estate.lost_line()
    estate.count(catalogue.RESTARTS, "worker")
    estate.count(catalogue.RESTARTS, "worker")
    assert total(estate, catalogue.LOG_LINES_DROPPED) == 1
    assert total(estate, catalogue.RESTARTS, "worker") == 2


def test_of_two_masters_only_the_keeper_of_the_board_counts(estate: Estate) -> None:
    estate.board.keeper = lambda _row: None
    estate.count(catalogue.RESTARTS, "worker")
    assert total(estate, catalogue.RESTARTS, "worker") == 0
    estate.board.keeper = None
    estate.count(catalogue.RESTARTS, "worker")
    assert total(estate, catalogue.RESTARTS, "worker") == 1


def test_the_first_generation_is_no_reload_and_every_one_is_dated(estate: Estate) -> None:
    reloads = []
    for number in (1, 2, 3):
        before = time.time()
        estate.note_commit(number)
        dated = total(estate, catalogue.LAST_RELOAD) / catalogue.LAST_RELOAD.unit
        assert before - 0.001 <= dated <= time.time()
        reloads.append(total(estate, catalogue.RELOADS, "success"))
    assert reloads == [0, 1, 2]
