"""The dashboard that we ship: Grafana can import it, and it asks only for what l4d tells."""

import itertools
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from l4d.stats import catalogue
from tests.kit import needs
from tests.packaging.promql import PREFIX, names, names_of, problems, series_names
from tests.packaging.test_prometheus import promtool

FILE = Path(__file__).parents[2] / "packaging/grafana/l4d.json"

DASHBOARD: dict[str, Any] = json.loads(FILE.read_text("utf-8"))

PANELS: list[dict[str, Any]] = DASHBOARD["panels"]

VARIABLES = {variable["name"]: variable for variable in DASHBOARD["templating"]["list"]}

WIDTH = 24
"""Columns of a dashboard."""


def targets() -> Iterator[tuple[str, str]]:
    """The title of each panel with each of its expressions, and those of annotations."""
    for panel in PANELS:
        for target in panel.get("targets", ()):
            yield panel["title"], target["expr"]
    for annotation in DASHBOARD["annotations"]["list"]:
        yield annotation["name"], annotation["expr"]


def filled(expression: str) -> str:
    """As Grafana sends it, when everything is chosen."""
    return re.sub(r"\$(?:instance|listener|upstream)\b", ".*", expression).replace("$__rate_interval", "2m")


def test_grafana_finds_all_that_it_wants_of_a_dashboard() -> None:
    assert DASHBOARD["id"] is None, "Grafana gives it a number"
    assert DASHBOARD["uid"] == "l4d-overview"
    assert DASHBOARD["title"] == "l4d"
    assert DASHBOARD["schemaVersion"] >= 36
    used = {panel["type"] for panel in PANELS} - {"row"}
    assert {each["id"] for each in DASHBOARD["__requires"] if each["type"] == "panel"} == used


def test_every_panel_has_a_number_of_its_own_and_a_place_of_its_own() -> None:
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        place = panel["gridPos"]
        cells = set(
            itertools.product(
                range(place["x"], place["x"] + place["w"]),
                range(place["y"], place["y"] + place["h"]),
            )
        )
        assert place["x"] + place["w"] <= WIDTH
        assert not cells & taken, panel["title"]
        taken |= cells


def test_every_panel_asks_the_data_source_that_was_chosen() -> None:
    chosen = {"type": "prometheus", "uid": "${datasource}"}
    assert VARIABLES["datasource"]["query"] == "prometheus"
    for panel in PANELS:
        if panel["type"] != "row":
            assert panel["datasource"] == chosen
            assert panel["targets"]
            assert all(target["datasource"] == chosen for target in panel["targets"])
            assert len({target["refId"] for target in panel["targets"]}) == len(panel["targets"])


@pytest.mark.parametrize(("title", "expression"), list(targets()))
def test_a_panel_asks_only_for_what_l4d_tells(title: str, expression: str) -> None:
    assert names(expression), title
    assert problems(filled(expression)) == []
    assert set(re.findall(r"\$(\w+)", expression)) <= {*VARIABLES, "__rate_interval"}


@pytest.mark.parametrize(("title", "expression"), list(targets()))
def test_a_panel_shows_the_instances_that_were_chosen(title: str, expression: str) -> None:
    asked = re.findall(rf"\b{PREFIX}\w+(?:\{{[^}}]*\}})?", expression)
    assert asked
    assert all('instance=~"$instance"' in each for each in asked), title


def test_what_can_be_chosen_is_what_l4d_tells() -> None:
    known = series_names()
    for name in ("listener", "upstream"):
        found = re.fullmatch(
            rf'label_values\((\w+)\{{instance=~"\$instance"\}}, {name}\)', VARIABLES[name]["query"]["query"]
        )
        assert found
        assert name in known[found[1]]
    assert VARIABLES["instance"]["query"]["query"] == "label_values(l4d_info, instance)"


def test_every_metric_is_on_the_dashboard() -> None:
    shown = {name for _title, expression in targets() for name in names(expression)}
    missing = [metric.name for metric in catalogue.SHOWN if shown.isdisjoint(dict(names_of(metric)))]
    assert missing == []


@needs("promtool")
def test_prometheus_understands_every_expression(tmp_path: Path) -> None:
    rules = [
        {"record": f"test:number:{number}", "expr": filled(expression)}
        for number, (_title, expression) in enumerate(targets())
    ]
    file = tmp_path / "rules.yml"
    file.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": rules}]}))
    assert f"{len(rules)} rules found" in promtool("check", "rules", file)
