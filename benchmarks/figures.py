"""Figures and how they are shown."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import psutil


@dataclass(frozen=True)
class Figure:
    """One measured number.

    `floor` is what it has to reach, or not to exceed when `at_most`; `beside` is what was
    measured next to it in the same run.
    """

    benchmark: str
    broker: str
    what: str
    value: float
    unit: str
    floor: float | None = None
    at_most: bool = False
    beside: str = ""

    @property
    def held(self) -> bool | None:
        """Whether the floor held; nothing when there is none."""
        if self.floor is None:
            return None
        return self.value <= self.floor if self.at_most else self.value >= self.floor

    def row(self) -> str:
        """Return the figure as a row of a Markdown table."""
        sign = "≤" if self.at_most else "≥"
        floor = "" if self.floor is None else f"{sign} {amount(self.floor)}"
        held = {None: "", True: "yes", False: "**no**"}[self.held]
        unit = f" {self.unit}" if self.unit else ""
        return f"| {self.what} | {amount(self.value)}{unit} | {floor} | {held} | {self.beside} |"


HEAD = "| what | figure | floor | held | beside it, same run |\n|---|---:|---:|---|---|"


def amount(value: float) -> str:
    """Return a number with three digits that say something."""
    if value >= 100 or value == int(value):  # noqa: PLR2004 - no decimals from here
        return f"{value:,.0f}"
    return f"{value:.3g}"


def markdown(figures: Sequence[Figure]) -> str:
    """Return one table for each benchmark and broker."""
    parts = []
    for name in dict.fromkeys((figure.benchmark, figure.broker) for figure in figures):
        rows = [figure.row() for figure in figures if (figure.benchmark, figure.broker) == name]
        parts.append("\n".join([f"**{name[0]}, {name[1]}**", "", HEAD, *rows]))
    return "\n\n".join(parts)


def plain(figures: Iterable[Figure]) -> list[dict[str, Any]]:
    """Return the figures for JSON."""
    return [asdict(figure) | {"held": figure.held} for figure in figures]


def machine() -> dict[str, Any]:
    """Say on what is measured, and how busy it is with other work."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cpu": _cpu(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "python": platform.python_version(),
        "system": platform.platform(terse=True),
        "load": [round(number, 2) for number in os.getloadavg()],
    }


def _cpu() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123 - not a path of ours
            names = [line.partition(":")[2].strip() for line in file if "model name" in line]
    except OSError:
        names = []
    return names[0] if names else platform.processor()
