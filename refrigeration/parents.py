"""Which fault explains which: the symptom is a child of the cause, not an alarm beside it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from refrigeration.conditions import Condition
from schemas.vocabulary import Fault

_STARVED: Final = (
    Fault.LEAK,
    Fault.EXPANSION_CLOSED,
    Fault.LIQUID_RESTRICTION,
    Fault.EVAPORATOR_FROST,
    Fault.EVAPORATOR_FAN,
    Fault.AIR_BLOCKED,
    Fault.DEFROST,
)
_HOT: Final = (
    Fault.CONDENSER_FAN,
    Fault.CONDENSER_FOULING,
    Fault.NON_CONDENSABLES,
    Fault.OVERCHARGE,
)
_WEAK: Final = (Fault.COMPRESSOR_VALVES, Fault.EXPANSION_OPEN, Fault.COMPRESSOR_OVERHEAT)

EXPLAINED_BY: Final[dict[Fault, tuple[Fault, ...]]] = {
    Fault.COMMS: (Fault.POWER,),
    Fault.NO_DATA: (Fault.POWER, Fault.COMMS),
    Fault.SENSOR: (Fault.POWER, Fault.COMMS),
    Fault.COMPRESSOR_STOPPED: (
        Fault.POWER,
        Fault.THERMOSTAT,
        Fault.COMPRESSOR_OVERHEAT,
        Fault.HIGH_PRESSURE,
        Fault.LOW_PRESSURE,
    ),
    Fault.HIGH_PRESSURE: (Fault.POWER, *_HOT),
    Fault.LOW_PRESSURE: (Fault.POWER, *_STARVED),
    Fault.COMPRESSOR_OVERHEAT: (*_HOT, Fault.LEAK, Fault.COMPRESSOR_VALVES, Fault.HIGH_PRESSURE),
    Fault.EVAPORATOR_FROST: (Fault.DEFROST, Fault.EVAPORATOR_FAN, Fault.DOOR),
    Fault.EVAPORATOR_FAN: (Fault.POWER,),
    Fault.AIR_BLOCKED: (Fault.POWER, Fault.EVAPORATOR_FAN, Fault.EVAPORATOR_FROST),
    Fault.LOW_TEMPERATURE: (Fault.THERMOSTAT,),
    Fault.HIGH_TEMPERATURE: (
        Fault.POWER,
        Fault.COMPRESSOR_STOPPED,
        Fault.DEFROST,
        Fault.DOOR,
        Fault.EVAPORATOR_FAN,
        Fault.THERMOSTAT,
        *_STARVED,
        *_HOT,
        *_WEAK,
        Fault.HIGH_PRESSURE,
        Fault.LOW_PRESSURE,
    ),
    Fault.UNKNOWN: (Fault.POWER, Fault.COMMS, Fault.SENSOR, Fault.COMPRESSOR_STOPPED),
}
"""Causes of a symptom, the strongest first: power, link, sensor, compressor, temperature."""

_FIRST: Final = (
    *(Fault.POWER, Fault.COMMS, Fault.NO_DATA, Fault.SENSOR, Fault.DEFROST, Fault.DOOR),
    *(Fault.THERMOSTAT, Fault.HIGH_PRESSURE, Fault.LOW_PRESSURE),
)
_LAST: Final = (Fault.HIGH_TEMPERATURE, Fault.LOW_TEMPERATURE)
ORDER: Final = {
    fault: place
    for place, fault in enumerate(
        (*_FIRST, *(fault for fault in Fault if fault not in (*_FIRST, *_LAST)), *_LAST)
    )
}
"""Causes before what they explain."""


def parent(conditions: Mapping[Fault, Condition], fault: Fault) -> str:
    """Return the episode that explains `fault` now; nothing if it stands alone."""
    for cause in EXPLAINED_BY.get(fault, ()):
        found = conditions.get(cause)
        if found is not None and found.raised:
            return found.episode_id
    return ""
