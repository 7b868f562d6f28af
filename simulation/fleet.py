"""Simulated units that send as a bridge does: what each shows, step by step, as events."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

import numpy as np

from refrigeration.measures import ATMOSPHERE_BAR
from refrigeration.profile import Kind, Profile
from schemas.errors import Unavailable
from schemas.event import Event
from schemas.frigo import InboundReading
from schemas.vocabulary import Fault
from simulation.rooms.design import design
from simulation.rooms.faults import CAUSES, SLOW, Injection
from simulation.rooms.probes import Probes, sensors_of
from simulation.rooms.profiles import bridge_name, is_gauge, profile, unit_id_of
from simulation.rooms.room import Room

Publish = Callable[[Sequence[Event]], Awaitable[None]]
RETRY_S = 5.0
SHORTEST, LONGEST = 3, 8
"""A fault of `Chances` lasts so many cycles, as in the first system."""


class Unit:
    """One simulated unit and its bridge."""

    def __init__(self, seed: int, at: float, step_s: float, kind: Kind | None = None) -> None:
        self.design = design(seed, kind)
        self.sensors = sensors_of(self.design)
        self.room = Room(self.design, at)
        self.unit_id = unit_id_of(seed)
        self._probes = Probes(self.design, self.sensors)
        self._step_s = step_s

    @property
    def profile(self) -> Profile:
        """What its owner declares of it."""
        return profile(self.design, self.sensors, self._step_s)

    def inject(self, injection: Injection) -> None:
        """Let a fault begin; it is not told in any reading."""
        self.room.inject(injection)

    def step(self) -> dict[str, float | None]:
        """Move on; return the values under the bridge's names and in its units, `None` if lost."""
        truths = np.array([self.room.step(self._step_s)])
        at = np.array([self.room.at])
        shown = self._probes.show(at, truths, self._step_s, self.room.injections)
        values: dict[str, float | None] = {}
        for name, column in shown.items():
            value = float(column[0])
            if name.endswith("_bar") and is_gauge(self.design) and value > 0:
                value = round(value - ATMOSPHERE_BAR, 3)
            values[bridge_name(self.design, name)] = None if np.isnan(value) else value
        return values

    def reading(self, source: str) -> InboundReading:
        """Move on; return what the bridge publishes."""
        values = self.step()
        return InboundReading.model_validate(
            {
                "unit_id": self.unit_id,
                "measured_at": datetime.fromtimestamp(self.room.at, UTC),
                "measures": values,
                "source": source,
            }
        )


@dataclass(frozen=True)
class Plan:
    """What a fleet does."""

    units: int = 3
    seed: int = 1
    kind: Kind | None = None
    faults: tuple[Fault, ...] = ()
    severity: float = 0.7
    onset_s: float = 3600.0
    ramp_s: float | None = None
    step_s: float = 60.0
    speed: float = 1.0
    cycles: int = 0
    """0: for ever."""


class Fleet:
    """Several units whose time begins at `start` (unix seconds); fault by fault, unit by unit.

    With fewer faults than units the last units stay without; with more, the rest is not played.
    """

    def __init__(self, plan: Plan, start: float) -> None:
        self.plan = plan
        self.units = [
            Unit(plan.seed + place, start, plan.step_s, plan.kind) for place in range(plan.units)
        ]
        for unit, fault in zip(self.units, plan.faults, strict=False):
            ramp = plan.ramp_s
            if ramp is None:
                ramp = 6 * 3600.0 if fault in SLOW else 0.0
            unit.inject(Injection(fault, plan.severity, start + plan.onset_s, ramp))

    def rounds(self) -> Iterator[list[InboundReading]]:
        """Yield the readings of each step, all units together; endless without `cycles`."""
        done = 0
        while not self.plan.cycles or done < self.plan.cycles:
            yield [unit.reading("simulator") for unit in self.units]
            done += 1


async def drive(fleet: Fleet, publish: Publish, *, now: Callable[[], float] = time.time) -> int:
    """Publish a fleet's readings at its speed; return how many.

    Faster than real until its time has caught up with the clock, then as the clock: no reading
    comes from the future. A broker that is down is waited for.
    """
    step, told = fleet.plan.step_s, 0
    for readings in fleet.rounds():
        early = readings[0].measured_at.timestamp() - now()
        if early > 0:
            await asyncio.sleep(early)
        await _tell(publish, readings)
        told += len(readings)
        if early <= 0:
            await asyncio.sleep(step / fleet.plan.speed)
    return told


async def _tell(publish: Publish, readings: Sequence[Event]) -> None:
    while True:
        try:
            await publish(readings)
        except Unavailable:
            await asyncio.sleep(RETRY_S)
        else:
            return


class Chances:
    """One unit whose faults come by chance, as the first system's simulator had them."""

    def __init__(self, seed: int, probability: float, interval_s: float, at: float) -> None:
        self.unit = Unit(seed, at, interval_s)
        self._rng = np.random.default_rng([seed, 8])
        self._probability = probability
        self._interval_s = interval_s
        self._until = at

    def reading(self) -> InboundReading:
        """Return the next reading; a fault may begin with it, for three to eight of them."""
        at = self.unit.room.at
        if at >= self._until and self._rng.random() < self._probability:
            fault = CAUSES[int(self._rng.integers(len(CAUSES)))]
            self._until = at + self._interval_s * int(self._rng.integers(SHORTEST, LONGEST + 1))
            severity = float(self._rng.uniform(0.5, 1.0))
            self.unit.inject(Injection(fault, severity, at, end=self._until))
        return self.unit.reading("simulateur")
