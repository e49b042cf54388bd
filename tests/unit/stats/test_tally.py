"""What a listener and a server count in."""

from l4d.address import Host
from l4d.config import model
from l4d.stats import catalogue
from l4d.stats.board import FIRST_COLUMN
from l4d.stats.catalogue import Metric
from l4d.stats.columns import Columns
from l4d.stats.tally import ListenerTally, ServerTally, reserve
from l4d.terms import Affinity, End, Level
from l4d.upstream.place import Place
from tests.unit.making import OwnBoard, Row, listener, member, upstream


class Counted(Row):
    """A row that can be asked by metric and labels."""

    def __call__(self, metric: Metric, *labels: str) -> int:
        return int(self.row[self.columns.of(metric, *labels)])


def test_a_session_is_counted_when_it_begins_and_by_its_end() -> None:
    counted = Counted()
    tally = ListenerTally(counted.row, counted.columns, "web")
    tally.begun()
    tally.begun()
    tally.over(End.IDLE)
    assert counted(catalogue.SESSIONS_TOTAL, "web") == 2
    assert counted(catalogue.SESSIONS, "web") == 1
    assert counted(catalogue.SESSION_ENDS, "web", "cD") == 1
    assert counted(catalogue.SESSION_ENDS, "web", "--") == 0


def test_what_is_counted_in_place_is_found_by_its_direction() -> None:
    counted = Counted()
    tally = ListenerTally(counted.row, counted.columns, "web")
    for number, column in enumerate((tally.bytes_up, tally.bytes_down, tally.datagrams_up, tally.datagrams_down), 1):
        tally.row[column] += number
    found = [counted(metric, "web", way) for metric in (catalogue.BYTES, catalogue.DATAGRAMS) for way in ("up", "down")]
    assert found == [1, 2, 3, 4]


def test_a_dropped_datagram_is_counted_by_its_reason() -> None:
    counted = Counted()
    tally = ListenerTally(counted.row, counted.columns, "dns")
    tally.drop("table_full")
    tally.drop("no_server")
    tally.drop("table_full")
    assert counted(catalogue.DATAGRAMS_DROPPED, "dns", "table_full") == 2
    assert counted(catalogue.DATAGRAMS_DROPPED, "dns", "no_server") == 1


def test_a_servers_numbers_are_where_the_catalogue_says() -> None:
    counted = Counted()
    tally = ServerTally(counted.row, counted.columns, "db", "one")
    of = counted.columns.of
    assert [tally.bytes_up, tally.bytes_down] == [of(catalogue.SERVER_BYTES, "db", "one", w) for w in ("up", "down")]
    assert tally.failed_since == of(catalogue.FAILED_SINCE, "db", "one")
    assert tally.failed == of(catalogue.FAILED, "db", "one")
    assert tally.out_until == of(catalogue.OUT_UNTIL, "db", "one")
    assert tally.recovered == of(catalogue.RECOVERED, "db", "one")
    assert (tally.sessions, tally.sessions_total) == (
        of(catalogue.SERVER_SESSIONS, "db", "one"),
        of(catalogue.SERVER_SESSIONS_TOTAL, "db", "one"),
    )
    assert tally.failures["refused"] == of(catalogue.SERVER_FAILURES, "db", "one", "refused")


def test_all_servers_of_an_upstream_have_one_queue() -> None:
    counted = Counted()
    one, two, another = (
        ServerTally(counted.row, counted.columns, *labels) for labels in (("db", "one"), ("db", "two"), ("web", "one"))
    )
    assert one.queued == two.queued == counted.columns.of(catalogue.QUEUE_SESSIONS, "db") != another.queued


SERVERS = (member(name="one"), member(name="two"), member(name="db.example:80", address=Host("db.example", 80)))


def config() -> model.Config:
    main = model.Main(2, "", "", "", 0, 0, Affinity.OFF, 0.0)
    log, resolver = model.Log(Level.INFO, "stderr"), model.Resolver((), 2.0, 1.0, 300.0)
    return model.Config(main, log, resolver, {"web": listener()}, {"db": upstream(servers=SERVERS)}, ())


def reserved() -> Row:
    """A row of a board on which the master has reserved what the configuration needs."""
    board = OwnBoard(rows=4, columns=1 << 13)
    columns = Columns(1 << 13)
    reserve(columns, config())
    return Row(board, columns)


def test_what_the_master_reserves_is_all_that_workers_and_control_will_look_up() -> None:
    row = reserved()
    used = row.columns.used
    for metric in (catalogue.LOG_LINES_DROPPED, catalogue.HEARTBEAT):
        row.columns.of(metric)
    for result in catalogue.QUERY_RESULTS:
        row.columns.of(catalogue.RESOLVER_QUERIES, result)
    ListenerTally(row.row, row.columns, "web")
    for entry in SERVERS:
        for name in entry.seats:
            Place(upstream(), entry, name, row.board, row.columns, row.row, row.said)
    row.columns.of(catalogue.QUEUE_SESSIONS, "db")
    assert row.columns.used == used


def test_every_metric_of_the_catalogue_is_reserved() -> None:
    row = reserved()
    every = [value for value in vars(catalogue).values() if isinstance(value, Metric)]
    assert not [metric.name for metric in every if not list(row.columns.each(metric))]


def test_what_was_reserved_is_told_so_that_it_can_be_kept() -> None:
    columns = Columns(1 << 13)
    columns.of(catalogue.SESSIONS, "of another configuration")
    keys = reserve(columns, config())
    assert (catalogue.SESSIONS, ("web",)) in keys
    assert (catalogue.SEAT, ("db", "db.example:80#64")) in keys
    assert len(keys) == columns.used - FIRST_COLUMN - 1
