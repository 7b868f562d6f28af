"""What is true in a room at a moment, sensor by sensor, before any probe shows it otherwise."""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING

from simulation.rooms.faults import Effects

if TYPE_CHECKING:
    from simulation.rooms.room import Room

Truth = tuple[float, ...]
COLUMNS: tuple[str, ...] = (
    "temperature_c",
    "low_pressure_bar",
    "high_pressure_bar",
    "current_a",
    "voltage_v",
    "vibration_mm_s",
    "humidity_pct",
    "air_flow_m3_h",
    "suction_c",
    "discharge_c",
    "liquid_c",
    "ambient_c",
    "air_on_c",
    "air_off_c",
    "product_c",
    "power_w",
    "door",
    "defrost",
    "compressor",
    "evaporator_fan",
    "condenser_fan",
)
"""In this order a truth is told."""
PER_WATT = 3600 / 1206
"""m³/h of air of 1.2 kg/m³ that carry one W/K."""
FAN_SEEN = 0.6
"""A contact says that the fans run while more than this of them do."""
STANDBY_W = 25.0


def truth(room: Room, e: Effects) -> Truth:
    """Return what every sensor would show that were perfect."""
    d, c = room.design, room.circuit
    live = not e.outage
    voltage = d.voltage * (1 - e.sag) if live else 0.0
    fans = d.fan_power * room.evaporator_fans if room.fans_on else 0.0
    outside = d.condenser_fan_power * room.condenser_fans if room.running else 0.0
    heater = d.heater * e.defrost_heat if room.defrost_s >= 0 and live else 0.0
    power = (c.work / 0.88 + fans + outside + heater + STANDBY_W) if live else 0.0
    current = power / (voltage * d.power_factor * (1.732 if d.three_phase else 1)) if live else 0.0
    flow = room.flow if room.fans_on else 0.02
    carried = d.evaporator_flow * max(flow, 0.05)
    off = room.air - c.cooling / carried if room.running else room.air - 0.2
    shakes = 0.08
    if room.running:
        wet = max(0.0, 3 - c.superheat) / 3
        shakes = d.vibration * (1 + 0.5 * wet + 1.4 * e.valve_gas + 0.9 * e.hot + 0.4 * e.sag)
    humid = 100 * min(room.moisture / saturated(room.air), 1.0)
    return (
        room.air,
        c.low_bar,
        c.high_bar,
        current,
        voltage,
        shakes,
        humid,
        d.evaporator_flow * flow * PER_WATT,
        c.suction,
        c.discharge,
        c.liquid,
        room.ambient,
        room.air + 0.15,
        off,
        room.product,
        power,
        1.0 if room.door > 0.5 or e.door > 0 else 0.0,  # noqa: PLR2004
        1.0 if room.defrost_s >= 0 else 0.0,
        1.0 if room.running else 0.0,
        1.0 if room.fans_on and room.evaporator_fans > FAN_SEEN else 0.0,
        1.0 if room.running and room.condenser_fans > FAN_SEEN else 0.0,
    )


def saturated(celsius: float) -> float:
    """Return the humidity ratio of saturated air, kg/kg: Magnus over ice and water, sea level."""
    over = (22.46, 272.62) if celsius < 0 else (17.62, 243.12)
    pressure = 611.2 * exp(over[0] * celsius / (celsius + over[1]))
    return 0.622 * pressure / (101_325 - pressure)
