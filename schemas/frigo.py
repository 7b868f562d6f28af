"""The events of the cold-room flow after its readings, from a state that moved to its alert."""

from __future__ import annotations

from typing import Any, ClassVar, Literal
from uuid import uuid5

from pydantic import Field, model_validator

from schemas.event import ASTREINTE, Event, Moment, Value
from schemas.findings import Confidence, Passage
from schemas.printer import Identifier
from schemas.readings import MAX_MEASURES, InboundReading, Measures, Reading, ReadingReceived
from schemas.vocabulary import Change, Language, SendStatus, Severity

__all__ = [
    "MAX_MEASURES",
    "AlertDrafted",
    "AlertGrounded",
    "AlertSent",
    "Cause",
    "Contribution",
    "EvidenceGathered",
    "Fact",
    "FeedbackGiven",
    "InboundReading",
    "Measures",
    "Reading",
    "ReadingReceived",
    "Series",
    "UnitStateChanged",
]


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


class UnitCard(Value):
    """What people and later stages need to know of a unit; its profile says it."""

    name: str = Field(max_length=80)
    site: str = Field(default="", max_length=80)
    kind: str = Field(default="other", max_length=20)
    language: Language = Language.FR
    refrigerant: str = Field(default="", max_length=20)
    set_point_c: Reading | None = None
    high_c: Reading | None = None
    food_high_c: Reading | None = Field(default=None, description="limit of the food, tolerance in")
    food_source: str = Field(default="", max_length=300)
    value_at_risk: Reading | None = Field(default=None, description="€")
    on_call: tuple[str, ...] = Field(default=(), max_length=20)


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
    unit: UnitCard | None = None

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
