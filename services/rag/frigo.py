"""What to do about a fault: sheets, what this unit had before, the next test. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from refrigeration.quantities import duration
from schemas.findings import Passage
from schemas.frigo import AlertGrounded, EvidenceGathered, Fact, UnitStateChanged
from schemas.vocabulary import Fault, Language

DOUBTFUL = 0.9
"""With the best cause likelier than that, no test is needed to tell it from the next."""


class Before(NamedTuple):
    """An earlier episode of the unit; `label`: what it really was."""

    fault: str
    began_at: datetime
    ended_at: datetime | None
    label: str
    note: str


def language_of(event: EvidenceGathered) -> Language:
    """Return the language in which a unit's people are told."""
    return event.unit.language if event.unit else Language.FR


def known(fault: str) -> Fault | None:
    """Return a fault by its name, or nothing."""
    found = Fault._value2member_map_.get(fault)
    return found if isinstance(found, Fault) else None


def rivals(event: EvidenceGathered) -> tuple[Fault, Fault] | None:
    """Return the two likeliest causes, if it takes a test to tell them apart."""
    if len(event.causes) < 2 or event.causes[0].probability >= DOUBTFUL:  # noqa: PLR2004
        return None
    first, second = known(event.causes[0].fault), known(event.causes[1].fault)
    return (first, second) if first and second else None


def odds(event: UnitStateChanged) -> float:
    """Return the probability of the best cause, given that it is one of the best two."""
    first, second = event.causes[0].probability, event.causes[1].probability
    return first / (first + second) if first + second else 0.5


def sensors(event: UnitStateChanged) -> tuple[str, ...]:
    """Return the sensors that said something in the last reading."""
    values = event.values.model_dump(exclude={"others"}, exclude_none=True)
    return (*values, *event.values.others)


def ground(
    event: EvidenceGathered,
    sheets: Sequence[Passage],
    before: Sequence[Before],
    next_test: Fact | None,
    now: datetime,
) -> tuple[AlertGrounded, ...]:
    """Return the event with what is known about it."""
    told = tuple(remembered(each, language_of(event)) for each in before)
    return (
        AlertGrounded.after(
            event,
            now,
            why=event.why,
            sheets=tuple(sheets),
            past_episodes=told,
            next_test=next_test,
        ),
    )


def remembered(each: Before, language: Language) -> str:
    """Put an earlier episode into a line."""
    fault = known(each.fault)
    parts = [f"{each.began_at:%d/%m/%Y}", fault.label(language) if fault else each.fault]
    if each.ended_at:
        parts.append(duration((each.ended_at - each.began_at).total_seconds(), language))
    really = known(each.label)
    if really:
        found = "constaté" if language is Language.FR else "found"
        note = f" ({each.note[:80]})" if each.note else ""
        parts.append(f"{found} : {really.label(language)}{note}")
    return ", ".join(parts)
