"""What a fault changes in the plant, by severity (0 … 1): the physics then shows the symptoms.

No fault writes a reading, but `sensor`. Each entry says what is changed at severity 1 and keeps the
direction of refrigeration practice (Rossi & Braun 1997, Breuker & Braun 1998, Li & Braun 2007);
the amounts are assumptions, told in docs/reference/simulator.md.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from schemas.vocabulary import Fault
from simulation.rooms.design import Design

CAUSES: tuple[Fault, ...] = (
    Fault.LEAK,
    Fault.OVERCHARGE,
    Fault.NON_CONDENSABLES,
    Fault.CONDENSER_FOULING,
    Fault.CONDENSER_FAN,
    Fault.EVAPORATOR_FROST,
    Fault.EVAPORATOR_FAN,
    Fault.AIR_BLOCKED,
    Fault.DEFROST,
    Fault.EXPANSION_OPEN,
    Fault.EXPANSION_CLOSED,
    Fault.LIQUID_RESTRICTION,
    Fault.COMPRESSOR_OVERHEAT,
    Fault.COMPRESSOR_VALVES,
    Fault.COMPRESSOR_STOPPED,
    Fault.THERMOSTAT,
    Fault.DOOR,
    Fault.POWER,
    Fault.SENSOR,
)
"""What can be injected. The other faults are symptoms or silence: they follow."""
SLOW = frozenset(
    {
        Fault.LEAK,
        Fault.CONDENSER_FOULING,
        Fault.EVAPORATOR_FROST,
        Fault.LIQUID_RESTRICTION,
        Fault.COMPRESSOR_OVERHEAT,
        Fault.COMPRESSOR_VALVES,
        Fault.AIR_BLOCKED,
    }
)
"""What usually grows; the others come at once."""


@dataclass(slots=True)
class Effects:
    """What differs from the plant as built; as it stands, nothing does."""

    starved: float = 0.0
    """Share of the refrigerant flow that does not reach the evaporator."""
    flooded: float = 0.0
    subcooling: float = 0.0
    condenser: float = 1.0
    gas_bar: float = 0.0
    condenser_fans_lost: float = 0.0
    evaporator_fans_lost: float = 0.0
    air: float = 1.0
    frost_gain: float = 1.0
    ice: float = 0.0
    defrost_heat: float = 1.0
    valve_gas: float = 0.0
    hot: float = 0.0
    stopped: float = 0.0
    offset: float = 0.0
    door: float = 0.0
    sag: float = 0.0
    outage: bool = False


def _leak(e: Effects, s: float, d: Design) -> None:
    e.subcooling = -min(1.0, 0.25 + 1.1 * s) * d.subcooling if s else 0.0
    e.starved = 0.65 * s**1.1
    e.condenser = 1.0 + 0.12 * s  # less of it stands full of liquid


def _overcharge(e: Effects, s: float, _: Design) -> None:
    e.subcooling = 9.0 * s
    e.condenser = 1.0 / (1.0 + 0.75 * s)
    e.flooded = 0.2 * s


def _non_condensables(e: Effects, s: float, _: Design) -> None:
    e.gas_bar = 3.0 * s
    e.condenser = 1.0 / (1.0 + 0.12 * s)


def _fouling(e: Effects, s: float, _: Design) -> None:
    e.condenser = 1.0 - 0.62 * s
    e.subcooling = -0.8 * s


def _condenser_fan(e: Effects, s: float, _: Design) -> None:
    e.condenser_fans_lost = s


def _frost(e: Effects, s: float, _: Design) -> None:
    e.frost_gain = 1.0 + 3.0 * s
    e.ice = 0.75 * s


def _evaporator_fan(e: Effects, s: float, _: Design) -> None:
    e.evaporator_fans_lost = s


def _blocked(e: Effects, s: float, _: Design) -> None:
    e.air = 1.0 - 0.78 * s


def _defrost(e: Effects, s: float, _: Design) -> None:
    e.defrost_heat = 1.0 - s


def _open(e: Effects, s: float, _: Design) -> None:
    e.flooded = s
    e.subcooling = -1.8 * s


def _closed(e: Effects, s: float, _: Design) -> None:
    e.starved = 0.62 * s
    e.subcooling = 4.0 * s


def _restriction(e: Effects, s: float, _: Design) -> None:
    e.starved = 0.62 * s
    e.subcooling = 0.9 * s


def _hot(e: Effects, s: float, _: Design) -> None:
    e.hot = s


def _valves(e: Effects, s: float, _: Design) -> None:
    e.valve_gas = 0.6 * s
    e.subcooling = -1.5 * s


def _stopped(e: Effects, s: float, _: Design) -> None:
    e.stopped = s


def _thermostat(e: Effects, s: float, d: Design) -> None:
    e.offset = (8.0 if d.seed % 3 else -8.0) * s


def _door(e: Effects, s: float, _: Design) -> None:
    e.door = s


def _power(e: Effects, s: float, _: Design) -> None:
    e.sag = 0.26 * s
    e.outage = s > 0.85  # noqa: PLR2004 - the worst of the scale


def _sensor(_: Effects, __: float, ___: Design) -> None:
    """Leave the plant as it is: `simulation.rooms.probes` shows it otherwise."""


CHANGES: dict[Fault, Callable[[Effects, float, Design], None]] = {
    Fault.LEAK: _leak,
    Fault.OVERCHARGE: _overcharge,
    Fault.NON_CONDENSABLES: _non_condensables,
    Fault.CONDENSER_FOULING: _fouling,
    Fault.CONDENSER_FAN: _condenser_fan,
    Fault.EVAPORATOR_FROST: _frost,
    Fault.EVAPORATOR_FAN: _evaporator_fan,
    Fault.AIR_BLOCKED: _blocked,
    Fault.DEFROST: _defrost,
    Fault.EXPANSION_OPEN: _open,
    Fault.EXPANSION_CLOSED: _closed,
    Fault.LIQUID_RESTRICTION: _restriction,
    Fault.COMPRESSOR_OVERHEAT: _hot,
    Fault.COMPRESSOR_VALVES: _valves,
    Fault.COMPRESSOR_STOPPED: _stopped,
    Fault.THERMOSTAT: _thermostat,
    Fault.DOOR: _door,
    Fault.POWER: _power,
    Fault.SENSOR: _sensor,
}


@dataclass(frozen=True, slots=True)
class Injection:
    """One fault of one unit: from `onset` (unix seconds) it grows for `ramp_s` to `severity`."""

    fault: Fault
    severity: float
    onset: float
    ramp_s: float = 0.0
    end: float = float("inf")

    def __post_init__(self) -> None:
        if self.fault not in CHANGES:
            known = ", ".join(CAUSES)
            msg = f"{self.fault} is a symptom, not a cause; causes: {known}"
            raise ValueError(msg)
        if not 0 <= self.severity <= 1 or self.ramp_s < 0:
            msg = "severity is from 0 to 1, ramp_s at least 0"
            raise ValueError(msg)

    def now(self, at: float) -> float:
        """Return the severity at a moment."""
        if not self.onset <= at < self.end:
            return 0.0
        if not self.ramp_s:
            return self.severity
        return self.severity * min(1.0, (at - self.onset) / self.ramp_s)


def effects(injections: list[Injection], at: float, design: Design) -> Effects:
    """Return what all faults together change at a moment; of two of a kind the later counts."""
    found = Effects()
    for injection in injections:
        severity = injection.now(at)
        if severity:
            CHANGES[injection.fault](found, severity, design)
    return found
