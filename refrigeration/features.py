"""What the sensors say together: superheat, subcooling, approach, ratio ... as far as they exist.

Superheat is above the dew point and subcooling below the bubble point: with a blend that glides
(R449A: 5.8 K at 3 bar) the other one would be wrong by the glide.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from functools import lru_cache

from refrigeration.profile import Profile
from refrigeration.saturation import Fluid, fluid

RUNNING_RATIO = 1.6
"""Pressures apart by this much are held apart by a compressor; standstill is below 1.3."""

PASSED_ON = (
    "current_a",
    "power_w",
    "vibration_mm_s",
    "humidity_pct",
    "air_flow_m3_h",
    "discharge_c",
    "condenser_fan",
    "evaporator_fan",
)
"""Sensors that are features as they are."""


@lru_cache(maxsize=64)
def _fluid(refrigerant: str) -> Fluid | None:
    return fluid(refrigerant) if refrigerant else None


def _pressures(profile: Profile, values: Mapping[str, float]) -> dict[str, float]:
    """Return saturation temperatures and the ratio, of absolute pressures."""
    found: dict[str, float] = {}
    low, high = values.get("low_pressure_bar", 0.0), values.get("high_pressure_bar", 0.0)
    if low > 0 and high > 0:
        found["ratio"] = high / low
    table = _fluid(profile.refrigerant)
    if table is None:
        return found
    if low > 0:
        found["sst_c"] = table.dew_c(low)
    if high > 0:
        found["sct_c"] = table.bubble_c(high)
        if "discharge_c" in values:
            found["discharge_superheat_k"] = values["discharge_c"] - table.dew_c(high)
    return found


DIFFERENCES = (
    ("superheat_k", "suction_c", "sst_c"),
    ("subcooling_k", "sct_c", "liquid_c"),
    ("approach_k", "sct_c", "ambient_c"),
    ("lift_k", "sct_c", "sst_c"),
    ("liquid_k", "liquid_c", "ambient_c"),
    ("td_k", "return_c", "sst_c"),
    ("air_dt_k", "return_c", "air_off_c"),
    ("air_off_td_k", "air_off_c", "sst_c"),
    ("return_k", "air_on_c", "temperature_c"),
    ("product_k", "product_c", "temperature_c"),
)
"""Feature: the first temperature less the second; `return_c` is air on the coil, or the room."""


def features(profile: Profile, values: Mapping[str, float]) -> dict[str, float]:
    """Return the features that these sensors allow; names end in their unit.

    Parameters
    ----------
    profile
        Of the unit: its refrigerant, set-point and nominal voltage.
    values
        Canonical names, pressures absolute in bar; what was implausible is already out.
    """
    found = _pressures(profile, values)
    known = {**values, **found}
    if "temperature_c" in values or "air_on_c" in values:
        known["return_c"] = values.get("air_on_c", values.get("temperature_c", 0.0))
    for name, first, second in DIFFERENCES:
        if first in known and second in known:
            found[name] = known[first] - known[second]
    if profile.set_point_c is not None and "temperature_c" in values:
        found["error_k"] = values["temperature_c"] - profile.set_point_c
    if profile.voltage_v and "voltage_v" in values:
        found["voltage_pct"] = 100 * (values["voltage_v"] / profile.voltage_v - 1)
    for name in PASSED_ON:
        if name in values:
            found[name] = values[name]
    return {name: value for name, value in found.items() if math.isfinite(value)}


def running(values: Mapping[str, float]) -> bool | None:
    """Say whether the compressor runs: by its contact, else by the pressures; None: nobody says.

    A contact that says on while next to no current flows is believed less than the current.
    """
    if "compressor" in values:
        return values["compressor"] > 1 / 2 and values.get("current_a", 1.0) > IDLE_A
    low, high = values.get("low_pressure_bar", 0.0), values.get("high_pressure_bar", 0.0)
    if low > 0 and high > 0:
        return high / low > RUNNING_RATIO
    return None


IDLE_A = 0.15
"""The smallest compressor takes more."""
