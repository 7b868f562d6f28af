"""What a cold room was built as: every parameter drawn by its seed, independently of the others.

Ranges are those of usual plants (docs/reference/simulator.md names a source for each).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from refrigeration.profile import Kind
from simulation.rooms.fluids import Fluids, fluids

KINDS = (Kind.POSITIVE_ROOM, Kind.NEGATIVE_ROOM, Kind.CABINET, Kind.FREEZER_CABINET)
ROOMS = (Kind.POSITIVE_ROOM, Kind.NEGATIVE_ROOM)
FROZEN = (Kind.NEGATIVE_ROOM, Kind.FREEZER_CABINET)


class Class(NamedTuple):
    """The ranges of a kind: set-point (°C), capacity (W), evaporator and condenser TD (K).

    `usual_c`: air onto the condenser for which the plant is sized; a cabinet's is in the shop.
    """

    set_point: tuple[float, float]
    capacity: tuple[float, float]
    evaporator: tuple[float, float]
    condenser: tuple[float, float]
    doors: tuple[float, float]
    refrigerants: tuple[str, ...]
    usual_c: float = 24.0


CLASSES: dict[Kind, Class] = {
    Kind.POSITIVE_ROOM: Class(
        (1, 5), (2000, 9000), (5, 8), (8, 14), (15, 60), ("R134a", "R449A", "R448A", "R513A")
    ),
    Kind.NEGATIVE_ROOM: Class(
        (-22, -19), (2000, 8000), (5, 8), (7, 11), (8, 35), ("R449A", "R448A", "R452A", "R404A")
    ),
    Kind.CABINET: Class((2, 4), (350, 1200), (7, 10), (9, 14), (30, 120), ("R134a", "R290"), 26.0),
    Kind.FREEZER_CABINET: Class((-21, -18), (300, 900), (6, 9), (8, 12), (15, 60), ("R290",), 26.0),
}
FREEZE_J = 2.83e6
"""Heat of water that becomes frost, J/kg."""


@dataclass(frozen=True, slots=True)
class Design:
    """One plant. SI units; K, °C, W, W/K, J/K, kg, s."""

    seed: int
    kind: Kind
    refrigerant: str
    fluids: Fluids
    set_point: float
    differential: float
    capacity: float
    usual_ambient: float
    evaporator_ua: float
    evaporator_flow: float
    """Heat that the evaporator's air carries per kelvin, W/K."""
    condenser_ua: float
    rejected: float
    condenser_fans: int
    evaporator_fans: int
    displacement: float
    clearance: float
    efficiency: float
    superheat: float
    line_gain: float
    subcooling: float
    lowest_condensing: float
    walls_ua: float
    constant_load: float
    air_capacity: float
    product_capacity: float
    product_ua: float
    door_ua: float
    doors_a_day: float
    moisture: float
    air_mass: float
    frost_full: float
    defrosts: tuple[float, ...]
    """Hours of the day."""
    heater: float
    """0: the fans defrost with the room's air."""
    defrost_end: float
    defrost_limit: float
    coil_capacity: float
    fan_power: float
    condenser_fan_power: float
    voltage: float
    three_phase: bool
    power_factor: float
    vibration: float
    outdoors: bool
    site_mean: float
    day_swing: float
    probe_s: float
    gap_share: float


def design(seed: int, kind: Kind | None = None) -> Design:
    """Return the plant of a seed; without a kind, the seed chooses that too.

    Raises
    ------
    ValueError
        No plant of that kind is simulated.
    """
    rng = np.random.default_rng([seed, 1])
    drawn = KINDS[int(rng.choice(4, p=(0.4, 0.3, 0.18, 0.12)))]
    found = kind or drawn
    if found not in CLASSES:
        msg = f"no such plant is simulated: {found}; known: {', '.join(KINDS)}"
        raise ValueError(msg)
    of = CLASSES[found]
    refrigerant = of.refrigerants[int(rng.integers(len(of.refrigerants)))]
    capacity, set_point = _u(rng, of.capacity), _u(rng, of.set_point)
    usual = of.usual_c
    return Design(
        seed=seed,
        kind=found,
        refrigerant=refrigerant,
        set_point=set_point,
        capacity=capacity,
        usual_ambient=usual,
        **_circuit(rng, of, refrigerant, capacity, set_point),
        **_heat(rng, of, found, capacity, usual - set_point),
        **_defrost(rng, found, capacity, set_point),
        **_rest(rng, found, capacity),
    )


def _u(rng: np.random.Generator, bounds: tuple[float, float]) -> float:
    return float(rng.uniform(*bounds))


def _circuit(
    rng: np.random.Generator, of: Class, refrigerant: str, capacity: float, set_point: float
) -> dict[str, Any]:
    """Size compressor and exchangers so that they meet at the usual ambient."""
    usual = of.usual_c
    td, approach = _u(rng, of.evaporator), _u(rng, of.condenser)
    superheat = _u(rng, (0.5, 0.68)) * td  # an evaporator cannot give more than its TD
    media = fluids(refrigerant)
    of_bubble = approach - media.at(media.half_glide, usual + approach)
    subcooling = _u(rng, (0.3, 0.5)) * of_bubble
    clearance, efficiency = _u(rng, (0.03, 0.055)), _u(rng, (0.55, 0.68))
    ideal = media.ideal(set_point - td, usual + approach, superheat, subcooling, clearance)
    rejected = capacity * (1 + ideal.work_share / efficiency)
    flow = capacity / _u(rng, (3.0, 5.0))
    return {
        "fluids": media,
        "evaporator_ua": media.exchange(capacity, td, flow, set_point),
        "evaporator_flow": flow,
        "condenser_ua": rejected / approach,
        "rejected": rejected,
        "displacement": capacity / ideal.cooling_per_m3,
        "clearance": clearance,
        "efficiency": efficiency,
        "superheat": superheat,
        "line_gain": _u(rng, (2.0, 6.0)),
        "subcooling": subcooling,
        "lowest_condensing": _u(rng, (24, 30)),
    }


def _heat(
    rng: np.random.Generator, of: Class, kind: Kind, capacity: float, lift: float
) -> dict[str, Any]:
    """Return loads, masses, doors, water."""
    load = capacity * _u(rng, (0.38, 0.56))
    return {
        "differential": _u(rng, (1.2, 2.4)),
        "walls_ua": load * _u(rng, (0.35, 0.5)) / lift,
        "constant_load": load * _u(rng, (0.3, 0.42)),
        "air_capacity": capacity * _u(rng, (110, 220)),
        "product_capacity": capacity * _u(rng, (3000, 12_000)),
        "product_ua": capacity * _u(rng, (0.03, 0.08)),
        "door_ua": capacity * _u(rng, (0.045, 0.09)),
        "doors_a_day": _u(rng, of.doors),
        "moisture": load * _u(rng, (0.06, 0.14)) / FREEZE_J,
        "air_mass": capacity * (0.006 if kind in ROOMS else 0.002) * _u(rng, (0.8, 1.2)),
        "frost_full": capacity / 1000 * _u(rng, (2.2, 3.4)),
    }


def _defrost(
    rng: np.random.Generator, kind: Kind, capacity: float, set_point: float
) -> dict[str, Any]:
    """Return how and when it defrosts: electrically if frozen, and some that are near to 0 °C."""
    frozen = kind in FROZEN
    electric = (rng.uniform() < 0.3 and set_point < 3) or frozen  # noqa: PLR2004
    count = int(rng.integers(3, 5)) if frozen else int(rng.integers(2, 5))
    first = _u(rng, (0, 24 / count))
    return {
        "defrosts": tuple(first + place * 24 / count for place in range(count)),
        "heater": capacity * _u(rng, (0.7, 1.1)) if electric else 0.0,
        "defrost_end": _u(rng, (8, 13) if electric else (3, 5)),
        "defrost_limit": 60 * _u(rng, (25, 40) if electric else (20, 30)),
        "coil_capacity": capacity * _u(rng, (6, 11)),
    }


def _rest(rng: np.random.Generator, kind: Kind, capacity: float) -> dict[str, Any]:
    """Return fans, electricity, place, probes."""
    room = kind in ROOMS
    voltage = 400.0 if room and capacity > 3000 else 230.0  # noqa: PLR2004
    return {
        "condenser_fans": int(rng.integers(1, 3)) if room else 1,
        "evaporator_fans": int(rng.integers(1, 4)) if room else 1,
        "fan_power": capacity * _u(rng, (0.04, 0.08)),
        "condenser_fan_power": capacity * _u(rng, (0.03, 0.06)),
        "voltage": voltage,
        "three_phase": room and capacity > 3000,  # noqa: PLR2004
        "power_factor": _u(rng, (0.78, 0.88)),
        "vibration": _u(rng, (1.0, 2.6)),
        "outdoors": room and rng.uniform() < 0.6,  # noqa: PLR2004
        "site_mean": _u(rng, (12, 25) if room else (20, 26)),
        "day_swing": _u(rng, (2, 6) if room else (0.8, 2.5)),
        "probe_s": _u(rng, (90, 240)),
        "gap_share": float(np.exp(rng.uniform(np.log(0.0005), np.log(0.03)))),
    }
