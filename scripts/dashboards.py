"""Makes the dashboards of Grafana from deploy/grafana/dashboards.yaml.

    python scripts/dashboards.py

Change a panel in the YAML, run this, commit both: a test compares them. The shapes are those of
Grafana's own SDK for 11.6, which later versions read; only panels that come with Grafana are used.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from grafana_foundation_sdk.builders import (
    common,
    dashboard,
    prometheus,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    GraphThresholdsStyleMode,
    SortOrder,
    TooltipDisplayMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    DataSourceRef,
    DynamicConfigValue,
    Threshold,
    ThresholdsMode,
    VariableRefresh,
    VariableSort,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

HERE = Path(__file__).parents[1] / "deploy" / "grafana"
SOURCE = DataSourceRef("prometheus", "${datasource}")

Panel = dict[str, Any]


def bounded(bounds: list[float]) -> dashboard.ThresholdsConfig:
    """Return green, then orange, and red from the last bound on."""
    colours = ["orange", "red"][-len(bounds) :]
    steps = [Threshold(value=None, color="green")]
    steps += [Threshold(*pair) for pair in zip(bounds, colours, strict=True)]
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


def number(told: Panel) -> stat.Panel:
    """Return the latest value, coloured where it has bounds."""
    made = stat.Panel().reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]))
    if "bounds" in told:
        made.color_mode(BigValueColorMode.BACKGROUND)
    return made.span(4).height(4)


def graph(told: Panel) -> timeseries.Panel:
    """Return lines over time; a bound is a dashed line."""
    multi = common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING)
    made = timeseries.Panel().min(0).line_width(2).fill_opacity(8).tooltip(multi)
    if "bounds" in told:
        dashed = common.GraphThresholdsStyleConfig().mode(GraphThresholdsStyleMode.DASHED)
        made.thresholds_style(dashed)
    return made.span(12).height(8)


def state(told: Panel) -> statetimeline.Panel:
    """Return a band for each series: green at 0, red from 1 on."""
    told["bounds"] = [1]
    return statetimeline.Panel().span(12).height(8)


def rows(told: Panel) -> table.Panel:
    """Return a table of what is there now, without the columns that say nothing."""
    made = table.Panel()
    for name in ["Time", *told["hidden"]]:
        made.override_by_name(name, [DynamicConfigValue("custom.hidden", value=True)])
    return made.span(12).height(8)


KINDS = {"number": number, "graph": graph, "state": state, "table": rows}


def panel(told: Panel) -> Any:
    """Return a panel of any kind."""
    kind = next(iter(told))
    made = KINDS[kind](told).title(told[kind]).description(told["about"]).datasource(SOURCE)
    if "unit" in told:
        made.unit(told["unit"])
    if "width" in told:
        made.span(told["width"])
    if "bounds" in told:
        made.thresholds(bounded(told["bounds"]))
    for letter, (legend, expression) in zip("ABCDE", told["lines"].items(), strict=False):
        query = prometheus.Dataquery().ref_id(letter).expr(expression).legend_format(legend)
        made.with_target(
            query.instant().format(PromQueryFormat.TABLE) if kind == "table" else query.range()
        )
    return made


def choice(name: str, label: str, values: str) -> dashboard.QueryVariable:
    """Return a variable of which several values, at first all, may be chosen."""
    made = dashboard.QueryVariable(name).label(label).datasource(SOURCE).query(values)
    made.refresh(VariableRefresh.ON_TIME_RANGE_CHANGED).sort(VariableSort.ALPHABETICAL_ASC)
    return made.multi(multi=True).include_all(include_all=True).all_value(".*")


def board(uid: str, told: dict[str, Any]) -> dashboard.Dashboard:
    """Return a dashboard, with links to the others."""
    others = dashboard.DashboardLink("Astreinte").type(DashboardLinkType.DASHBOARDS)
    made = (
        dashboard.Dashboard(f"Astreinte · {told['title']}")
        .uid(f"astreinte-{uid}")
        .description(told["about"])
        .tags(["astreinte"])
        .timezone("browser")
        .refresh("30s")
        .time("now-3h", "now")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .link(others.tags(["astreinte"]).keep_time(keep_time=True))
        .with_variable(
            dashboard.DatasourceVariable("datasource").label("Source").type("prometheus")
        )
    )
    if "choice" in told:
        made.with_variable(choice(**told["choice"]))
    for place, each in enumerate(told["panels"], 1):
        if "row" in each:
            made.with_row(dashboard.Row(each["row"]).id(place))
        else:
            made.with_panel(panel(each).id(place))
    return made


def render() -> dict[str, str]:
    """Return each dashboard as Grafana reads it, by the name of its file."""
    told = yaml.safe_load((HERE / "dashboards.yaml").read_text("utf-8"))
    encoder = JSONEncoder(sort_keys=True, indent=2, ensure_ascii=False)
    return {
        f"{uid}.json": encoder.encode(board(uid, one).build()) + "\n" for uid, one in told.items()
    }


if __name__ == "__main__":
    (HERE / "dashboards").mkdir(exist_ok=True)
    for name, text in render().items():
        (HERE / "dashboards" / name).write_text(text, "utf-8")
