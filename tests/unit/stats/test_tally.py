"""What a listener and a server count in."""

from l4d.address import Host
from l4d.config import model
from l4d.stats import catalogue
from l4d.stats.board import FIRST_COLUMN
from l4d.stats.catalogue import Kind, Metric
from l4d.stats.columns import Columns
from l4d.stats.tally import ListenerTally, ServerTally, complete, in_use, reserve
from l4d.terms import Affinity, End, Level
from l4d.upstream.place import Place
from tests.unit.making import NO_ADMIN, OwnBoard, Row, listener, member, upstream


class Counted(Row):
    """A row that can be asked by metric and labels."""

    def __call__(self, metric: Metric, *labels: str) -> int:
        return int(self.row[self.columns.of(metric, *labels)])


def test_a_session_is_counted_when_it_begins_and_by_its_end() -> None:
    counted = Counted()
    tally = ListenerTally(counted.row, counted.columns, "web")
    tally.begun()
    tally.begun()
    tally.over(End.IDLE, 0.25)
    assert counted(catalogue.SESSIONS_TOTAL, "web") == 2
    assert counted(catalogue.SESSIONS, "web") == 1
    assert counted(catalogue.SESSION_ENDS, "web", "cD") == 1
    assert counted(catalogue.SESSION_ENDS, "web", "--") == 0


def test_an_end_by_which_l4d_refuses_is_counted_as_that_too() -> None:
    counted = Counted()
    tally = ListenerTally(counted.row, counted.columns, "web")
    for end in End:
        tally.begun()
        tally.over(end, 0.0)
    refused = [counted(catalogue.REFUSED, "web", reason) for reason in ("no_server", "full", "no_resource")]
    assert refused == [1, 1, 1]
    assert [counted(catalogue.SESSION_ENDS, "web", end.value) for end in End] == [1] * len(End)


def test_how_long_a_session_lived_is_counted() -> None:
    counted = Counted()
    tally = ListenerTally(counted.row, counted.columns, "web")
    tally.begun()
    tally.over(End.FINISHED, 2.0)
    assert counted(catalogue.SESSION_DURATION, "web", "5") == 1
    assert counted(catalogue.SESSION_DURATION, "web", "sum") == 2_000_000


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
    main = model.Main(2, "", "", "", 0, 0, Affinity.OFF, 0.0, handover=True)
    log, resolver = model.Log(Level.INFO, "stderr", "off", "text"), model.Resolver((), 2.0, 1.0, 300.0)
    return model.Config(main, log, NO_ADMIN, resolver, {"web": listener()}, {"db": upstream(servers=SERVERS)}, ())


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
    every = [
        value for value in vars(catalogue).values() if isinstance(value, Metric) and value.kind is not Kind.COMPUTED
    ]
    assert not [metric.name for metric in every if not list(row.columns.each(metric))]


def test_what_was_reserved_is_told_so_that_it_can_be_kept() -> None:
    columns = Columns(1 << 13)
    columns.of(catalogue.SESSIONS, "of another configuration")
    keys = reserve(columns, config())
    assert (catalogue.SESSIONS, ("web",)) in keys
    assert (catalogue.SEAT, ("db", "db.example:80#64")) in keys
    assert len(keys) == columns.used - FIRST_COLUMN - 1


# Sessions that move


def test_a_session_that_goes_to_another_worker_is_counted_there_and_began_once() -> None:
    here = Counted()
    there = Counted(here.board, here.columns)
    leaves, enters = (ListenerTally(each.row, each.columns, "web") for each in (here, there))
    leaves.begun()
    leaves.left()
    enters.arrived()
    assert [each(catalogue.SESSIONS, "web") for each in (here, there)] == [0, 1]
    assert [each(catalogue.SESSIONS_TOTAL, "web") for each in (here, there)] == [1, 0]
    enters.over(End.FINISHED, 1.0)
    assert [each(catalogue.SESSIONS, "web") for each in (here, there)] == [0, 0]
    assert there(catalogue.SESSION_ENDS, "web", "--") == 1


def test_what_has_sessions_keeps_all_its_numbers_and_what_has_none_keeps_none() -> None:
    row = reserved()
    assert in_use(row.board, row.columns) == set()
    ListenerTally(row.row, row.columns, "web").begun()
    kept = in_use(row.board, row.columns)
    assert kept == {key for key in row.columns.keys if key[0].labels[:1] == ("listener",)}
    assert (catalogue.BYTES, ("web", "up")) in kept


def test_a_session_of_one_server_keeps_the_numbers_of_its_whole_upstream() -> None:
    row = reserved()
    tally = ServerTally(row.row, row.columns, "db", "two")
    another = row.columns.of(catalogue.QUEUE_SESSIONS, "another")
    row.row[tally.sessions] += 1
    kept = in_use(row.board, row.columns)
    assert kept == {key for key in row.columns.keys if key[0].labels[:1] == ("upstream",) and key[1][0] == "db"}
    assert another not in {row.columns.of(metric, *labels) for metric, labels in kept}


def test_sessions_of_any_worker_count_and_those_that_are_over_do_not() -> None:
    row = reserved()
    tally = ListenerTally(row.another().row, row.columns, "web")
    tally.begun()
    assert in_use(row.board, row.columns)
    tally.over(End.FINISHED, 1.0)
    assert not in_use(row.board, row.columns)


def test_what_another_version_did_not_count_gets_its_column() -> None:
    columns = Columns()
    columns.of(catalogue.SESSIONS, "web")
    columns.of(catalogue.SERVER_SESSIONS, "db", "one")
    complete(columns)
    columns.seal()
    nobody = memoryview(b"")
    ListenerTally(nobody, columns, "web")
    ServerTally(nobody, columns, "db", "one")
