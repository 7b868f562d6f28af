"""A refrigerant in the simulation: the shipped table, read by temperature in equal steps."""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

from refrigeration.saturation import Fluid, fluid

COLDEST_C, STEP = -70.0, 0.5
GLIDE_SHARE = 0.35
"""The coil's mean temperature is so much of the glide below the dew temperature."""


class Ideal(NamedTuple):
    """What a cubic metre drawn in does at the sizing point; work per cooling, isentropic."""

    cooling_per_m3: float
    work_share: float


class Fluids:
    """Columns by temperature, every half kelvin: an index, not a search."""

    def __init__(self, of: Fluid) -> None:
        self.warmest_c = min(of.bubble[-1] - 1.0, 78.0)
        self.bottom_c = of.dew[0] + 0.5
        self.fluid = of
        self.work_n = of.work_exponent
        self.temperature_n = of.temperature_exponent
        self.vapour_j = of.vapour_kj_kg_k * 1e3
        self.liquid_j = of.liquid_kj_kg_k * 1e3
        self.dew_bar: list[float] = []
        self.middle_bar: list[float] = []
        self.density: list[float] = []
        self.vapour: list[float] = []
        self.liquid: list[float] = []
        self.half_glide: list[float] = []
        celsius = COLDEST_C
        while celsius <= self.warmest_c + 1.0:
            self._add(of, min(max(celsius, self.bottom_c), self.warmest_c))
            celsius += STEP

    def _add(self, of: Fluid, celsius: float) -> None:
        low, high = of.dew_bar(celsius), of.bubble_bar(max(celsius, of.bubble[0]))
        self.dew_bar.append(low)
        self.density.append(_at(of.vapour_kg_m3, of.place(low)))
        self.vapour.append(_at(of.vapour_kj_kg, of.place(low)) * 1e3)
        self.liquid.append(_at(of.liquid_kj_kg, of.place(high)) * 1e3)
        middle = math.sqrt(low * high)
        self.middle_bar.append(middle)
        self.half_glide.append((of.dew_c(middle) - of.bubble_c(middle)) / 2)

    def at(self, column: list[float], celsius: float) -> float:
        """Return a column at a temperature, held at its ends."""
        place = (min(max(celsius, self.bottom_c), self.warmest_c) - COLDEST_C) / STEP
        index = int(place)
        below = column[index]
        return below + (place - index) * (column[index + 1] - below)

    def ideal(
        self,
        evaporating: float,
        condensing: float,
        superheat: float,
        subcooling: float,
        dead: float,
    ) -> Ideal:
        """Return what the sizing needs at dew and mean condensing temperatures."""
        low, high = self.at(self.dew_bar, evaporating), self.at(self.middle_bar, condensing)
        ratio = high / low
        swept = 1 - dead * (ratio**0.87 - 1)
        kelvin = evaporating + 273.15
        density = self.at(self.density, evaporating) * kelvin / (kelvin + superheat + 4)
        liquid_c = condensing - self.at(self.half_glide, condensing) - subcooling
        gain = (
            self.at(self.vapour, evaporating)
            + self.vapour_j * superheat
            - self.at(self.liquid, liquid_c)
        )
        work = low * 1e5 / density * (ratio**self.work_n - 1) / self.work_n
        return Ideal(density * swept * gain, work / gain)

    def exchange(self, capacity: float, td: float, flow: float, room: float) -> float:
        """Return the evaporator's UA (W/K) that takes `capacity` at a TD with an air flow (W/K)."""
        mean = td + GLIDE_SHARE * 2 * self.at(self.half_glide, room - td)
        return -flow * math.log(max(1 - capacity / (flow * mean), 0.06))


def _at(column: list[float], place: float) -> float:
    index = int(place)
    return column[index] + (place - index) * (column[index + 1] - column[index])


@cache
def fluids(refrigerant: str) -> Fluids:
    """Return a refrigerant's columns.

    Raises
    ------
    ValueError
        No table of it ships.
    """
    found = fluid(refrigerant)
    if found is None:
        msg = f"no table of {refrigerant}"
        raise ValueError(msg)
    return Fluids(found)
