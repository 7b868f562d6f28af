"""A profile, made ready for the readings: limits, delays in seconds, which fault a limit means."""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from functools import lru_cache
from typing import Final, NamedTuple
from zlib import crc32

from refrigeration.measures import SENSORS
from refrigeration.profile import Profile, SensorProfile
from schemas.vocabulary import Fault

MINUTE: Final = 60.0
OVERSHOOT_K: Final = 6.0
"""Above the set-point, where a profile gives neither limit nor food rule."""
VOLTAGE_SHARE: Final = 0.10
"""EN 50160: the supply stays within 10 % of its nominal voltage."""

MEANS: Final[dict[str, tuple[Fault, Fault]]] = {
    "low_pressure_bar": (Fault.LOW_PRESSURE, Fault.LOW_PRESSURE),
    "high_pressure_bar": (Fault.HIGH_PRESSURE, Fault.HIGH_PRESSURE),
    "voltage_v": (Fault.POWER, Fault.POWER),
    "discharge_c": (Fault.UNKNOWN, Fault.COMPRESSOR_OVERHEAT),
    "air_flow_m3_h": (Fault.AIR_BLOCKED, Fault.UNKNOWN),
    "product_c": (Fault.LOW_TEMPERATURE, Fault.HIGH_TEMPERATURE),
}
"""What a sensor below and above its own limits means; unknown where it says no cause."""

ALWAYS: Final = frozenset({"voltage_v", "product_c"})
"""Sensors whose limits no mask hides."""
RUNNING: Final = frozenset(
    {
        ("low_pressure_bar", True),
        ("high_pressure_bar", False),
        ("current_a", False),
        ("power_w", False),
        ("vibration_mm_s", False),
        ("air_flow_m3_h", False),
        ("suction_c", False),
        ("suction_c", True),
        ("liquid_c", False),
        ("liquid_c", True),
        ("discharge_c", False),
    }
)
"""Sensors and sides (above?) whose limits mean nothing at standstill."""
PRESSURES: Final = frozenset({"low_pressure_bar", "high_pressure_bar", "discharge_c"})
"""A door does not disturb them; a defrost does."""

DELAYS: Final[dict[Fault, tuple[float, float]]] = {
    Fault.POWER: (60, 120),
    Fault.COMMS: (60, 60),
    Fault.NO_DATA: (0, 0),
    Fault.SENSOR: (60, 600),
    Fault.DEFROST: (0, 600),
    Fault.DOOR: (0, 60),
    Fault.HIGH_PRESSURE: (120, 300),
    Fault.LOW_PRESSURE: (300, 300),
    Fault.COMPRESSOR_OVERHEAT: (300, 600),
    Fault.COMPRESSOR_STOPPED: (1200, 300),
    Fault.EVAPORATOR_FAN: (600, 300),
    Fault.CONDENSER_FAN: (600, 300),
    Fault.THERMOSTAT: (600, 600),
}
"""On-delay and off-delay in seconds: seconds for the supply, minutes for what cycles."""
USUAL: Final = (600.0, 600.0)
ROOM_OFF_S: Final = 300.0


class Gate(IntEnum):
    """When a limit is looked at."""

    ALWAYS = 0
    NO_DEFROST = 1
    UNMASKED = 2


class Limit(NamedTuple):
    """A limit of one sensor; `differential` back inside it clears."""

    sensor: str
    limit: float
    differential: float
    above: bool
    fault: Fault
    gate: Gate = Gate.ALWAYS
    running: bool = False
    """Only while the compressor runs."""


def _limit(sensor: str, limit: float, differential: float, fault: Fault, *, above: bool) -> Limit:
    gate = Gate.ALWAYS if sensor in ALWAYS else Gate.UNMASKED
    gate = Gate.NO_DEFROST if sensor in PRESSURES else gate
    return Limit(
        sensor, limit, differential, above, fault, gate, running=(sensor, above) in RUNNING
    )


class Plan:
    """What `advance` needs of a profile at each reading."""

    __slots__ = (
        "delays",
        "differential",
        "high",
        "high_rule",
        "limits",
        "low",
        "low_rule",
        "profile",
        "set_point",
        "turn",
    )

    high_rule: Limit | None
    low_rule: Limit | None

    def __init__(self, profile: Profile) -> None:
        masks = profile.masks
        self.profile = profile
        self.differential = masks.AFd
        self.low, self.high = room_limits(profile)
        self.set_point = profile.set_point_c
        self.turn = crc32(profile.unit_id.encode())  # not all units are diagnosed in one minute
        self.delays = _delays(masks.tAO * MINUTE)
        self.limits = tuple(_limits(profile))
        self.high_rule = self.low_rule = None
        if self.high is not None:
            self.high_rule = _limit(
                "temperature_c", self.high, masks.AFd, Fault.HIGH_TEMPERATURE, above=True
            )
        if self.low is not None:
            self.low_rule = _limit(
                "temperature_c", self.low, masks.AFd, Fault.LOW_TEMPERATURE, above=False
            )


@lru_cache(maxsize=256)
def _delays(room_s: float) -> Mapping[Fault, tuple[float, float]]:
    """Return the delays of every fault; units with the same `tAO` share them."""
    room = (room_s, ROOM_OFF_S)
    own = {Fault.HIGH_TEMPERATURE: room, Fault.LOW_TEMPERATURE: room}
    return {fault: DELAYS.get(fault, USUAL) for fault in Fault} | own


def room_limits(profile: Profile) -> tuple[float | None, float | None]:
    """Return the limits of the room's air: the profile's, its sensor's, the food's, or usual."""
    own = profile.sensors.get("temperature_c", SensorProfile())
    low, high = profile.low_c, profile.high_c
    low = own.low if low is None else low
    high = own.high if high is None else high
    if profile.food is not None:
        low = profile.food.low_c if low is None else low
        high = profile.food.high_c + profile.food.tolerance_k if high is None else high
    if high is None and profile.set_point_c is not None:
        high = profile.set_point_c + OVERSHOOT_K
    return low, high


def _limits(profile: Profile) -> list[Limit]:
    found = []
    for name, sensor in profile.sensors.items():
        if name == "temperature_c" or (name in SENSORS and SENSORS[name].contact):
            continue
        below, above = MEANS.get(name, (Fault.UNKNOWN, Fault.UNKNOWN))
        for limit, is_above, fault in ((sensor.low, False, below), (sensor.high, True, above)):
            if limit is not None:
                width = profile.masks.AFd if name == "product_c" else max(abs(limit) * 0.03, 0.1)
                found.append(_limit(name, limit, width, fault, above=is_above))
    food = profile.food
    if food is not None and profile.sensors.get("product_c", SensorProfile()).high is None:
        high = food.high_c + food.tolerance_k
        found.append(
            _limit("product_c", high, profile.masks.AFd, Fault.HIGH_TEMPERATURE, above=True)
        )
    own = profile.sensors.get("voltage_v", SensorProfile())
    if profile.voltage_v is not None and own.low is None and own.high is None:
        nominal, width = profile.voltage_v, profile.voltage_v * VOLTAGE_SHARE
        for limit, is_above in ((nominal - width, False), (nominal + width, True)):
            found.append(_limit("voltage_v", limit, width / 5, Fault.POWER, above=is_above))
    return found
