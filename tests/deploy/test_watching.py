"""Dashboards, alerts and the runbook speak of what exists, and of each other."""

from __future__ import annotations

import importlib.util
import json
import re
from pathlib import Path

import prometheus_client
import pytest
import yaml

from schemas.topics import STAGES
from services import metrics
from services.postman import FULL
from tests.deploy.promql import DASHBOARDS, DEPLOY, asked, panels, queries, rules

ROOT = DEPLOY.parent
TARGET = {"instance", "job", "part"}
"""Labels that Prometheus puts on whatever it reads; `part` where deploy/prometheus says so."""
OWN = {"up": set(), "ALERTS": {"alertname", "alertstate", "severity", "stage"}}
"""What Prometheus itself knows."""
QUERIES = [
    *((f"{file.name}: {title}", query) for file in DASHBOARDS for title, query in queries(file)),
    *((f"alerts.yml: {rule['alert']}", rule["expr"]) for rule in rules()),
]
RUNBOOK = (ROOT / "docs" / "how-to" / "runbook.md").read_text("utf-8")
each_dashboard = pytest.mark.parametrize("file", DASHBOARDS, ids=lambda file: file.name)
each_rule = pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])


def known() -> dict[str, set[str]]:
    """Every series that the product exports, with its labels."""
    assert metrics.HANDLED  # importing it is what registers them
    found = dict(OWN)
    for collector, names in prometheus_client.REGISTRY._collector_to_names.items():
        labels = set(getattr(collector, "_labelnames", ()))
        sampled = {s.name: set(s.labels) for family in collector.collect() for s in family.samples}
        for name in (*names, *sampled):
            of_bucket = {"le"} if name.endswith("_bucket") else set()
            found[name] = labels | of_bucket | sampled.get(name, set())
    return found


KNOWN = known()


@pytest.mark.parametrize(("place", "query"), QUERIES, ids=[place for place, _ in QUERIES])
def test_a_query_names_metrics_that_exist_and_labels_that_they_have(place: str, query: str):
    selected, grouped = asked(query)
    assert selected
    for name, labels in selected:
        assert name in KNOWN, name
        assert labels <= KNOWN[name] | TARGET, name
    assert grouped <= TARGET.union(*(KNOWN[name] for name, _ in selected))


def test_a_query_of_something_made_up_is_noticed():
    (selected,), grouped = asked('sum by (le) (rate(astreinte_events_total{nothing="1"}[5m]))')
    assert selected == ("astreinte_events_total", {"nothing"})
    assert not selected[1] <= KNOWN[selected[0]]
    assert not grouped <= KNOWN[selected[0]]


def test_every_metric_of_the_desk_is_shown_or_watched():
    asked_for = {name for _, query in QUERIES for name, _ in asked(query)[0]}
    ends = ("", "_total", "_bucket", "_info")
    ours = {
        name
        for collector, names in prometheus_client.REGISTRY._collector_to_names.items()
        if (name := names[0]).startswith("astreinte_")
        if not asked_for & {f"{name}{end}" for end in ends}
    }
    assert ours == set()


# --- dashboards ------------------------------------------------------------------------------


def test_the_dashboards_are_what_their_source_makes():
    spec = importlib.util.spec_from_file_location("dashboards", ROOT / "scripts" / "dashboards.py")
    assert spec and spec.loader
    script = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(script)
    made = {file.name: file.read_text("utf-8") for file in DASHBOARDS}
    assert made == script.render(), "run: python scripts/dashboards.py"


@each_dashboard
def test_a_dashboard_needs_nothing_but_grafana_and_a_prometheus(file: Path):
    board = json.loads(file.read_text("utf-8"))
    assert board["uid"] == f"astreinte-{file.stem}"
    assert board["schemaVersion"] >= 39  # Grafana 11
    assert board["templating"]["list"][0]["name"] == "datasource"
    for panel in panels(file):
        assert panel["type"] in {"stat", "timeseries", "state-timeline", "table"}
        assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}


@each_dashboard
def test_every_panel_has_its_place_and_says_what_it_shows(file: Path):
    board = json.loads(file.read_text("utf-8"))
    ids = [panel["id"] for panel in board["panels"]]
    assert len(ids) == len(set(ids))
    taken: set[tuple[int, int]] = set()
    for panel in board["panels"]:
        place = panel["gridPos"]
        columns = range(place["x"], place["x"] + place["w"])
        cells = {(x, y) for x in columns for y in range(place["y"], place["y"] + place["h"])}
        assert max(columns) < 24
        assert not cells & taken, panel["title"]
        taken |= cells
    for panel in panels(file):
        assert panel["title"] and panel["description"]


# --- alerts ----------------------------------------------------------------------------------


@each_rule
def test_an_alert_says_how_urgent_it_is_what_it_means_and_where_to_read_on(rule: dict):
    assert rule["labels"]["severity"] in {"critical", "warning", "info"}
    said = rule["annotations"]
    assert said.keys() == {"summary", "description", "summary_en", "runbook"}
    assert said["runbook"] == f"docs/how-to/runbook.md#{rule['alert'].lower()}"


@each_rule
def test_an_alert_has_its_page_with_its_urgency_and_what_to_do(rule: dict):
    (page,) = re.findall(
        rf"^### {rule['alert']}$(.*?)(?=^##|\Z)", RUNBOOK, re.MULTILINE | re.DOTALL
    )
    assert page.strip().startswith(f"*{rule['labels']['severity'].capitalize()}.*")
    assert re.search(r"^1\. ", page, re.MULTILINE)


def test_the_runbook_has_no_page_of_an_alert_that_is_gone():
    assert re.findall(r"^### (.+)$", RUNBOOK, re.MULTILINE) == [rule["alert"] for rule in rules()]


@each_rule
def test_an_alert_that_could_be_a_moments_trouble_waits(rule: dict):
    """Those that do not wait look back over ten minutes or more themselves."""
    assert "for" in rule or re.search(r"\[(10m|30m|1h)\]", rule["expr"])


@each_rule
def test_an_alert_is_tried(rule: dict):
    tests = "".join(file.read_text("utf-8") for file in (DEPLOY / "prometheus").glob("*.test.yml"))
    assert re.search(rf'alertname="{rule["alert"]}"', tests)


def test_every_stage_is_missed_when_it_is_absent():
    (rule,) = (rule for rule in rules() if rule["alert"] == "StageAbsent")
    assert set(re.findall(r'stage="(\w+)"', rule["expr"])) == {*STAGES, "record"}


def test_the_outbox_is_called_nearly_full_at_half_of_what_it_takes():
    (rule,) = (rule for rule in rules() if rule["alert"] == "OutboxNearlyFull")
    assert rule["expr"].endswith(f"> {FULL // 2}")


def test_prometheus_reads_the_rules_that_ship():
    config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text("utf-8"))
    assert config["rule_files"] == ["alerts.yml"]
    assert "astreinte" in {job["job_name"] for job in config["scrape_configs"]}
