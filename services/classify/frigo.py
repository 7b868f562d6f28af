"""From a reading to what the detector takes, and from what it found to an event. Pure."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid5

from refrigeration.detector import Sample, Transition
from refrigeration.profile import Profile
from schemas.event import ASTREINTE
from schemas.frigo import Measures, ReadingReceived, UnitCard, UnitStateChanged
from schemas.vocabulary import Change, Language

NORMAL = "normal"


def sample_of(event: ReadingReceived, heard: float) -> Sample:
    """Return a reading as the detector takes it; `heard`: wall time, Unix seconds."""
    found = dict(event.values.__dict__)
    found.update(found.pop("others"))
    at = event.measured_at.timestamp()
    return Sample(at, found, event.implausible, event.link, heard)


def card_of(profile: Profile) -> UnitCard:
    """Return what people and later stages need to know of a unit."""
    food = profile.food
    return UnitCard(
        name=profile.name,
        site=profile.site or "",
        kind=profile.kind.value,
        language=Language(profile.language),
        refrigerant=profile.refrigerant,
        set_point_c=profile.set_point_c,
        high_c=profile.high_c,
        food_high_c=food.high_c + food.tolerance_k if food else None,
        food_source=food.source if food else "",
        value_at_risk=profile.value_at_risk,
        on_call=profile.on_call,
    )


def tell(
    found: Transition, profile: Profile, values: Measures | None, now: datetime
) -> UnitStateChanged:
    """Return the event of a transition; its id follows from episode and change."""
    language = Language(profile.language)
    what = f"{found.episode_id}/{found.change.value}"
    if found.change is Change.UPDATED:  # an episode may be, more than once
        what += f"/{found.fault.value}/{found.at:.0f}"
    over = found.change is Change.CLEARED
    previous = found.previous.value if found.previous else NORMAL
    return UnitStateChanged(
        event_id=uuid5(ASTREINTE, what),
        trace_id=uuid5(ASTREINTE, f"episode {found.episode_id}").hex,
        occurred_at=now,
        why=f"{profile.name} : {found.fault.label(language)}, {found.change.label(language)}",
        unit_id=profile.unit_id,
        episode_id=found.episode_id,
        state=NORMAL if over else found.fault.value,
        previous_state=found.fault.value if over else previous,
        causes=found.causes,
        values=values or Measures(),
        change=found.change,
        fault=found.fault.value,
        measured_at=_moment(found.at),
        since=_moment(found.since),
        parent_id=found.parent_id,
        courses=found.courses,
        unit=card_of(profile),
    )


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
