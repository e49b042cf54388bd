"""The text of /metrics."""

import subprocess

import pytest
from prometheus_client import Metric as Family
from prometheus_client.parser import text_string_to_metric_families

from l4d import __version__
from l4d.address import Host, Inet
from l4d.admin import metrics
from l4d.config.model import Config
from l4d.stats import catalogue
from l4d.stats.catalogue import Kind
from l4d.stats.columns import Columns
from l4d.stats.histogram import Histogram
from l4d.stats.numbers import Numbers
from l4d.stats.process import Presence
from l4d.stats.tally import ListenerTally, ServerTally, reserve
from l4d.terms import End, Protocol, WorkerState
from tests.kit.needs import find_program, needs
from tests.unit.making import CONTROL, OwnBoard, Row, config_of, listener, member, upstream

NOW = 1000.0

HOSTILE = 'a "quoted\\ name\nof two lines'


class Told:
    """A board on which a little of everything was counted, and what is told of it."""

    def __init__(self) -> None:
        servers = (
            member(name="one"),
            member(name=HOSTILE),
            member(name="db.example:80", address=Host("db.example", 80)),
        )
        both = {"web": listener(), "dns": listener(name="dns", protocol=Protocol.UDP)}
        self.config: Config = config_of(upstream(servers=servers))
        self.config.listeners.update(both)
        self.row = Row(OwnBoard(rows=8, columns=1 << 13), Columns(1 << 13))
        reserve(self.row.columns, self.config, slots=2)
        self.presence = Presence(self.row.row, self.row.columns, 4711, 3, 1, 2)
        self.presence.become(WorkerState.SERVING)
        self.web = ListenerTally(self.row.row, self.row.columns, "web")
        self.one = ServerTally(self.row.row, self.row.columns, "db", "one")

    def text(self) -> str:
        numbers = Numbers(self.row.board, self.row.columns)
        scene = metrics.look(numbers, self.config, CONTROL, NOW, lambda pid: pid * 1000)
        return metrics.text(scene).decode()

    def families(self) -> dict[tuple[str, str], Family]:
        """By name and type: the parser has no `_total` in the name of a counter."""
        return {(family.name, family.type): family for family in text_string_to_metric_families(self.text())}

    def value(self, name: str, **labels: str) -> float:
        """Of the one series that has these labels, whatever others it has."""
        [found] = [
            sample.value
            for family in text_string_to_metric_families(self.text())
            for sample in family.samples
            if sample.name == name and labels.items() <= sample.labels.items()
        ]
        return found


@pytest.fixture
def told() -> Told:
    return Told()


def test_every_metric_of_the_catalogue_is_told_with_its_kind_and_its_sentence(told: Told) -> None:
    families = told.families()
    assert len(families) == len(catalogue.SHOWN)
    for metric in catalogue.SHOWN:
        kind = {Kind.COUNTER: "counter", Kind.HISTOGRAM: "histogram"}.get(metric.kind, "gauge")
        family = families[f"l4d_{metric.name.removesuffix('_total')}", kind]
        assert family.documentation == metric.help
        assert family.samples
        assert all(set(sample.labels) - {"le"} == set(metric.labels) for sample in family.samples)


def test_who_runs_and_what_workers_do(told: Told) -> None:
    assert told.value("l4d_info", version=__version__, generation="3") == 1
    assert [told.value("l4d_workers", state=state.value) for state in WorkerState] == [0, 1, 0, 0]


def test_sessions_are_told_by_listener_and_end(told: Told) -> None:
    told.web.begun()
    told.web.begun()
    told.web.over(End.LIMIT, 2.5)
    assert told.value("l4d_sessions_total", listener="web") == 2
    assert told.value("l4d_sessions", listener="web") == 1
    assert told.value("l4d_session_ends_total", listener="web", end="PL") == 1
    assert told.value("l4d_session_ends_total", listener="web", end="--") == 0
    assert told.value("l4d_refused_total", listener="web", reason="full") == 1
    assert told.value("l4d_session_duration_seconds_sum", listener="web") == 2.5
    assert told.value("l4d_session_duration_seconds_bucket", listener="web", le="1") == 0
    assert told.value("l4d_session_duration_seconds_bucket", listener="web", le="5") == 1
    assert told.value("l4d_session_duration_seconds_count", listener="web") == 1


def test_only_ends_and_datagrams_that_a_protocol_knows_are_told(told: Told) -> None:
    text = told.text()
    assert 'l4d_session_ends_total{end="UD",listener="dns"} 0.0' in text
    assert 'end="UD",listener="web"' not in text
    assert 'end="cD",listener="dns"' not in text
    assert 'l4d_datagrams_total{direction="up",listener="dns"}' in text
    assert 'l4d_datagrams_dropped_total{listener="web"' not in text


def test_a_server_is_told_with_its_numbers(told: Told) -> None:
    tally = told.one
    told.row.row[tally.sessions_total] += 4
    told.row.row[tally.bytes_down] += 7
    told.row.row[tally.failures["refused"]] += 2
    tally.connect.observe(0.003)
    assert told.value("l4d_server_up", server="one") == 1
    assert told.value("l4d_server_weight", server="one") == 1
    assert told.value("l4d_server_state", server="one", state="ready") == 1
    assert told.value("l4d_server_state", server="one", state="drain") == 0
    assert told.value("l4d_server_sessions_total", server="one") == 4
    assert told.value("l4d_server_bytes_total", server="one", direction="down") == 7
    assert told.value("l4d_server_failures_total", server="one", reason="refused") == 2
    assert told.value("l4d_connect_seconds_bucket", server="one", le="0.005") == 1


def test_a_name_without_addresses_is_not_up_and_an_address_that_has_gone_leaves_its_counts(told: Told) -> None:
    assert told.value("l4d_server_up", server="db.example:80") == 0
    assert "db.example:80#1" not in told.text()
    seat = told.row.seat()
    seat.sit(Inet("10.0.0.9", 80), 1, backup=False)
    told.row.said[told.row.columns.of(catalogue.SEATS_TAKEN, "db", "db.example:80")] = 1
    assert told.value("l4d_server_up", server="db.example:80#1") == 1
    assert 'server="db.example:80"' not in told.text()
    seat.vacate()
    assert told.value("l4d_server_up", server="db.example:80") == 0
    assert 'l4d_server_up{server="db.example:80#1"' not in told.text()
    assert told.value("l4d_server_sessions_total", server="db.example:80#1") == 0


def test_whatever_a_name_has_in_it_it_stays_one_label(told: Told) -> None:
    assert told.value("l4d_server_up", server=HOSTILE) == 1


def test_workers_are_told_by_slot(told: Told) -> None:
    told.row.row[told.row.columns.of(catalogue.WORKER_CPU, "1")] = 1234
    Histogram(told.row.row, told.row.columns, catalogue.WORKER_LOOP).observe(0.07)
    assert told.value("l4d_worker_cpu_seconds_total", slot="1") == 1.234
    assert told.value("l4d_worker_cpu_seconds_total", slot="0") == 0
    assert told.value("l4d_worker_resident_bytes", slot="1") == 4_711_000
    assert told.value("l4d_worker_loop_seconds_bucket", le="0.1") == 1
    assert told.value("l4d_worker_loop_seconds_bucket", le="0.05") == 0


def test_what_the_master_counts_is_told(told: Told) -> None:
    retired, of = told.row.board.row(0), told.row.columns.of
    retired[of(catalogue.LAST_RELOAD)] = 1_764_000_000_500
    retired[of(catalogue.RELOADS, "failure")] = 2
    retired[of(catalogue.RESTARTS, "worker")] = 3
    assert told.value("l4d_last_reload_timestamp_seconds") == 1_764_000_000.5
    assert told.value("l4d_reloads_total", result="failure") == 2
    assert told.value("l4d_process_restarts_total", role="worker") == 3
    assert told.value("l4d_process_restarts_total", role="control") == 0


@needs("promtool")
def test_promtool_finds_nothing_to_say_about_it(told: Told) -> None:
    promtool = find_program("promtool")
    assert promtool
    found = subprocess.run(
        [promtool, "check", "metrics"], input=told.text(), capture_output=True, text=True, check=False
    )
    assert (found.returncode, found.stdout, found.stderr) == (0, "", "")
