"""The outbox: replies, recorded before they are tried, and what became of them.

A row goes `queued` → `sending` (claimed by one owner) → `sent` or `failed`; to `doubtful` when it
may have left (see `storage.doubts`). `held` and `none` have nothing to send. `told_at` is set once
the outcome was published.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import bindparam, case, exists, func, insert, or_, update
from sqlalchemy.orm import aliased
from sqlmodel import Session, SQLModel, col, select

from schemas.vocabulary import Action, SendStatus
from storage.database import insert_new
from storage.tables import Attempt, History, Latch, Message, Outgoing

# Tables, not classes: a change of many rows is then one statement with many parameters.
_OUTGOING, _MESSAGE, _CONVERSATION = (
    SQLModel.metadata.tables[name] for name in ("outgoing", "message", "conversation")
)

AT_ONCE = 200
"""Outcomes told in one go."""

UNDER_WAY = (SendStatus.SENDING.value, SendStatus.DOUBTFUL.value)
WAITING = (SendStatus.QUEUED.value, *UNDER_WAY)
ENDED = tuple(status.value for status in SendStatus if status.value not in WAITING)

STATE_AFTER = {
    Action.REPLY: "answered",
    Action.HANDOFF: "handed_over",
    Action.IGNORE: "ignored",
}


def record(session: Session, rows: list[dict[str, Any]]) -> None:
    """Write replies down; one that is there already (a repeated draft) stays as it is."""
    insert_new(session, Outgoing, rows)


def there_already(session: Session, message_ids: Sequence[str]) -> set[str]:
    """Return which of these messages have their reply in the outbox."""
    mine = select(Outgoing.message_id).where(col(Outgoing.message_id).in_(message_ids))
    return set(session.exec(mine))


def claim(session: Session, owner: str, now: datetime, limit: int) -> Sequence[Outgoing]:
    """Take the replies that are due, and the outcomes that were not told; oldest first.

    A reply waits for those before it in its conversation that are put off, on their way, or in
    doubt. One process claims at a time: what it takes holds up what the next one sees.
    """
    session.exec(select(Latch).where(col(Latch.name) == "outbox").with_for_update()).all()
    before = aliased(Outgoing)
    put_off = (col(before.status) == SendStatus.QUEUED.value) & (col(before.next_attempt_at) > now)
    held_up = exists().where(
        col(before.conversation_id) == col(Outgoing.conversation_id),
        col(before.created_at) < col(Outgoing.created_at),
        or_(put_off, col(before.status).in_(UNDER_WAY)),
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
    ids = list(session.exec(due)) if limit > 0 else []
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
    untold = col(Outgoing.told_at).is_(None) & col(Outgoing.status).in_(ENDED)
    rows = session.exec(
        select(Outgoing).where(untold).order_by(col(Outgoing.created_at)).limit(AT_ONCE)
    ).all()
    mine = select(Outgoing).where(col(Outgoing.reply_id).in_(ids), col(Outgoing.owner) == owner)
    return [*rows, *(session.exec(mine.order_by(col(Outgoing.created_at))) if ids else ())]


def mark(session: Session, rows: Sequence[Outgoing], now: datetime) -> None:
    """Write down the outcome of attempts; rows come with their new values.

    A row that somebody settled meanwhile (its provider reported, its owner was taken for dead)
    is left as it is.
    """
    claimed = _OUTGOING.c
    changes = (
        update(_OUTGOING)
        .where(
            claimed.reply_id == bindparam("name"),
            claimed.owner == bindparam("claimer"),
            claimed.status == SendStatus.SENDING.value,
        )
        .values(
            status=bindparam("new_status"),
            attempts=bindparam("new_attempts"),
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
                "claimer": row.owner,
                "new_status": row.status,
                "new_attempts": row.attempts,
                "new_provider_id": row.provider_id,
                "new_error": row.last_error,
                "new_attempt_at": row.next_attempt_at,
                "new_sent_at": now if row.status == SendStatus.SENT.value else None,
            }
            for row in rows
        ],
    )


def note_attempts(session: Session, attempts: Sequence[dict[str, Any]]) -> None:
    """Keep what was tried, for people who ask what happened."""
    if attempts:
        session.execute(insert(Attempt), attempts)


def mark_told(session: Session, rows: Sequence[Outgoing], now: datetime) -> None:
    """Note that the outcomes were published, and what they mean for message and conversation."""
    ends = [
        {
            "message": row.message_id,
            "conversation": row.conversation_id,
            "new_state": state_after(row),
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
    # What became of an older message says nothing of a conversation that has gone on since.
    ours = _CONVERSATION.c
    connection.execute(
        update(_CONVERSATION)
        .where(
            ours.conversation_id == bindparam("conversation"),
            ours.last_message_id.in_(["", bindparam("message")]),
        )
        .values(
            state=bindparam("new_state"), reason=bindparam("new_reason"), version=ours.version + 1
        ),
        ends,
    )
    insert_new(session, History, [_history(row, now) for row in rows])
    session.execute(
        update(Outgoing)
        .where(col(Outgoing.reply_id).in_([row.reply_id for row in rows]))
        .values(told_at=now)
    )


def _history(row: Outgoing, now: datetime) -> dict[str, Any]:
    state = state_after(row)
    return {
        "history_id": f"{row.reply_id}/{row.status}",
        "conversation_id": row.conversation_id,
        "action": state,
        "actor_type": "system",
        "actor": row.outbound,
        "detail": {"reply_id": row.reply_id, "reason": row.reason, "status": row.status},
        "at": now,
    }


def state_after(row: Outgoing) -> str:
    """Return the state of a message whose reply came to this end."""
    failed = row.status in {SendStatus.FAILED.value, SendStatus.UNKNOWN.value}
    return "failed" if failed else STATE_AFTER[Action(row.action)]


@dataclass(frozen=True)
class Depth:
    """What waits in the outbox: rows of each status, and since when the oldest waits.

    A reply that was put off on purpose, to the morning say, begins to wait when it is due.
    """

    rows: dict[str, int]
    oldest: datetime | None

    @property
    def waiting(self) -> int:
        """Rows that have not left."""
        return sum(self.rows.values())


def depth(session: Session) -> Depth:
    """Count what waits."""
    waits = col(Outgoing.status).in_(WAITING)
    counted = select(Outgoing.status, func.count()).where(waits).group_by(col(Outgoing.status))
    tried = col(Outgoing.attempts) > 0
    since = case((tried, col(Outgoing.created_at)), else_=col(Outgoing.next_attempt_at))
    oldest = session.exec(select(func.min(since)).where(waits)).one()
    return Depth(dict(session.exec(counted).all()), oldest)


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
