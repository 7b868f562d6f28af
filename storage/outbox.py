"""The outbox: replies, recorded before they are tried, and what became of them.

A row goes `queued` → `sending` (claimed by one owner) → `sent` or `failed`; `held` and `none`
have nothing to send. `told_at` is set once the outcome was published.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, exists, or_, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, SQLModel, col, select

from schemas.vocabulary import Action, SendStatus
from storage.database import insert_new
from storage.tables import Message, Outgoing

# Tables, not classes: a change of many rows is then one statement with many parameters.
_OUTGOING, _MESSAGE, _CONVERSATION = (
    SQLModel.metadata.tables[name] for name in ("outgoing", "message", "conversation")
)

STATE_AFTER = {
    Action.REPLY: "answered",
    Action.HANDOFF: "handed_over",
    Action.IGNORE: "ignored",
}


def record(session: Session, rows: list[dict[str, Any]]) -> None:
    """Write replies down; one that is there already (a repeated draft) stays as it is."""
    insert_new(session, Outgoing, rows)


def claim(session: Session, owner: str, now: datetime, limit: int) -> Sequence[Outgoing]:
    """Take the replies that are due, and the outcomes that were not told; oldest first.

    A reply waits for those before it in its conversation that are put off or on their way.
    """
    before = aliased(Outgoing)
    put_off = (col(before.status) == SendStatus.QUEUED.value) & (col(before.next_attempt_at) > now)
    held_up = exists().where(
        col(before.conversation_id) == col(Outgoing.conversation_id),
        col(before.created_at) < col(Outgoing.created_at),
        or_(put_off, col(before.status) == SendStatus.SENDING.value),
    )
    due = (
        select(Outgoing.reply_id)
        .where(
            col(Outgoing.status) == SendStatus.QUEUED.value,
            col(Outgoing.next_attempt_at) <= now,
            ~held_up,
        )
        .order_by(col(Outgoing.created_at))
        .limit(limit)
    )
    ids = list(session.exec(due))
    if ids:
        session.execute(
            update(Outgoing)
            .where(col(Outgoing.reply_id).in_(ids), col(Outgoing.status) == SendStatus.QUEUED.value)
            .values(
                status=SendStatus.SENDING.value,
                owner=owner,
                claimed_at=now,
                attempts=col(Outgoing.attempts) + 1,
            )
        )
    mine = (col(Outgoing.status) == SendStatus.SENDING.value) & (col(Outgoing.owner) == owner)
    untold = col(Outgoing.told_at).is_(None) & col(Outgoing.status).in_(
        [
            status.value
            for status in (SendStatus.SENT, SendStatus.FAILED, SendStatus.HELD, SendStatus.NONE)
        ]
    )
    return session.exec(
        select(Outgoing).where(or_(mine, untold)).order_by(col(Outgoing.created_at)).limit(limit)
    ).all()


def unsettled(session: Session, before: datetime) -> Sequence[Outgoing]:
    """Return the replies claimed before a moment and never finished: their outcome is unknown."""
    return session.exec(
        select(Outgoing).where(
            col(Outgoing.status) == SendStatus.SENDING.value, col(Outgoing.claimed_at) <= before
        )
    ).all()


def settle(session: Session, reply_id: str, *, sent: bool, now: datetime) -> None:
    """Write down what was found out about an unknown outcome."""
    values: dict[str, Any] = (
        {"status": SendStatus.SENT.value, "sent_at": now}
        if sent
        else {"status": SendStatus.QUEUED.value, "next_attempt_at": now}
    )
    session.execute(update(Outgoing).where(col(Outgoing.reply_id) == reply_id).values(**values))


def mark(session: Session, rows: Sequence[Outgoing], now: datetime) -> None:
    """Write down the outcome of attempts; rows come with their new values."""
    changes = (
        update(_OUTGOING)
        .where(_OUTGOING.c.reply_id == bindparam("name"))
        .values(
            status=bindparam("new_status"),
            provider_id=bindparam("new_provider_id"),
            last_error=bindparam("new_error"),
            next_attempt_at=bindparam("new_attempt_at"),
            sent_at=bindparam("new_sent_at"),
        )
    )
    session.connection().execute(
        changes,
        [
            {
                "name": row.reply_id,
                "new_status": row.status,
                "new_provider_id": row.provider_id,
                "new_error": row.last_error,
                "new_attempt_at": row.next_attempt_at,
                "new_sent_at": now if row.status == SendStatus.SENT.value else None,
            }
            for row in rows
        ],
    )


def mark_told(session: Session, rows: Sequence[Outgoing], now: datetime) -> None:
    """Note that the outcomes were published, and what they mean for message and conversation."""
    ends = [
        {
            "message": row.message_id,
            "conversation": row.conversation_id,
            "new_state": _state_after(row),
            "new_reason": row.reason,
        }
        for row in rows
    ]
    connection = session.connection()
    connection.execute(
        update(_MESSAGE)
        .where(_MESSAGE.c.message_id == bindparam("message"))
        .values(outcome=bindparam("new_state")),
        ends,
    )
    connection.execute(
        update(_CONVERSATION)
        .where(_CONVERSATION.c.conversation_id == bindparam("conversation"))
        .values(state=bindparam("new_state"), reason=bindparam("new_reason")),
        ends,
    )
    session.execute(
        update(Outgoing)
        .where(col(Outgoing.reply_id).in_([row.reply_id for row in rows]))
        .values(told_at=now)
    )


def _state_after(row: Outgoing) -> str:
    failed = row.status == SendStatus.FAILED.value
    return "failed" if failed else STATE_AFTER[Action(row.action)]


def tell_again(session: Session, message_ids: Sequence[str]) -> None:
    """Have these roads walked again to their end, for a record that may not have seen it.

    Nothing is sent again: the replies keep their status.
    """
    session.execute(
        update(Message).where(col(Message.message_id).in_(message_ids)).values(outcome="")
    )
    session.execute(
        update(Outgoing).where(col(Outgoing.message_id).in_(message_ids)).values(told_at=None)
    )


def retry_at(now: datetime, attempts: int) -> datetime:
    """Return when to try again: 10 s, 20 s, 40 s … at most an hour."""
    return now + timedelta(seconds=min(10 * 2 ** max(attempts - 1, 0), 3600))
