"""What all processes have counted so far, by the names of the catalogue."""

from l4d.address import Host
from l4d.stats import catalogue
from l4d.stats.distribution import Distribution
from l4d.stats.histogram import Histogram
from l4d.stats.numbers import Numbers
from l4d.stats.tally import ListenerTally
from tests.unit.making import Row, member


def test_a_total_is_over_all_rows() -> None:
    one = Row()
    other = one.another()
    for row in (one, other):
        tally = ListenerTally(row.row, row.columns, "web")
        tally.begun()
        tally.drop("not_sent", 3)
    numbers = Numbers(one.board, one.columns)
    assert numbers.total(catalogue.SESSIONS_TOTAL, "web") == 2
    dropped = numbers.by(catalogue.DATAGRAMS_DROPPED, ("web",), ("not_sent", "stopping"))
    assert dropped == {"not_sent": 6, "stopping": 0}


def test_a_histogram_is_over_all_rows_or_one_processs_own() -> None:
    one = Row()
    other = one.another()
    for row in (one, other):
        Histogram(row.row, row.columns, catalogue.WORKER_LOOP).observe(0.5)
    Histogram(one.row, one.columns, catalogue.WORKER_LOOP).observe(2.0)
    numbers = Numbers(one.board, one.columns)
    empty = (0,) * 12
    bounds = catalogue.WORKER_LOOP.bounds
    assert numbers.distribution(catalogue.WORKER_LOOP) == Distribution(bounds, (*empty, 2, 0, 1), 3.0)
    assert numbers.own_distribution(other.number, catalogue.WORKER_LOOP) == Distribution(bounds, (*empty, 1, 0, 0), 0.5)


def test_the_latest_of_what_each_says_of_itself_is_found() -> None:
    one = Row()
    other = one.another()
    column = one.columns.of(catalogue.OUT_UNTIL, "db", "one")
    one.row[column], other.row[column] = 7, 5
    assert Numbers(one.board, one.columns).latest(catalogue.OUT_UNTIL, "db", "one") == 7


def test_of_a_name_only_seats_that_were_ever_taken_are_servers() -> None:
    row, named = Row(), member(name="db.example:80", address=Host("db.example", 80))
    numbers = Numbers(row.board, row.columns)
    row.said[row.columns.of(catalogue.SEATS_TAKEN, "db", "db.example:80")] = 3
    assert [numbers.seats_taken("db", entry) for entry in (named, member())] == [3, 1]


def test_what_was_never_counted_is_nothing_and_gets_no_column() -> None:
    row = Row()
    used = row.columns.used
    numbers = Numbers(row.board, row.columns)
    assert numbers.total(catalogue.SESSIONS, "web") == 0
    assert numbers.latest(catalogue.OUT_UNTIL, "db", "one") == 0
    assert numbers.own(row.number, catalogue.SESSIONS, "web") == 0
    assert numbers.distribution(catalogue.CONNECT, "db", "one").count == 0
    assert row.columns.used == used
