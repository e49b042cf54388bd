"""What a listener and a server count in."""

from l4d.config import model
from l4d.stats import catalogue
from l4d.stats.catalogue import Metric
from l4d.stats.tally import ListenerTally, ServerTally, reserve
from l4d.terms import Affinity, End, Level
from tests.unit.making import Row, listener, member, upstream


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


def test_a_server_counts_its_sessions() -> None:
    counted = Counted()
    tally = ServerTally(counted.row, counted.columns, "db", "one")
    tally.begun()
    tally.begun()
    tally.over()
    assert counted(catalogue.SERVER_SESSIONS_TOTAL, "db", "one") == 2
    assert counted(catalogue.SERVER_SESSIONS, "db", "one") == 1


def test_a_servers_numbers_are_where_the_catalogue_says() -> None:
    counted = Counted()
    tally = ServerTally(counted.row, counted.columns, "db", "one")
    of = counted.columns.of
    assert [tally.bytes_up, tally.bytes_down] == [of(catalogue.SERVER_BYTES, "db", "one", w) for w in ("up", "down")]
    assert tally.failed_since == of(catalogue.FAILED_SINCE, "db", "one")
    assert tally.failed == of(catalogue.FAILED, "db", "one")
    assert tally.out_until == of(catalogue.OUT_UNTIL, "db", "one")
    assert tally.failures["refused"] == of(catalogue.SERVER_FAILURES, "db", "one", "refused")


def config() -> model.Config:
    main = model.Main(2, "", "", "", 0, 0, Affinity.OFF, 0.0)
    servers = (member(name="one"), member(name="two"))
    return model.Config(
        main, model.Log(Level.INFO, "stderr"), {"web": listener()}, {"db": upstream(servers=servers)}, ()
    )


def test_what_the_master_reserves_is_all_that_a_worker_will_look_up() -> None:
    place = Row()
    reserve(place.board, place.columns, config())
    used = place.columns.used
    for metric in catalogue.PROCESS_METRICS:
        place.columns.of(metric)
    ListenerTally(place.row, place.columns, "web")
    for server in ("one", "two"):
        ServerTally(place.row, place.columns, "db", server)
    assert place.columns.used == used


def test_every_metric_of_the_catalogue_is_reserved() -> None:
    place = Row()
    reserve(place.board, place.columns, config())
    every = (*catalogue.PROCESS_METRICS, *catalogue.LISTENER_METRICS, *catalogue.SERVER_METRICS)
    assert not [metric.name for metric in every if not list(place.columns.each(metric))]
