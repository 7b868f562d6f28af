"""The outbox of alarms: messages recorded before they are sent, edited as their episode goes on.

A row goes `queued` → `sending` (claimed by one owner) → `sent`, and back to `queued` when there is
something new to show: it has a `reference` then, and is edited. One that may have left is
`queued` again; what nobody waits for any more is `unknown` in the end.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, func, update
from sqlmodel import Session, SQLModel, col, select

from schemas.vocabulary import SendStatus
from storage.database import insert_new
from storage.tables import Alert, Latch

_ALERT = SQLModel.metadata.tables["alert"]

SENDING, QUEUED, SENT = SendStatus.SENDING.value, SendStatus.QUEUED.value, SendStatus.SENT.value
OVER = (SENT, SendStatus.FAILED.value, SendStatus.UNKNOWN.value)
TOLD_AT_ONCE = 200


def record(session: Session, rows: list[dict[str, Any]]) -> None:
    """Write messages down; one that is there already stays as it is."""
    insert_new(session, Alert, rows)


def of_episodes(session: Session, names: Collection[str]) -> Sequence[Alert]:
    """Return the messages of these episodes, kept from being claimed meanwhile."""
    asked = select(Alert).where(col(Alert.episode_id).in_(names)).with_for_update()
    return session.exec(asked.order_by(col(Alert.created_at))).all()


def show(session: Session, row: Alert, card: dict[str, Any], urgency: int, now: datetime) -> None:
    """Have a message say something else from now on; an edition that never left does not count."""
    again = row.status == SENT
    session.execute(
        update(Alert)
        .where(col(Alert.alert_id) == row.alert_id, col(Alert.status) == row.status)
        .values(
            card=card,
            urgency=urgency,
            wanted=col(Alert.wanted) + (row.status != QUEUED or bool(row.shown)),
            status=QUEUED if again else row.status,
            attempts=0 if again else row.attempts,
            next_attempt_at=now if again else row.next_attempt_at,
        )
    )


def claim(session: Session, owner: str, now: datetime, limit: int) -> Sequence[Alert]:
    """Take the messages that are due, the most urgent first. One process claims at a time."""
    session.exec(select(Latch).where(col(Latch.name) == "alerts").with_for_update()).all()
    due = (
        select(Alert.alert_id)
        .where(col(Alert.status) == QUEUED, col(Alert.next_attempt_at) <= now)
        .order_by(col(Alert.urgency).desc(), col(Alert.created_at))
        .limit(limit)
    )
    ids = list(session.exec(due))
    if not ids:
        return []
    session.execute(
        update(Alert)
        .where(col(Alert.alert_id).in_(ids), col(Alert.status) == QUEUED)
        .values(status=SENDING, owner=owner, claimed_at=now, attempts=col(Alert.attempts) + 1)
    )
    mine = select(Alert).where(col(Alert.alert_id).in_(ids), col(Alert.owner) == owner)
    return session.exec(mine.order_by(col(Alert.urgency).desc(), col(Alert.created_at))).all()


def claimed(session: Session) -> Sequence[Alert]:
    """Return the messages that somebody is sending."""
    return session.exec(select(Alert).where(col(Alert.status) == SENDING).limit(1_000)).all()


def mark(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Write down what became of claims: `{name, claimer, edition, new_*}`.

    One that was to show something else meanwhile is due again.
    """
    if not rows:
        return
    ours = _ALERT.c
    change = (
        update(_ALERT)
        .where(
            ours.alert_id == bindparam("name"),
            ours.owner == bindparam("claimer"),
            ours.status == SENDING,
        )
        .values(
            status=bindparam("new_status"),
            reference=bindparam("new_reference"),
            shown=bindparam("new_shown"),
            attempts=bindparam("new_attempts"),
            next_attempt_at=bindparam("new_attempt_at"),
            sent_at=bindparam("new_sent_at"),
            last_error=bindparam("new_error"),
        )
    )
    session.connection().execute(change, list(rows))
    session.execute(
        update(Alert)
        .where(
            col(Alert.alert_id).in_([row["name"] for row in rows]),
            col(Alert.status) == SENT,
            col(Alert.shown) < col(Alert.wanted),
        )
        .values(status=QUEUED, attempts=0)
    )


def untold(session: Session) -> Sequence[Alert]:
    """Return the messages whose outcome was not published."""
    return session.exec(
        select(Alert)
        .where(col(Alert.told_at).is_(None), col(Alert.status).in_(OVER))
        .order_by(col(Alert.created_at))
        .limit(TOLD_AT_ONCE)
    ).all()


def mark_told(session: Session, names: Collection[str], now: datetime) -> None:
    """Note that outcomes were published."""
    session.execute(update(Alert).where(col(Alert.alert_id).in_(names)).values(told_at=now))


def waiting(session: Session) -> dict[str, int]:
    """Return how many messages wait, by status."""
    asked = select(Alert.status, func.count()).where(col(Alert.status).in_((QUEUED, SENDING)))
    return dict(session.exec(asked.group_by(col(Alert.status))).all())
