"""Figures and how they are shown."""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import psutil


@dataclass(frozen=True)
class Figure:
    """One measured number.

    `place` is where: on which broker, with which record. `floor` is what it has to reach, or not
    to exceed when `at_most`; `beside` is what was measured next to it in the same run.
    """

    benchmark: str
    place: str
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

    @property
    def bound(self) -> str:
        """The floor as it is shown."""
        return "" if self.floor is None else f"{'≤' if self.at_most else '≥'} {amount(self.floor)}"


def amount(value: float) -> str:
    """Return a number with three digits that say something."""
    if value >= 100 or value == int(value):  # noqa: PLR2004 - no decimals from here
        return f"{value:,.0f}"
    return f"{value:.3g}"


def markdown(figures: Sequence[Figure]) -> str:
    """Return a table of one benchmark's figures, a column for each place."""
    at: dict[str, dict[str, Figure]] = {}
    for figure in figures:
        at.setdefault(figure.place, {})[figure.what] = figure
    # Where most was measured, all rows are, in their order.
    fullest = sorted(at.values(), key=len, reverse=True)
    rows = dict.fromkeys(what for place in fullest for what in place)
    head = ["what", *at, "floor", "held", "beside it, same run"]
    lines = [head, ["---", *("---:" for _ in at), "---:", "---", "---"]]
    lines += [_row(what, [place.get(what) for place in at.values()]) for what in rows]
    title = f"**{figures[0].benchmark}**" if figures else ""
    return "\n".join([title, "", *("| " + " | ".join(line) + " |" for line in lines)])


def _row(what: str, cells: Sequence[Figure | None]) -> list[str]:
    found = [cell for cell in cells if cell]
    bound = next((cell.bound for cell in found if cell.bound), "")
    held = all(cell.held is not False for cell in found)
    return [
        f"{what}, {found[0].unit}" if found[0].unit else what,
        *(_shown(cell) if cell else "" for cell in cells),
        bound,
        ("yes" if held else "**no**") if bound else "",
        " / ".join(dict.fromkeys(cell.beside for cell in found if cell.beside)),
    ]


def _shown(figure: Figure) -> str:
    return f"**{amount(figure.value)}**" if figure.held is False else amount(figure.value)


def plain(figures: Iterable[Figure]) -> list[dict[str, Any]]:
    """Return the figures for JSON."""
    return [asdict(figure) | {"held": figure.held} for figure in figures]


def say(name: str, where: str) -> None:
    """Tell whoever waits what is being measured."""
    print(f"{name}: {where} …", file=sys.stderr, flush=True)


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
