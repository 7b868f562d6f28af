"""Readings of cold rooms: what bridges hand in, and what it means in our units of measure.

Units of measure are in the names: `_c` degrees Celsius, `_bar`, `_a` amperes, `_v` volts, `_w`
watts, `_mm_s` millimetres a second, `_pct` per cent, `_m3_h` cubic metres an hour.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, Literal, Self
from uuid import uuid5

from pydantic import Field, model_validator
from pydantic_core import from_json

from schemas.event import ASTREINTE, Event, Moment, Value
from schemas.printer import Identifier

MAX_MEASURES = 200
"""Of one reading; a rack of many rooms publishes a reading for each room."""

Reading = Annotated[float, Field(allow_inf_nan=False)]


class Measures(Value):
    """The sensors that a unit may have; absent is `None`, never a code like -999.

    Pressures are absolute. Contacts are 1.0 (open, on, runs) or 0.0. What a profile declares
    beside these travels in `others`, by its own name.
    """

    temperature_c: Reading | None = Field(default=None, description="air of the room")
    low_pressure_bar: Reading | None = None
    high_pressure_bar: Reading | None = None
    current_a: Reading | None = None
    voltage_v: Reading | None = None
    vibration_mm_s: Reading | None = None
    humidity_pct: Reading | None = None
    air_flow_m3_h: Reading | None = None
    suction_c: Reading | None = Field(default=None, description="suction line at the compressor")
    discharge_c: Reading | None = None
    liquid_c: Reading | None = Field(default=None, description="liquid line after the condenser")
    ambient_c: Reading | None = Field(default=None, description="air onto the condenser")
    air_on_c: Reading | None = Field(default=None, description="air onto the evaporator")
    air_off_c: Reading | None = Field(default=None, description="air off the evaporator")
    product_c: Reading | None = None
    power_w: Reading | None = None
    door: Reading | None = Field(default=None, description="1 open, 0 closed")
    defrost: Reading | None = Field(default=None, description="1 while a defrost runs")
    compressor: Reading | None = Field(default=None, description="1 while it runs")
    evaporator_fan: Reading | None = None
    condenser_fan: Reading | None = None
    others: dict[str, Reading] = Field(default_factory=dict, max_length=MAX_MEASURES)


def _number(value: Any) -> float | None:
    """Return what bridges mean by a value: `true` is 1, `"4,2"` is 4.2; nothing if no number."""
    try:
        found = float(value.replace(",", ".") if isinstance(value, str) else value)
    except (TypeError, ValueError, OverflowError):
        return None
    return found if math.isfinite(found) else None


def _readable(given: dict[str, Any]) -> dict[str, Any]:
    """Let one bad value cost one sensor, never the whole reading."""
    measures = given.get("measures")
    if not isinstance(measures, dict) or len(measures) > MAX_MEASURES:
        return given
    if all(type(value) is float and math.isfinite(value) for value in measures.values()):
        return given  # as nearly all are
    numbers = {name: _number(value) for name, value in measures.items()}
    bad = [name for name, found in numbers.items() if found is None and measures[name] is not None]
    found = given | {"measures": numbers}
    return found | {"unreadable": (*(given.get("unreadable") or ()), *bad)} if bad else found


class InboundReading(Event):
    """The public contract of `frigo.inbound`: what any sensor bridge may publish."""

    topic: ClassVar[str] = "frigo.inbound"

    unit_id: Identifier
    measured_at: Moment
    measures: dict[str, Reading | None] = Field(
        max_length=MAX_MEASURES, description="as the bridge names"
    )
    unreadable: tuple[str, ...] = Field(
        default=(),
        max_length=MAX_MEASURES,
        description="of those, what was no number: it counts as absent",
    )
    source: Identifier = "bridge"
    link: Literal["", "up", "down"] = Field(
        default="", description="what the bridge says of its own connection: down is a last will"
    )

    @model_validator(mode="before")
    @classmethod
    def _identify(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not {"unit_id", "measured_at"} <= given.keys():
            return given
        given = _readable(given)
        if {"event_id", "trace_id"} <= given.keys():
            return given | {"occurred_at": given["measured_at"]}
        identity = uuid5(
            ASTREINTE, f"{given['unit_id']}:{given['measured_at']}:{given.get('source')}"
        )
        return (
            {"event_id": identity, "trace_id": identity.hex}
            | given
            | {"occurred_at": given["measured_at"]}
        )

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Return the reading of a record.

        In two steps: what runs before the fields are checked wants Python's objects, and pydantic
        makes them of its own JSON at twice the price of all.
        """
        return cls.model_validate(from_json(body))

    @property
    def key(self) -> str:
        """The unit."""
        return self.unit_id


class ReadingReceived(Event):
    """Ingest: which unit, in our units of measure, is it plausible."""

    topic: ClassVar[str] = "frigo.received"

    unit_id: Identifier
    measured_at: Moment
    values: Measures
    implausible: tuple[str, ...] = Field(default=(), description="sensors whose value cannot be")
    source: Identifier = "bridge"
    link: Literal["", "up", "down"] = ""
    unknown_unit: bool = Field(default=False, description="nobody declared this unit")

    @property
    def key(self) -> str:
        """The unit."""
        return self.unit_id
