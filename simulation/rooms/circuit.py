"""The refrigerant's circuit: compressor, condenser, expansion device, evaporator.

Quasi-steady in the heat balances, with lags for what has mass: at each step the evaporating
temperature is the one at which the compressor takes what the evaporator gives.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp

from simulation.rooms.design import Design
from simulation.rooms.faults import Effects
from simulation.rooms.fluids import COLDEST_C, GLIDE_SHARE, STEP

ZERO_C = 273.15
PRESSURE_S, PIPE_S, DISCHARGE_S, SUPERHEAT_S = 35.0, 60.0, 200.0, 60.0
"""Time constants, s, while it runs."""
REST_LOW_S, REST_HIGH_S, REST_PIPE_S, REST_DISCHARGE_S = 300.0, 400.0, 1200.0, 2400.0
"""At rest: refrigerant moves and warms to what is around it."""
STARVED_K, FANLESS_K = 24.0, 5.5
"""Superheat that a wholly starved evaporator gains, and that one without air loses."""
SHELL_LOSS = 0.92
VALVE_GAS_K, HOT_K, WET_K = 45.0, 38.0, 30.0
"""What recompressed gas, a compressor badly cooled, droplets do to the discharge at their worst."""


@dataclass(slots=True)
class Circuit:
    """What the refrigerant is doing: °C, bar absolute, W."""

    evaporating: float
    condensing: float
    superheat: float
    suction: float
    discharge: float
    liquid: float
    cooling: float = 0.0
    work: float = 0.0
    low_bar: float = 1.0
    high_bar: float = 1.0
    flow: float = 1.0
    exchange: float = 0.0

    @classmethod
    def at_rest(cls, room: float, ambient: float) -> Circuit:
        """Make one that has stood for long."""
        return cls(room, ambient, 5.0, room, ambient, ambient)

    def run(
        self, d: Design, e: Effects, dt: float, air: float, ambient: float, fans: float
    ) -> None:
        """Let the compressor run for a step.

        `air` is what comes onto the evaporator; `fans` scales the condenser. `evaporator` must
        have said before what the evaporator can exchange.
        """
        f = d.fluids
        wanted = d.superheat * (1 - 0.97 * e.flooded) + STARVED_K * e.starved - 2.5 * e.valve_gas
        wanted -= FANLESS_K * (1 - self.flow)
        wanted = max(min(wanted, air - self.evaporating - 0.4), 0.15)
        self.superheat += (wanted - self.superheat) * (1 - exp(-dt / SUPERHEAT_S))
        quick = 1 - exp(-dt / PRESSURE_S)
        high = f.at(f.middle_bar, self.condensing) + e.gas_bar
        target, cooling, mass, ratio = self._balance(d, e, air, high)
        self.evaporating += (target - self.evaporating) * quick
        self.cooling = cooling
        low = f.at(f.dew_bar, self.evaporating)
        efficiency = d.efficiency / ((1 + 0.3 * e.hot) * (1 + 0.25 * e.valve_gas))
        efficiency /= 1 + 0.3 * e.flooded
        kelvin = self.suction + ZERO_C
        first = low * 1e5 / self.density(d) * (ratio**f.work_n - 1) / f.work_n
        self.work = mass * first / efficiency
        rise = kelvin * (ratio**f.temperature_n - 1) / efficiency * SHELL_LOSS
        hot = self.suction + rise + VALVE_GAS_K * e.valve_gas + HOT_K * e.hot - WET_K * e.flooded
        self.discharge += (hot - self.discharge) * (1 - exp(-dt / DISCHARGE_S))
        rejected = cooling + self.work * SHELL_LOSS
        warm = max(ambient + rejected / (d.condenser_ua * e.condenser * fans), d.lowest_condensing)
        self.condensing += (min(warm, f.warmest_c - 1) - self.condensing) * quick
        self._pipes(d, e, dt, ambient, rejected)
        self.low_bar = f.at(f.dew_bar, self.evaporating)
        self.high_bar = f.at(f.middle_bar, self.condensing) + e.gas_bar

    def evaporator(self, d: Design, flow: float, frost: float, e: Effects) -> None:
        """Say what the evaporator exchanges (W/K): of its air flow and frost, as built 1 and 0."""
        self.flow = flow
        carried = d.evaporator_flow * flow
        ua = d.evaporator_ua * flow**0.5 / (1 + 1.1 * frost) * (1 - e.starved) ** 1.5
        self.exchange = carried * (1 - exp(-ua / carried))

    def density(self, d: Design) -> float:
        """Return the density of the gas drawn in, kg/m³."""
        f = d.fluids
        dew = self.evaporating + ZERO_C
        return f.at(f.density, self.evaporating) * dew / max(self.suction + ZERO_C, dew)

    def _balance(
        self, d: Design, e: Effects, air: float, high: float
    ) -> tuple[float, float, float, float]:
        """Return evaporating temperature, cooling, mass flow and ratio that go together."""
        f = d.fluids
        cold, top = f.bottom_c, air - 0.2
        x = min(max(self.evaporating, cold), top)
        glide = GLIDE_SHARE * 2 * f.at(f.half_glide, x)
        liquid = f.at(f.liquid, self.liquid)
        intake = d.displacement * (1 - e.valve_gas) * (1 - 0.07 * e.hot)
        over = max(self.suction - self.evaporating, 0.0)
        useful = 1 - 0.4 * e.flooded
        taken = mass = 0.0
        ratio = 1.0
        for _ in range(3):
            place = (x - COLDEST_C) / STEP
            index = int(place)
            part = place - index
            column = f.dew_bar
            low = column[index] + part * (column[index + 1] - column[index])
            column = f.density
            density = column[index] + part * (column[index + 1] - column[index])
            column = f.vapour
            vapour = column[index] + part * (column[index + 1] - column[index])
            ratio = max(high / low, 1.05)
            swept = max(1 - d.clearance * (ratio**0.87 - 1), 0.12)
            kelvin = x + ZERO_C
            mass = intake * density * kelvin / (kelvin + over) * swept
            taken = mass * (vapour + f.vapour_j * self.superheat - liquid) * useful
            given = self.exchange * (air - x + glide)
            x = min(max(x + (given - taken) / (self.exchange + 0.04 * taken), cold), top)
        return x, taken, mass, ratio

    def _pipes(self, d: Design, e: Effects, dt: float, ambient: float, rejected: float) -> None:
        share = 1 - exp(-dt / PIPE_S)
        gain = d.line_gain * min(1.0, self.superheat / 3)
        suction = self.evaporating + self.superheat + gain
        self.suction += (suction - self.suction) * share
        subcooling = d.subcooling * min(1.2, rejected / d.rejected) ** 0.5 + e.subcooling
        bubble = self.condensing - d.fluids.at(d.fluids.half_glide, self.condensing)
        liquid = bubble - max(subcooling, 0.05)
        self.liquid += (max(liquid, min(ambient + 0.3, bubble)) - self.liquid) * share

    def rest(self, d: Design, e: Effects, dt: float, air: float, ambient: float) -> None:
        """Let it stand for a step: pressures go to those of what is around the refrigerant."""
        f = d.fluids
        self.cooling = self.work = 0.0
        self.evaporating += (air - self.evaporating) * (1 - exp(-dt / REST_LOW_S))
        self.condensing += (ambient - self.condensing) * (1 - exp(-dt / REST_HIGH_S))
        slow = 1 - exp(-dt / REST_PIPE_S)
        self.suction += (0.5 * (air + ambient) - self.suction) * slow
        self.liquid += (ambient - self.liquid) * slow
        self.discharge += (ambient - self.discharge) * (1 - exp(-dt / REST_DISCHARGE_S))
        self.superheat = max(self.superheat, 1.0)
        self.low_bar = f.at(f.dew_bar, self.evaporating)
        self.high_bar = f.at(f.middle_bar, self.condensing) + e.gas_bar
