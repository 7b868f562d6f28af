"""The alarm that the desk is stopped: no reply leaves by itself until the breaker closes."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid5

from sqlmodel import Session

from refrigeration.quantities import duration
from schemas.event import ASTREINTE
from schemas.frigo import AlertDrafted
from schemas.vocabulary import Change, Language, Severity
from services import alarms
from services.cards import DETECTOR, of_the_desk
from storage import breaker, episodes
from storage.tables import Breaker

FAULT = "replies_stopped"
"""Beside the faults of cold rooms: these have no such."""
WHY = {
    "too_many": "Il en est parti trop en peu de temps : une boucle avec une autre machine ?",
    "failing": "Trop d'envois ont échoué.",
}
"""Whoever stopped the desk by hand needs no alarm."""


def watch(session: Session, now: datetime, group_wait: timedelta) -> str:
    """Raise the alarm of a breaker that is open, end that of one that is not.

    Returns a note for people while it is open.
    """
    row = breaker.last(session)
    open_now = row if row and breaker.is_open(row, now) else None
    told = {each.began_at for each in episodes.open_of(session, DETECTOR) if each.fault == FAULT}
    events = [
        alarm(began_at, Change.CLEARED, now)
        for began_at in told
        if open_now is None or began_at != open_now.opened_at
    ]
    if open_now and open_now.reason in WHY and open_now.opened_at not in told:
        text = f"{WHY[open_now.reason]} Tous les messages sont transmis à des personnes."
        events.append(alarm(open_now.opened_at, Change.RAISED, now, f"{text} {_end(open_now)}"))
    alarms.take_in(session, events, now, group_wait)
    if open_now is None:
        return ""
    since = f"{open_now.opened_at:%Y-%m-%d %H:%M} UTC"
    return f"no reply leaves by itself since {since}: {open_now.detail}"


def _end(row: Breaker) -> str:
    ends = "Les réponses reprennent par « astreinte breaker close »"
    if row.until:
        lasts = duration((row.until - row.opened_at).total_seconds(), Language.FR)
        ends += f", ou d'elles-mêmes {lasts} après l'arrêt"
    return f"{ends}."


def alarm(opened_at: datetime, change: Change, now: datetime, text: str = "") -> AlertDrafted:
    """Return the alarm of a breaker, or its end."""
    episode = uuid5(ASTREINTE, f"breaker {opened_at.isoformat()}")
    title = "Astreinte : plus aucune réponse ne part d'elle-même"
    return of_the_desk(
        episode, FAULT, opened_at, change, now,
        severity=Severity.HIGH, title=title, short_text=f"{title}."[:320], text=text,
    )  # fmt: skip
