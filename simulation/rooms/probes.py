"""What probes make of the truth: lag, offset, noise, steps, gaps, codes; and the `sensor` fault."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from schemas.vocabulary import Fault
from simulation.rooms.design import ROOMS, Design
from simulation.rooms.faults import Injection
from simulation.rooms.truth import COLUMNS

Column = NDArray[np.float64]


class Probe(NamedTuple):
    """Of a sensor: standard deviations of offset and noise, smallest step, share of plants."""

    offset: float
    noise: float
    step: float
    rooms: float = 1.0
    cabinets: float = 1.0
    relative: bool = False
    """Offset and noise are shares of the value."""


PROBES: dict[str, Probe] = {
    "temperature_c": Probe(0.15, 0.08, 0.1),
    "low_pressure_bar": Probe(0.006, 0.006, 0.01, relative=True),
    "high_pressure_bar": Probe(0.006, 0.004, 0.01, relative=True),
    "current_a": Probe(0.01, 0.012, 0.01, relative=True),
    "voltage_v": Probe(0.003, 0.006, 0.1, 1.0, 0.6, relative=True),
    "vibration_mm_s": Probe(0.0, 0.07, 0.01, 0.7, 0.2, relative=True),
    "humidity_pct": Probe(1.5, 0.8, 0.1, 0.8, 0.5),
    "air_flow_m3_h": Probe(0.03, 0.02, 1.0, 0.6, 0.1, relative=True),
    "suction_c": Probe(0.3, 0.15, 0.1),
    "discharge_c": Probe(0.4, 0.2, 0.1),
    "liquid_c": Probe(0.25, 0.12, 0.1),
    "ambient_c": Probe(0.2, 0.15, 0.1),
    "air_on_c": Probe(0.15, 0.1, 0.1),
    "air_off_c": Probe(0.15, 0.1, 0.1),
    "product_c": Probe(0.15, 0.05, 0.1, 0.7, 0.3),
    "power_w": Probe(0.01, 0.01, 1.0, 0.8, 0.6, relative=True),
    "door": Probe(0, 0, 1),
    "defrost": Probe(0, 0, 1),
    "compressor": Probe(0, 0, 1),
    "evaporator_fan": Probe(0, 0, 1, 0.8, 0.6),
    "condenser_fan": Probe(0, 0, 1, 0.8, 0.6),
}
CODES = (-99.0, 882.6, -999.0)
LOST_A_STEP = 0.0004
"""Share of steps at which one value is lost, or is a code."""
MEAN_GAP_STEPS = 12.0
CAN_FAIL = ("temperature_c", "suction_c", "discharge_c", "liquid_c", "product_c", "air_off_c")
LARGEST = {"low_pressure_bar": 1.5, "high_pressure_bar": 6.0}
"""How far a probe drifts at worst, in its unit; temperatures 12 K."""


def sensors_of(design: Design, *, every: bool = False) -> tuple[str, ...]:
    """Return the sensors that a plant has, drawn by its seed; with `every`, all of them."""
    rng = np.random.default_rng([design.seed, 3])
    room = design.kind in ROOMS
    draws = dict(zip(PROBES, rng.uniform(size=len(PROBES)), strict=True))
    return tuple(
        name
        for name, probe in PROBES.items()
        if every or draws[name] < (probe.rooms if room else probe.cabinets)
    )


class Probes:
    """The probes of one plant; offsets are its own for good, noise goes on with `rng`."""

    def __init__(self, design: Design, sensors: tuple[str, ...]) -> None:
        self.design = design
        self.sensors = sensors
        draws = np.random.default_rng([design.seed, 4]).normal(size=len(PROBES))
        self.offsets = dict(zip(PROBES, np.clip(draws, -2, 2), strict=True))
        self._rng = np.random.default_rng([design.seed, 5])
        self._lagged: float | None = None
        self._held: dict[str, float] = {}

    def show(
        self, at: Column, truths: Column, step_s: float, injections: list[Injection]
    ) -> dict[str, Column]:
        """Return what the sensors of the plant show of a stretch of truths (rows by steps)."""
        shown = {}
        for place, name in enumerate(COLUMNS):
            probe, true = PROBES[name], truths[:, place]
            noise = self._rng.standard_normal(len(true)) * probe.noise
            lost = self._rng.random(len(true))
            if name not in self.sensors:
                continue
            if name == "temperature_c":
                true = self._lag(true, step_s)
            error = noise + self.offsets[name] * probe.offset
            value = true * (1 + error) if probe.relative else true + error
            if name == "humidity_pct":
                value = np.clip(value, 0, 100)
            value = np.round(value / probe.step) * probe.step
            if probe.noise:
                value[lost < LOST_A_STEP / 2] = np.nan
                code = CODES[int(self.design.seed) % len(CODES)]
                value[(lost >= LOST_A_STEP / 2) & (lost < LOST_A_STEP)] = code
            shown[name] = np.round(value, 3)
        for injection in injections:
            if injection.fault is Fault.SENSOR:
                self._spoil(shown, at, injection)
        return shown

    def _lag(self, true: Column, step_s: float) -> Column:
        share = 1 - np.exp(-step_s / self.design.probe_s)
        last = float(true[0]) if self._lagged is None else self._lagged
        out = np.empty_like(true)
        for place, value in enumerate(true.tolist()):
            last += (value - last) * share
            out[place] = last
        self._lagged = last
        return out

    def _spoil(self, shown: dict[str, Column], at: Column, injection: Injection) -> None:
        """Have one probe drift, freeze, jump about or go open, as the seed chooses."""
        rng = np.random.default_rng([self.design.seed, 6])
        pool = [n for n in (*CAN_FAIL, *LARGEST) if n in shown]
        name = pool[int(rng.integers(len(pool)))]
        way = int(rng.integers(4))
        sign = 1.0 if rng.uniform() < 0.5 else -1.0  # noqa: PLR2004
        hit = (at >= injection.onset) & (at < injection.end)
        column = shown[name]
        if not hit.any():
            self._held[name] = float(column[-1])
            return
        severity = np.array([injection.now(moment) for moment in at[hit].tolist()])
        largest = LARGEST.get(name, 12.0)
        values = column[hit]
        if way == 0:
            held = self._held.setdefault(name, float(values[0]))
            column[hit] = held
        elif way == 1:
            code = CODES[int(rng.integers(len(CODES)))]
            open_now = self._rng.random(len(values)) < 0.3 + 0.7 * severity
            column[hit] = np.where(open_now, code, values)
        elif way == 2:  # noqa: PLR2004
            column[hit] = values + self._rng.standard_normal(len(values)) * largest / 2 * severity
        else:
            column[hit] = values + sign * largest * severity

    def gaps(self, count: int) -> NDArray[np.bool_]:
        """Return at which of so many steps nothing at all arrives: bursts, as of a lost network."""
        missing = np.zeros(count, dtype=bool)
        bursts = self._rng.poisson(count * self.design.gap_share / MEAN_GAP_STEPS)
        for _ in range(int(bursts)):
            start = int(self._rng.integers(count))
            missing[start : start + 1 + int(self._rng.exponential(MEAN_GAP_STEPS))] = True
        return missing
