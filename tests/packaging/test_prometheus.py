"""The alert rules that we ship: each is explained, and goes off when it should and only then."""

import json
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.kit import find_program, needs
from tests.packaging.alerts import ALERTS, Series
from tests.packaging.promql import OF_TARGETS, problems, series_names

RULES = Path(__file__).parents[2] / "packaging/prometheus/l4d.rules.yml"


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(RULES.read_text("utf-8"))["groups"] for rule in group["rules"]]


def promtool(*words: str | Path) -> str:
    """What it says; it must find nothing wrong."""
    program = find_program("promtool")
    assert program
    done = subprocess.run([program, *map(str, words)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_says_what_is_the_matter_and_how_grave_it_is(rule: dict[str, Any]) -> None:
    assert rule["labels"]["severity"] in {"critical", "warning"}
    assert re.fullmatch(r"\S.*[^.]", rule["annotations"]["summary"])
    assert re.fullmatch(r"\S.*\.|\S.*\?", rule["annotations"]["description"], re.DOTALL)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_asks_only_for_what_l4d_tells(rule: dict[str, Any]) -> None:
    assert problems(rule["expr"]) == []


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_an_alert_speaks_only_of_labels_that_it_has(rule: dict[str, Any]) -> None:
    spoken = set(re.findall(r"\$labels\.(\w+)", "".join(rule["annotations"].values())))
    groups = re.findall(r"\bby\s*\(([^)]*)\)", rule["expr"])
    if groups:
        had = set(re.findall(r"\w+", groups[0]))
    else:
        had = {
            label for name, labels in series_names().items() if name in rule["expr"] for label in labels
        } | OF_TARGETS
    assert spoken <= had


@needs("promtool")
def test_prometheus_takes_the_rules() -> None:
    assert "SUCCESS" in promtool("check", "rules", RULES)


def test_no_alert_is_without_a_test() -> None:
    assert sorted(ALERTS) == sorted(rule["alert"] for rule in rules())


def case(alert: str, series: Series, *, fires: bool) -> dict[str, object]:
    """A test of one alert after half an hour, in promtool's words (JSON is YAML)."""
    asked = {
        "expr": f'count by (alertname) (ALERTS{{alertname="{alert}", alertstate="firing"}})',
        "eval_time": "29m",
        "exp_samples": [{"labels": f'{{alertname="{alert}"}}', "value": 1}] if fires else [],
    }
    values = [{"series": name, "values": each} for name, each in series.items()]
    return {"interval": "1m", "input_series": values, "promql_expr_test": [asked]}


@needs("promtool")
@pytest.mark.parametrize("alert", sorted(ALERTS))
def test_an_alert_goes_off_when_it_should_and_only_then(alert: str, tmp_path: Path) -> None:
    known = ALERTS[alert]
    cases = [case(alert, known.fires, fires=True), case(alert, known.quiet, fires=False)]
    file = tmp_path / "test.yml"
    file.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "30s", "tests": cases}))
    promtool("test", "rules", file)


@needs("promtool")
def test_a_case_that_is_wrong_is_found_out(tmp_path: Path) -> None:
    """The tests above could fail."""
    file = tmp_path / "test.yml"
    wrong = case("L4dUnreachable", ALERTS["L4dUnreachable"].quiet, fires=True)
    file.write_text(json.dumps({"rule_files": [str(RULES)], "evaluation_interval": "30s", "tests": [wrong]}))
    with pytest.raises(AssertionError, match="FAILED"):
        promtool("test", "rules", file)
