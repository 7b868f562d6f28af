"""The events of the cold-room flow, from a reading to its alert.

Units of measure are in the names: `_c` degrees Celsius, `_bar`, `_a` amperes, `_v` volts,
`_mm_s` millimetres a second, `_pct` per cent, `_m3_h` cubic metres an hour.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, ClassVar, Literal
from uuid import uuid5

from pydantic import Field, model_validator

from schemas.event import ASTREINTE, Event, Moment, Value
from schemas.printer import Confidence, Identifier, Passage
from schemas.vocabulary import Change, Language, SendStatus, Severity

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
    source: Identifier = "bridge"
    link: Literal["", "up", "down"] = ""
    unknown_unit: bool = Field(default=False, description="nobody declared this unit")

    @property
    def key(self) -> str:
        """The unit."""
        return self.unit_id


class Contribution(Value):
    """One signed piece of evidence: a feature, what it is, what would be normal."""

    feature: str = Field(max_length=40, description="e.g. subcooling_k")
    value: Reading
    normal: Reading | None = None
    sigma: Reading | None = Field(default=None, description="deviation in standard deviations")


class Cause(Value):
    """A fault that would explain the readings, with signed evidence."""

    fault: str
    probability: Confidence
    evidence: tuple[str, ...] = ()
    contributions: tuple[Contribution, ...] = ()


class Series(Value):
    """The recent course of one feature: means of equal steps, the last one ends at `measured_at`.

    A step without a reading is `None`.
    """

    feature: str = Field(max_length=40)
    step_s: float = Field(gt=0)
    values: tuple[Reading | None, ...] = Field(max_length=500)


class UnitStateChanged(Event):
    """Classify: the unit's state moved."""

    topic: ClassVar[str] = "frigo.classified"

    unit_id: Identifier
    episode_id: Identifier
    state: str = Field(description="normal, or the fault of the episode")
    previous_state: str
    causes: tuple[Cause, ...] = ()
    values: Measures
    change: Change = Change.RAISED
    fault: str = Field(default="", description="of the episode: a `Fault`")
    measured_at: Moment | None = None
    since: Moment | None = Field(default=None, description="when the condition began")
    parent_id: str = Field(default="", max_length=80, description="episode that explains this one")
    courses: tuple[Series, ...] = Field(default=(), max_length=40)

    @property
    def key(self) -> str:
        """The unit."""
        return self.unit_id


class Fact(Value):
    """One sentence of evidence, in both languages."""

    fr: str = Field(max_length=400)
    en: str = Field(max_length=400)


class EvidenceGathered(UnitStateChanged):
    """Extract: since when, how bad, what is at risk."""

    topic: ClassVar[str] = "frigo.extracted"

    severity: Severity
    since: Moment
    limit_reached_in_s: float | None = Field(default=None, ge=0, description="until the food limit")
    limit_earliest_s: float | None = Field(default=None, ge=0, description="80 % interval, lower")
    limit_latest_s: float | None = Field(default=None, ge=0, description="80 % interval, upper")
    energy_lost_kwh_day: float | None = Field(default=None, description="if it goes on like this")
    facts: tuple[Fact, ...] = Field(default=(), max_length=40, description="for people, checked")


class AlertGrounded(EvidenceGathered):
    """Rag: maintenance sheets and past episodes."""

    topic: ClassVar[str] = "frigo.grounded"

    sheets: tuple[Passage, ...] = ()
    past_episodes: tuple[str, ...] = ()
    next_test: Fact | None = Field(default=None, description="tells the two likeliest causes apart")


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


class FeedbackGiven(Event):
    """What a person says of an episode: taken note of, shelved, or what it really was."""

    topic: ClassVar[str] = "feedback.given"

    unit_id: Identifier
    episode_id: Identifier
    action: Literal["acknowledge", "shelve", "unshelve", "label", "out_of_service", "in_service"]
    by: str = Field(max_length=80, description="who: a name of the roster, or an account")
    via: Identifier = Field(default="console", description="telegram, console, sms …")
    until: Moment | None = Field(default=None, description="end of a shelving")
    fault: str = Field(default="", max_length=40, description="of a label: a `Fault`, or none")
    note: str = Field(default="", max_length=2_000)

    @model_validator(mode="before")
    @classmethod
    def _identify(cls, given: Any) -> Any:
        if (
            not isinstance(given, dict)
            or not {"episode_id", "action", "occurred_at"} <= given.keys()
        ):
            return given
        what = f"{given['episode_id']}:{given['action']}:{given.get('by')}:{given['occurred_at']}"
        identity = uuid5(ASTREINTE, f"feedback {what}")
        return {"event_id": identity, "trace_id": identity.hex} | given

    @property
    def key(self) -> str:
        """The unit."""
        return self.unit_id
