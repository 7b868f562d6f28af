"""The names of the first system's twelve faults, for callers that still use them.

Signs, and why they are as they are, stand in `former.yaml` beside this file.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

from schemas.vocabulary import Fault, Severity

FILE = Path(__file__).with_name("former.yaml")
Sign = Literal["up", "down", "zero", "either", "code", "none"]


class Decided(BaseModel):
    """A contradiction of the first system, the sign that physics gives, and why."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    sensor: str
    sign: Sign
    why: str


class FormerFault(BaseModel):
    """One of the twelve: its name with accents, what it is called here, its signs."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    fault: Fault
    severity: Severity
    signs: dict[str, Sign]
    decided: tuple[Decided, ...] = ()


@cache
def former_faults() -> tuple[FormerFault, ...]:
    """Return the twelve, in the order of the first system's reference."""
    found = yaml.load(FILE.read_text("utf-8"), Loader=yaml.CSafeLoader)
    return tuple(FormerFault.model_validate(each) for each in found)


OLD_NAMES: dict[str, Fault] = {
    "surchauffe_compresseur": Fault.COMPRESSOR_OVERHEAT,
    "fuite_fluide": Fault.LEAK,
    "givrage_evaporateur": Fault.EVAPORATOR_FROST,
    "panne_electrique": Fault.POWER,
    "obstruction_conduit": Fault.AIR_BLOCKED,
    "défaillance_ventilateur": Fault.EVAPORATOR_FAN,
    "capteur_defectueux": Fault.SENSOR,
    "pression_anormale_HP": Fault.HIGH_PRESSURE,
    "pression_anormale_BP": Fault.LOW_PRESSURE,
    "défaut_dégivrage": Fault.DEFROST,
    "défaillance_thermostat": Fault.THERMOSTAT,
    "défaillance_compresseur": Fault.COMPRESSOR_STOPPED,
}
"""What the first system called a fault, and what it is called here."""

_NEAREST: dict[Fault, str] = {
    **{fault: name for name, fault in OLD_NAMES.items()},
    Fault.OVERCHARGE: "pression_anormale_HP",
    Fault.NON_CONDENSABLES: "pression_anormale_HP",
    Fault.CONDENSER_FOULING: "pression_anormale_HP",
    Fault.CONDENSER_FAN: "pression_anormale_HP",
    Fault.EXPANSION_CLOSED: "pression_anormale_BP",
    Fault.LIQUID_RESTRICTION: "pression_anormale_BP",
    Fault.COMPRESSOR_VALVES: "défaillance_compresseur",
}
"""The old name under which an old caller finds the right sheet: its own list of causes says so."""


def former_name(fault: Fault) -> str:
    """Return the old name of a fault; ours where the first system had none that would be true."""
    return _NEAREST.get(fault, fault.value)


SEVERITY: dict[Fault, Severity] = {
    Fault.LEAK: Severity.CRITICAL,
    Fault.OVERCHARGE: Severity.MEDIUM,
    Fault.NON_CONDENSABLES: Severity.MEDIUM,
    Fault.CONDENSER_FOULING: Severity.MEDIUM,
    Fault.CONDENSER_FAN: Severity.HIGH,
    Fault.EVAPORATOR_FROST: Severity.HIGH,
    Fault.EVAPORATOR_FAN: Severity.HIGH,
    Fault.AIR_BLOCKED: Severity.HIGH,
    Fault.DEFROST: Severity.HIGH,
    Fault.EXPANSION_OPEN: Severity.HIGH,
    Fault.EXPANSION_CLOSED: Severity.HIGH,
    Fault.LIQUID_RESTRICTION: Severity.HIGH,
    Fault.COMPRESSOR_OVERHEAT: Severity.CRITICAL,
    Fault.COMPRESSOR_VALVES: Severity.HIGH,
    Fault.COMPRESSOR_STOPPED: Severity.CRITICAL,
    Fault.THERMOSTAT: Severity.MEDIUM,
    Fault.DOOR: Severity.MEDIUM,
    Fault.POWER: Severity.CRITICAL,
    Fault.SENSOR: Severity.MEDIUM,
    Fault.HIGH_PRESSURE: Severity.CRITICAL,
    Fault.LOW_PRESSURE: Severity.HIGH,
    Fault.HIGH_TEMPERATURE: Severity.CRITICAL,
    Fault.LOW_TEMPERATURE: Severity.HIGH,
    Fault.NO_DATA: Severity.HIGH,
    Fault.COMMS: Severity.HIGH,
    Fault.DETECTOR_DOWN: Severity.CRITICAL,
    Fault.UNKNOWN: Severity.MEDIUM,
}
"""How bad a fault is when nothing more is known; the time until the food limit decides over it."""
