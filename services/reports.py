"""What providers report of replies, taken in: what left, arrived, or did not and why."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from sqlmodel import Session

from gateways.outbound import Refused
from schemas.delivery import DeliveryReported
from services.verdicts import (
    LEFT_ALONE,
    RETRY,
    SLOW_DOWN,
    SUPPRESS,
    TRIES,
    judge,
    leave_alone,
)
from storage import doubts, outbox, provider_errors
from storage.tables import Outgoing

AGAIN_AFTER = (timedelta(minutes=10), timedelta(hours=2))
"""A telephone that was off: tried again, first soon, then later."""


def take_in(session: Session, events: Sequence[DeliveryReported]) -> None:
    """Note what is news; a report that comes twice, or late, changes nothing."""
    for event in events:
        row = session.get(Outgoing, str(event.reply_id))
        if row is None or _is_of_another_attempt(row, event):
            continue
        if event.status == "failed":
            news = _failed(session, row, event)
        else:
            news = _went_well(session, row, event)
        if news:
            attempt = {
                "reply_id": row.reply_id,
                "outbound": event.outbound,
                "outcome": event.status,
                "provider_id": event.provider_id,
                "detail": event.detail or event.code,
                "at": event.occurred_at,
            }
            outbox.note_attempts(session, [attempt])


def _is_of_another_attempt(row: Outgoing, event: DeliveryReported) -> bool:
    """Say whether a reply that was tried again is reported on for a time before.

    `provider_id` is that of the last attempt whose answer is known.
    """
    if row.attempts < 2 or not (row.provider_id and event.provider_id):  # noqa: PLR2004
        return False
    same = row.provider_id == event.provider_id
    return same if row.status in outbox.WAITING else not same


def _went_well(session: Session, row: Outgoing, event: DeliveryReported) -> bool:
    name, door, at = str(event.reply_id), event.outbound, event.occurred_at
    # Reports overtake one another: one that arrived has also left.
    news = doubts.left(session, name, event.provider_id, at, door)
    if event.status == "delivered":
        news = doubts.delivered(session, name, at, door) or news
    _take_at_their_word(session, row, event)
    return news


def _take_at_their_word(session: Session, row: Outgoing, event: DeliveryReported) -> None:
    """Send nothing more to whoever complains of what arrived, or bounces after all."""
    why = Refused(event.outbound, event.code, event.detail)
    known = provider_errors.meaning(session, why.provider, why.code) if event.code else None
    if known and known.effect == SUPPRESS:
        leave_alone(session, why, row.channel, row.address)


def _failed(session: Session, row: Outgoing, event: DeliveryReported) -> bool:
    name, door = row.reply_id, event.outbound
    attempts, channel, address = row.attempts, row.channel, row.address
    said = " ".join(part for part in (event.code, event.detail) if part)
    if not doubts.failed(session, name, said, door):
        _take_at_their_word(session, row, event)
        return False
    if not event.code:
        return True
    why = Refused(door, event.code, said)
    effect = judge(session, why, channel, address, row.ours)
    if effect in {RETRY, SLOW_DOWN} and attempts < TRIES:
        # It arrived nowhere, says the provider: sending again says nothing twice.
        after = AGAIN_AFTER[min(attempts, len(AGAIN_AFTER)) - 1]
        doubts.again(session, name, event.provider_id, event.occurred_at + after)
    elif effect == RETRY:
        leave_alone(session, why, channel, address, LEFT_ALONE)
    return True
