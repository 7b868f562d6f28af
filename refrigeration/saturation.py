"""What a refrigerant's pressure says of its temperature: dew and bubble, by shipped tables.

Superheat is against the dew temperature, subcooling against the bubble temperature: of a blend
with glide they differ by up to 6 K. Pressures are absolute. The tables were made from CoolProp by
`scripts/saturation.py`; between their points they are linear in ln p (error below 2 mK).
"""

from __future__ import annotations

import json
import math
from bisect import bisect_right
from functools import cache
from importlib.resources import files
from typing import Any


class Fluid:
    """One refrigerant.

    Outside of its table (0.3 to 70 bar, or nearly to its critical pressure) a temperature or a
    pressure is NaN: nothing is extrapolated.
    """

    def __init__(self, table: dict[str, Any]) -> None:
        self.name: str = table["refrigerant"]
        self.source: str = table["source"]
        self.low_bar: float = table["low_bar"]
        self.dew: list[float] = table["dew_c"]
        self.bubble: list[float] = table["bubble_c"]
        self.vapour_kg_m3: list[float] = table["vapour_kg_m3"]
        self.vapour_kj_kg: list[float] = table["vapour_kj_kg"]
        self.liquid_kj_kg: list[float] = table["liquid_kj_kg"]
        self.work_exponent: float = table["work_exponent"]
        self.temperature_exponent: float = table["temperature_exponent"]
        self.vapour_kj_kg_k: float = table["vapour_kj_kg_k"]
        self.liquid_kj_kg_k: float = table["liquid_kj_kg_k"]
        self._step: float = table["step"]
        self._first = math.log(self.low_bar)
        self._last = len(self.dew) - 1
        self.high_bar: float = self.low_bar * math.exp(self._step * self._last)

    def place(self, bar: float) -> float:
        """Return where a pressure stands in the table, counted in its steps; NaN: outside."""
        if not self.low_bar <= bar <= self.high_bar:
            return math.nan
        return min((math.log(bar) - self._first) / self._step, self._last - 1e-9)

    def dew_c(self, bar: float) -> float:
        """Return the temperature (°C) at which the last drop evaporates at an absolute pressure."""
        return self._at(self.dew, bar)

    def bubble_c(self, bar: float) -> float:
        """Return the temperature (°C) at which the last vapour condenses, at an absolute bar."""
        return self._at(self.bubble, bar)

    def dew_bar(self, celsius: float) -> float:
        """Return the absolute pressure whose dew temperature is given."""
        return self._pressure(self.dew, celsius)

    def bubble_bar(self, celsius: float) -> float:
        """Return the absolute pressure whose bubble temperature is given."""
        return self._pressure(self.bubble, celsius)

    def _at(self, column: list[float], bar: float) -> float:
        if not self.low_bar <= bar <= self.high_bar:
            return math.nan
        place = (math.log(bar) - self._first) / self._step
        index = int(place)
        if index >= self._last:
            return column[-1]
        below = column[index]
        return below + (place - index) * (column[index + 1] - below)

    def _pressure(self, column: list[float], celsius: float) -> float:
        if not column[0] <= celsius <= column[-1]:
            return math.nan
        index = min(bisect_right(column, celsius), self._last) - 1
        below = column[index]
        place = index + (celsius - below) / (column[index + 1] - below)
        return math.exp(self._first + place * self._step)


def refrigerants() -> tuple[str, ...]:
    """Return the names of the refrigerants that have a table."""
    names = (entry.name for entry in files("refrigeration").joinpath("fluids").iterdir())
    return tuple(sorted(name.removesuffix(".json") for name in names if name.endswith(".json")))


def fluid(refrigerant: str) -> Fluid | None:
    """Return a refrigerant's table; none of one that is unknown. `r-449a` is R449A."""
    return _fluid(refrigerant.upper().replace("-", "").replace(" ", "").replace("_", ""))


@cache
def _by_capitals() -> dict[str, str]:
    known = {name.upper(): name for name in refrigerants()}
    return known | {"CO2": "R744", "NH3": "R717", "PROPANE": "R290", "ISOBUTANE": "R600a"}


@cache
def _read(name: str) -> Fluid:
    table = files("refrigeration").joinpath("fluids", f"{name}.json")
    return Fluid(json.loads(table.read_text("utf-8")))


def _fluid(capitals: str) -> Fluid | None:
    name = _by_capitals().get(capitals)
    return _read(name) if name else None
