"""The events of the cold-room flow, from a reading to its alert.

Units of measure are in the names: `_c` degrees Celsius, `_bar`, `_a` amperes, `_v` volts,
`_mm_s` millimetres a second, `_pct` per cent, `_m3_h` cubic metres an hour.
"""

from __future__ import annotations

from typing import Annotated, Any, ClassVar
from uuid import uuid5

from pydantic import Field, model_validator

from schemas.event import ASTREINTE, Event, Moment, Value
from schemas.printer import Confidence, Identifier, Passage
from schemas.vocabulary import Language, SendStatus, Severity

Reading = Annotated[float, Field(allow_inf_nan=False)]


class Measures(Value):
    """The eight sensors that every unit may have; absent is `None`, never a code like -999."""

    temperature_c: Reading | None = None
    low_pressure_bar: Reading | None = None
    high_pressure_bar: Reading | None = None
    current_a: Reading | None = None
    voltage_v: Reading | None = None
    vibration_mm_s: Reading | None = None
    humidity_pct: Reading | None = None
    air_flow_m3_h: Reading | None = None


class InboundReading(Event):
    """The public contract of `frigo.inbound`: what any sensor bridge may publish."""

    topic: ClassVar[str] = "frigo.inbound"

    unit_id: Identifier
    measured_at: Moment
    measures: dict[str, Reading | None] = Field(max_length=200, description="as the bridge names")
    source: Identifier = "bridge"

    @model_validator(mode="before")
    @classmethod
    def _identify(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not {"unit_id", "measured_at"} <= given.keys():
            return given
        identity = uuid5(
            ASTREINTE, f"{given['unit_id']}:{given['measured_at']}:{given.get('source')}"
        )
        return (
            {"event_id": identity, "trace_id": identity.hex}
            | given
            | {"occurred_at": given["measured_at"]}
        )

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

    @property
    def key(self) -> str:
        """The unit."""
        return self.unit_id


class Cause(Value):
    """A fault that would explain the readings, with signed evidence."""

    fault: str
    probability: Confidence
    evidence: tuple[str, ...] = ()


class UnitStateChanged(Event):
    """Classify: the unit's state moved."""

    topic: ClassVar[str] = "frigo.classified"

    unit_id: Identifier
    episode_id: Identifier
    state: str = Field(description="normal, drift, fault, sensor_fault, no_data …")
    previous_state: str
    causes: tuple[Cause, ...] = ()
    values: Measures

    @property
    def key(self) -> str:
        """The unit."""
        return self.unit_id


class EvidenceGathered(UnitStateChanged):
    """Extract: since when, how bad, what is at risk."""

    topic: ClassVar[str] = "frigo.extracted"

    severity: Severity
    since: Moment
    limit_reached_in_s: float | None = Field(default=None, ge=0, description="until the food limit")


class AlertGrounded(EvidenceGathered):
    """Rag: maintenance sheets and past episodes."""

    topic: ClassVar[str] = "frigo.grounded"

    sheets: tuple[Passage, ...] = ()
    past_episodes: tuple[str, ...] = ()


class AlertDrafted(AlertGrounded):
    """Respond: the alert, in the lengths that channels take."""

    topic: ClassVar[str] = "frigo.drafted"

    language: Language = Language.FR
    title: str
    short_text: str = Field(max_length=320, description="for SMS")
    text: str


class AlertSent(Event):
    """Dispatch: who was told, by which channel."""

    topic: ClassVar[str] = "frigo.sent"

    unit_id: Identifier
    episode_id: Identifier
    recipient: str
    outbound: str
    status: SendStatus

    @property
    def key(self) -> str:
        """The unit."""
        return self.unit_id
