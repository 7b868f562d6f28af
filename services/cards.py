"""What people read of an alarm as it goes on: its card, its end, what came with it. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid5

from refrigeration.quantities import duration
from schemas.event import ASTREINTE
from schemas.frigo import AlertDrafted
from schemas.readings import Measures
from schemas.vocabulary import Change, Fault, Language, Severity

RANKS = tuple(Severity)
"""From the least to the worst."""
MAX_SHOWN = 20
DETECTOR = "astreinte"
"""The unit that stands for the detector itself."""


@dataclass(frozen=True)
class Case:
    """One episode, as the record keeps it."""

    episode_id: str
    unit: str
    fault: str
    severity: Severity
    card: Mapping[str, Any]
    began_at: datetime
    ended_at: datetime | None = None
    announced_at: datetime | None = None
    reminded_at: datetime | None = None
    acknowledged_by: str = ""
    shelved_until: datetime | None = None
    out_of_service: bool = False


def card_of(cases: Sequence[Case], now: datetime) -> dict[str, Any]:
    """Return what a message shows of its episodes now."""
    leader, others = cases[0], cases[1:]
    open_ = any(case.ended_at is None for case in cases)
    card = dict(leader.card)
    lines = [str(card.get("text", ""))]
    if leader.acknowledged_by:
        by = leader.acknowledged_by
        lines.append(word(card, f"Pris en charge par {by}.", f"Taken on by {by}."))
    if leader.shelved_until and leader.shelved_until > now and open_:
        left = duration((leader.shelved_until - now).total_seconds(), _language(card))
        lines.append(word(card, f"Mis en attente pour {left}.", f"Shelved for {left}."))
    if others:
        card["title"] = f"{card['title']} (+{len(others)})"[:255]
        card["short_text"] = f"{card['short_text']} (+{len(others)})"[-320:]
        lines.append(_children(others, card))
    if not open_:
        lines.append(_ended(cases, card))
    severities = [case.severity for case in cases if case.ended_at is None] or [leader.severity]
    return card | {
        "text": "\n".join(line for line in lines if line),
        "severity": max(severities, key=RANKS.index).value,
        "open": open_,
        "acknowledged": bool(leader.acknowledged_by),
    }


def end_card(cases: Sequence[Case], now: datetime) -> dict[str, Any]:
    """Return the message that says that it is over, and how long it went on."""
    card = card_of(cases, now)
    title = f"{word(card, 'Fin', 'Over')} : {card['title']}"[:255]
    text = _ended(cases, card)
    others = cases[1:]
    return card | {
        "title": title,
        "text": f"{text}\n{_children(others, card)}" if others else text,
        "short_text": f"{title}. {text}"[:320],
        "open": False,
    }


def _children(others: Sequence[Case], card: Mapping[str, Any]) -> str:
    language = _language(card)
    lines = [word(card, f"Avec {len(others)} autre(s) :", f"With {len(others)} more:")]
    for case in others[:MAX_SHOWN]:
        known = Fault._value2member_map_.get(case.fault)
        fault = known.label(language) if isinstance(known, Fault) else case.fault
        over = word(card, " (terminé)", " (over)") if case.ended_at else ""
        lines.append(f"• {case.unit} : {fault}{over}")
    if len(others) > MAX_SHOWN:
        lines.append("…")
    return "\n".join(lines)


def _ended(cases: Sequence[Case], card: Mapping[str, Any]) -> str:
    ends = [case.ended_at for case in cases if case.ended_at]
    began = min(case.began_at for case in cases)
    lasted = duration((max(ends) - began).total_seconds(), _language(card)) if ends else ""
    return word(card, f"Terminé. Durée : {lasted}.", f"Over. It lasted {lasted}.")


def _language(card: Mapping[str, Any]) -> Language:
    return Language(card.get("language") or Language.FR)


def word(card: Mapping[str, Any], fr: str, en: str) -> str:
    """Return what stands in the card's language."""
    return fr if _language(card) is Language.FR else en


# --- the desk itself ---------------------------------------------------------------------


def detector_down(since: datetime, change: Change, now: datetime) -> AlertDrafted:
    """Return the alarm that nobody watches over the units, or its end."""
    episode = uuid5(ASTREINTE, f"detector {since.isoformat()}")
    lasts = duration((now - since).total_seconds(), Language.FR)
    title = "Astreinte : le détecteur ne répond plus"
    text = (
        f"Sans signe de vie depuis {lasts} : plus aucune panne n'est détectée. "
        "Relevez les températures sur place et relancez l'étage classify."
    )
    short = f"{title} depuis {lasts}."
    return of_the_desk(
        episode, Fault.DETECTOR_DOWN.value, since, change, now,
        severity=Severity.CRITICAL, title=title, short_text=short[:320], text=text,
    )  # fmt: skip


def of_the_desk(
    episode: UUID, fault: str, since: datetime, change: Change, now: datetime, **said: Any
) -> AlertDrafted:
    """Return an alarm of the desk about itself, of no unit; `said`: how bad, and in which words."""
    return AlertDrafted(
        event_id=uuid5(episode, change.value),
        trace_id=episode.hex,
        occurred_at=now,
        unit_id=DETECTOR,
        episode_id=str(episode),
        state=fault,
        previous_state="normal",
        values=Measures(),
        change=change,
        fault=fault,
        measured_at=now,
        since=since,
        **said,
    )
