"""The sensors: their names, what bridges call them, their units, what can be and what cannot.

Ranges are of the sensor, not of the room: outside of them a value is the sensor's fault. They are
wider than the first system's (its 30 bar would refuse a condenser in a heat wave).
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

ATMOSPHERE_BAR = 1.01325
CODES = frozenset({-99.0, -999.0, -9999.0, 882.6, 999.0, 9999.0, 32767.0, -32768.0, 65535.0})
"""What loggers write for a probe that is open or shorted, in whatever unit."""


@dataclass(frozen=True)
class Sensor:
    """One sensor: its `unit`, its range, how fast it can really move, what others call it."""

    unit: str
    low: float
    high: float
    per_minute: float
    aliases: tuple[str, ...] = ()
    frozen_s: float = 0.0
    """A value that never moves for so long is a dead probe; 0: it may stand still."""
    contact: bool = False


_C, _BAR = "°C", "bar"
SENSORS: dict[str, Sensor] = {
    "temperature_c": Sensor(_C, -60, 60, 8, ("temperature", "temp", "temp_c", "t_room"), 7200),
    "low_pressure_bar": Sensor(
        _BAR, 0, 60, 20, ("pression_bp", "bp", "lp", "lp_bar", "p_suc", "suction_pressure")
    ),
    "high_pressure_bar": Sensor(
        _BAR, 0, 140, 40, ("pression_hp", "hp", "hp_bar", "p_dis", "discharge_pressure")
    ),
    "current_a": Sensor("A", 0, 400, 4000, ("courant", "current", "intensite")),
    "voltage_v": Sensor("V", 0, 1000, 10_000, ("tension", "voltage")),
    "vibration_mm_s": Sensor("mm/s", 0, 100, 1000, ("vibration", "vibrations")),
    "humidity_pct": Sensor("%", 0, 100, 60, ("humidite", "humidity", "rh")),
    "air_flow_m3_h": Sensor("m³/h", 0, 200_000, 2_000_000, ("debit_air", "air_flow", "airflow")),
    "suction_c": Sensor(_C, -70, 80, 60, ("t_suc", "t_suction", "suction_temperature")),
    "discharge_c": Sensor(_C, -50, 180, 90, ("t_dis", "t_discharge", "discharge_temperature")),
    "liquid_c": Sensor(_C, -50, 100, 60, ("t_liq", "t_liquid", "liquid_temperature")),
    "ambient_c": Sensor(_C, -50, 70, 10, ("t_amb", "t_ambient", "ambient", "outdoor")),
    "air_on_c": Sensor(_C, -60, 60, 15, ("t_return", "return_air", "air_on")),
    "air_off_c": Sensor(_C, -60, 60, 25, ("t_supply", "supply_air", "air_off")),
    "product_c": Sensor(_C, -60, 60, 3, ("t_product", "core", "product")),
    "power_w": Sensor("W", 0, 500_000, 5_000_000, ("puissance", "power")),
    "door": Sensor("", 0, 1, 1e9, ("porte", "door_open"), contact=True),
    "defrost": Sensor("", 0, 1, 1e9, ("degivrage", "defrost_on"), contact=True),
    "compressor": Sensor("", 0, 1, 1e9, ("compresseur", "compressor_on"), contact=True),
    "evaporator_fan": Sensor("", 0, 1, 1e9, ("ventilateur", "fan"), contact=True),
    "condenser_fan": Sensor("", 0, 1, 1e9, ("ventilateur_condenseur",), contact=True),
}
"""By the names of `schemas.frigo.Measures`."""


def plain(name: str) -> str:
    """Return a name without accents and capitals, words joined by `_`."""
    bare = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    return "_".join(bare.lower().replace("-", " ").replace("_", " ").split())


BY_ALIAS: dict[str, str] = {
    plain(alias): name for name, sensor in SENSORS.items() for alias in (name, *sensor.aliases)
}
"""What bridges call a sensor, plain, and what it is called here."""

SCALES: dict[str, tuple[float, float]] = {
    "°C": (1.0, 0.0),
    "C": (1.0, 0.0),
    "°F": (5 / 9, -160 / 9),
    "F": (5 / 9, -160 / 9),
    "K": (1.0, -273.15),
    "bar": (1.0, 0.0),
    "barg": (1.0, ATMOSPHERE_BAR),
    "kPa": (0.01, 0.0),
    "MPa": (10.0, 0.0),
    "psi": (0.0689476, 0.0),
    "psig": (0.0689476, ATMOSPHERE_BAR),
    "mA": (0.001, 0.0),
    "kV": (1000.0, 0.0),
    "kW": (1000.0, 0.0),
    "m³/s": (3600.0, 0.0),
    "m3/s": (3600.0, 0.0),
    "L/s": (3.6, 0.0),
    "in/s": (25.4, 0.0),
}
"""Factor and offset from a unit that a bridge declares to ours; ours itself needs none."""


def converted(value: float, unit: str) -> float:
    """Return a value in our unit.

    Raises
    ------
    KeyError
        The unit is not one of `SCALES`.
    """
    factor, offset = SCALES[unit]
    return value * factor + offset
