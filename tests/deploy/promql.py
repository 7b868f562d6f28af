"""What dashboards and alerts ask Prometheus: their queries, and the metrics that these name."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import promql_parser
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
DASHBOARDS = sorted((DEPLOY / "grafana" / "dashboards").glob("*.json"))
VARIABLES = {"$__rate_interval": "10s", "$stage": ".*", "$instance": ".*"}
"""What Grafana puts in their place; the interval is some scrapes long."""


def panels(dashboard: Path) -> list[dict[str, Any]]:
    """The panels of a dashboard, without the rows between them."""
    found = json.loads(dashboard.read_text("utf-8"))["panels"]
    return [panel for panel in found if panel["type"] != "row"]


def rendered(query: str) -> str:
    for name, value in VARIABLES.items():
        query = query.replace(name, value)
    return query


def queries(dashboard: Path) -> Iterator[tuple[str, str]]:
    """The title of a panel and what it asks, its variables replaced."""
    for panel in panels(dashboard):
        for target in panel["targets"]:
            yield panel["title"], rendered(target["expr"])


def rules() -> list[dict[str, Any]]:
    """All alerts."""
    groups = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def asked(query: str) -> tuple[list[tuple[str, set[str]]], set[str]]:
    """The metrics that a query names, each with the labels it selects by; the labels it sums by."""
    selected: list[tuple[str, set[str]]] = []
    grouped: set[str] = set()
    waiting: list[Any] = [promql_parser.parse(query)]
    while waiting:
        part = waiting.pop()
        if isinstance(part, promql_parser.VectorSelector):
            selected.append((part.name, {each.name for each in part.matchers.matchers}))
        elif isinstance(part, promql_parser.MatrixSelector):
            waiting.append(part.vector_selector)
        elif isinstance(part, promql_parser.BinaryExpr):
            waiting += [part.lhs, part.rhs]
        elif isinstance(part, promql_parser.Call):
            waiting += part.args
        elif hasattr(part, "expr"):
            waiting.append(part.expr)
            if isinstance(part, promql_parser.AggregateExpr) and part.modifier:
                assert part.modifier.type == promql_parser.AggModifierType.By, query
                grouped |= set(part.modifier.labels)
    return selected, grouped
