"""The last two minutes."""

from l4d.address import Host
from l4d.stats import catalogue
from l4d.stats.history import MOST, History
from l4d.stats.numbers import Numbers
from l4d.stats.standing import Standing
from l4d.stats.tally import ListenerTally, ServerTally
from tests.unit.making import Row, config_of, member, upstream

NAME = "db.example:80"


class Kept:
    """A history, a clock, and what is counted meanwhile."""

    def __init__(self) -> None:
        self.row = Row()
        entries = (member(name="one"), member(name=NAME, address=Host("db.example", 80)))
        self.history = History(Numbers(self.row.board, self.row.columns), config_of(upstream(servers=entries)))
        self.web = ListenerTally(self.row.row, self.row.columns, "web")
        self.now = 100.0
        self.history.take(1_764_000_000.0, self.now)

    def pass_by(self, seconds: float = 1.0) -> None:
        self.now += seconds
        self.history.take(1_764_000_000.0 + self.now - 100, self.now)

    def list(self, name: str) -> list[float]:
        found = self.history.told()[name]
        assert isinstance(found, list)
        return found


def test_one_look_is_no_history() -> None:
    kept = Kept()
    told = kept.history.told()
    assert told.pop("interval_seconds") == 1.0
    assert told == {name: [] for name in ("time", "sessions", "new_sessions", "bytes_up", "bytes_down", "failures")}


def test_each_second_has_what_came_in_it() -> None:
    kept = Kept()
    for _ in range(3):
        kept.web.begun()
    kept.web.row[kept.web.bytes_up] += 10
    kept.web.row[kept.web.bytes_down] += 20
    kept.pass_by()
    kept.web.left()
    kept.pass_by(2.0)
    assert kept.list("time") == [1_764_000_001.0, 1_764_000_003.0]
    assert kept.list("sessions") == [3, 2]
    assert kept.list("new_sessions") == [3, 0]
    assert (kept.list("bytes_up"), kept.list("bytes_down")) == ([10, 0], [20, 0])
    kept.web.begun()
    kept.pass_by(2.0)
    assert kept.list("new_sessions") == [3, 0, 0.5]


def test_failures_are_dials_and_checks_of_servers_and_of_addresses_that_a_name_ever_had() -> None:
    kept = Kept()
    row = kept.row
    one, seated, never = (ServerTally(row.row, row.columns, "db", name) for name in ("one", f"{NAME}#1", f"{NAME}#2"))
    row.said[row.columns.of(catalogue.SEATS_TAKEN, "db", NAME)] = 1
    for number, tally in ((1, one), (20, seated), (300, never)):
        row.row[tally.failures["timeout"]] += number
    Standing(row.said, row.columns, "db", "one").count("failed")
    Standing(row.said, row.columns, "db", "one").count("good")
    kept.pass_by()
    assert kept.list("failures") == [22]


def test_only_the_last_seconds_are_kept_the_oldest_first() -> None:
    kept = Kept()
    for _ in range(MOST + 5):
        kept.web.begun()
        kept.pass_by()
    assert kept.list("sessions") == list(range(6, MOST + 6))
    assert len(kept.list("time")) == len(kept.list("new_sessions")) == MOST


def test_a_number_that_begins_anew_is_no_rate_below_nothing() -> None:
    kept = Kept()
    kept.web.begun()
    kept.pass_by()
    kept.web.row[kept.web.sessions_total] = 0
    kept.pass_by()
    assert kept.list("new_sessions") == [1, 0]
