"""Alarms by the address that they were sent to: what somebody answers to."""

from __future__ import annotations

from datetime import datetime, timedelta

from sqlmodel import Session, col, select

from storage.tables import Alert, Episode

ANSWERED_WITHIN = timedelta(days=2)
SAID_AGAIN = timedelta(minutes=10)
"""Whoever says it again so soon, or whose provider does, says nothing new."""
LIMIT = 50


def taken_by(session: Session, door: str, address: str, by: str, now: datetime) -> Episode | None:
    """Return what somebody takes on who answers from an address: the episode told there last.

    It goes on and nobody has taken it on, or the same person has just done so.
    """
    told = session.exec(
        select(Episode)
        .join(Alert, col(Alert.episode_id) == col(Episode.episode_id))
        .where(
            col(Alert.address) == address,
            col(Alert.created_at) > now - ANSWERED_WITHIN,
            col(Alert.outbound) == door,
            col(Alert.claimed_at).is_not(None),
            col(Episode.ended_at).is_(None),
        )
        .order_by(col(Alert.created_at).desc())
        .limit(LIMIT)
    ).all()
    free = (one for one in told if not one.acknowledged_by)
    just = (
        one
        for one in told
        if one.acknowledged_by == by
        and one.acknowledged_at
        and one.acknowledged_at > now - SAID_AGAIN
    )
    return next(free, None) or next(just, None)
