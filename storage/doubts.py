"""Replies that may have left: who claimed them died, or the provider's answer was lost.

They are settled by the provider's word, its report or its answer when it is asked, and never by
sending again on a guess. Each change names the status that it expects: whoever comes second
changes nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import CursorResult, update
from sqlmodel import Session, col, select

from schemas.vocabulary import SendStatus
from storage.tables import Outgoing

LIMIT = 200
"""Looked at in one go."""


def claimed(session: Session) -> Sequence[Outgoing]:
    """Return the replies that are claimed, by whomever; oldest first."""
    return session.exec(
        select(Outgoing)
        .where(col(Outgoing.status) == SendStatus.SENDING.value)
        .order_by(col(Outgoing.claimed_at))
        .limit(5 * LIMIT)
    ).all()


def doubt(session: Session, row: Outgoing, look_at: datetime) -> None:
    """Take a claim away from an owner who is gone; it is looked into at `look_at`."""
    session.execute(
        update(Outgoing)
        .where(
            col(Outgoing.reply_id) == row.reply_id,
            col(Outgoing.status) == SendStatus.SENDING.value,
            col(Outgoing.owner) == row.owner,
        )
        .values(
            status=SendStatus.DOUBTFUL.value,
            next_attempt_at=look_at,
            last_error="the process that sent it ended",
        )
    )


def due(session: Session, now: datetime) -> Sequence[Outgoing]:
    """Return the doubtful replies that are to be looked into now."""
    return session.exec(
        select(Outgoing)
        .where(
            col(Outgoing.status) == SendStatus.DOUBTFUL.value, col(Outgoing.next_attempt_at) <= now
        )
        .order_by(col(Outgoing.next_attempt_at))
        .limit(LIMIT)
    ).all()


def settle(session: Session, reply_id: str, **values: Any) -> None:
    """Write down what was found out about a doubtful reply, or when to look again."""
    session.execute(
        update(Outgoing)
        .where(
            col(Outgoing.reply_id) == reply_id,
            col(Outgoing.status) == SendStatus.DOUBTFUL.value,
        )
        .values(**values)
    )


def left(session: Session, reply_id: str, provider_id: str, at: datetime, outbound: str) -> bool:
    """Note a provider's report that it took a reply; return whether that was news."""
    return _changed(
        session,
        reply_id,
        outbound,
        (SendStatus.SENDING, SendStatus.DOUBTFUL, SendStatus.UNKNOWN),
        status=SendStatus.SENT.value,
        provider_id=provider_id,
        sent_at=at,
        told_at=None,
    )


def delivered(session: Session, reply_id: str, at: datetime, outbound: str) -> bool:
    """Note that a reply arrived; return whether that was news."""
    return _changed(session, reply_id, outbound, (SendStatus.SENT,), delivered_at=at)


def failed(session: Session, reply_id: str, detail: str, outbound: str) -> bool:
    """Note that a reply did not arrive, unless it was said to have; return whether it was news."""
    return _changed(
        session,
        reply_id,
        outbound,
        (SendStatus.SENDING, SendStatus.DOUBTFUL, SendStatus.UNKNOWN, SendStatus.SENT),
        col(Outgoing.delivered_at).is_(None),
        status=SendStatus.FAILED.value,
        last_error=detail,
        told_at=None,
    )


def again(session: Session, reply_id: str, provider_id: str, at: datetime) -> None:
    """Have a reply sent once more at `at`: its provider said that it arrived nowhere."""
    session.execute(
        update(Outgoing)
        .where(col(Outgoing.reply_id) == reply_id, col(Outgoing.status) == SendStatus.FAILED.value)
        .values(
            status=SendStatus.QUEUED.value,
            provider_id=provider_id,
            next_attempt_at=at,
            told_at=None,
        )
    )


def _changed(
    session: Session,
    reply_id: str,
    outbound: str,
    seen: tuple[SendStatus, ...],
    *conditions: Any,
    **values: Any,
) -> bool:
    done: CursorResult[Any] = session.execute(  # type: ignore[assignment]
        update(Outgoing)
        .where(
            col(Outgoing.reply_id) == reply_id,
            col(Outgoing.outbound) == outbound,
            col(Outgoing.status).in_([status.value for status in seen]),
            *conditions,
        )
        .values(**values)
    )
    return bool(done.rowcount)
