"""What every event has: an identity derived from its cause, a trace, a time."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Annotated, Any, ClassVar, Self
from uuid import NAMESPACE_URL, UUID, uuid5

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field

ASTREINTE = uuid5(NAMESPACE_URL, "urn:astreinte")
"""The namespace of all ids that have no event as their cause."""


def _plausible(moment: datetime) -> datetime:
    # A gateway whose clock was reset says 1970; a mail with a forged date says 2100.
    # Both would sort before or after everything else for years.
    if not 2000 <= moment.year < 2100:  # noqa: PLR2004 - the bounds are the message
        msg = f"a date of the year {moment.year} cannot be right (2000 to 2099 are accepted)"
        raise ValueError(msg)
    return moment.astimezone(UTC)


Moment = Annotated[AwareDatetime, AfterValidator(_plausible)]
"""A point in time, with its zone, kept as UTC."""


class Value(BaseModel):
    """A part of an event: frozen; unknown fields are ignored, so that newer writers are read."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class Event(Value):
    """A fact, in the past tense. Its id derives from its cause, so handling twice tells the same.

    Growth is by optional fields only; anything else is a new `version`.
    """

    topic: ClassVar[str]
    version: ClassVar[int] = 1

    event_id: UUID = Field(description="follows from the cause: told again, it is the same")
    trace_id: str = Field(pattern=r"^[0-9a-f]{32}$", description="W3C trace id, hex")
    caused_by: UUID | None = Field(default=None, description="the event that led to this one")
    occurred_at: Moment = Field(description="when; with its zone, kept as UTC")
    why: str = Field(default="", description="the decision, in a sentence for operators")

    @property
    def key(self) -> str:
        """What the order is kept for: the conversation or the unit."""
        raise NotImplementedError

    @classmethod
    @cache
    def type_name(cls) -> str:
        """Return the CloudEvents type, e.g. `astreinte.printer.received.v1`."""
        return f"astreinte.{cls.topic}.v{cls.version}"

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Return the event that a record's value holds.

        Raises
        ------
        ValueError
            It is no JSON, or (`ValidationError`) not of such an event.
        """
        return cls.model_validate_json(body)

    @classmethod
    def after(cls, cause: Event, now: datetime, *, index: int = 0, **fields: Any) -> Self:
        """Make the event that `cause` leads to; fields that both have are carried over.

        Parameters
        ----------
        cause
            The event that was handled.
        now
            When, with its zone.
        index
            Tells several events of one type and one cause apart.
        fields
            What the new event adds or changes.
        """
        carried = {
            name: getattr(cause, name)
            for name in cls.model_fields.keys() & type(cause).model_fields.keys()
        }
        own = {
            "event_id": uuid5(cause.event_id, f"{cls.topic}/{index}"),
            "trace_id": cause.trace_id,
            "caused_by": cause.event_id,
            "occurred_at": now,
            "why": "",
        }
        return cls(**(carried | own | fields))
