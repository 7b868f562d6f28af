"""What was said before a message, between its sender and the desk."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import and_, or_
from sqlalchemy.orm import aliased
from sqlmodel import Session, col, func, select

from schemas.findings import Turn
from schemas.vocabulary import SendStatus
from storage.tables import Message, Outgoing

AT_MOST = 6
CHARACTERS = 1_000
NOT_READ = (SendStatus.FAILED.value, SendStatus.NONE.value, SendStatus.UNKNOWN.value)
"""Replies that the customer has not, or perhaps not, seen."""


def before(session: Session, message_id: UUID) -> tuple[Turn, ...]:
    """Return the last turns before a message, oldest first; the same whenever it is asked for.

    Only what the same sender wrote and what was answered to it: whoever was let into another's
    conversation is not told what was said there.
    """
    mine, theirs = aliased(Message), aliased(Message)
    of_theirs = (
        col(theirs.conversation_id) == col(mine.conversation_id),
        col(theirs.sender) == col(mine.sender),
        col(theirs.text) != "",
        col(theirs.stored_at) <= col(mine.stored_at),
        or_(
            col(theirs.received_at) < col(mine.received_at),
            and_(
                col(theirs.received_at) == col(mine.received_at),
                col(theirs.message_id) < col(mine.message_id),
            ),
        ),
    )
    written = session.exec(
        select(
            theirs.message_id,
            func.substr(theirs.text, 1, CHARACTERS),
            theirs.received_at,
            mine.stored_at,
        )
        .join(theirs, and_(*of_theirs))
        .where(col(mine.message_id) == str(message_id))
        .order_by(col(theirs.received_at).desc(), col(theirs.message_id).desc())
        .limit(AT_MOST)
    ).all()
    if not written:
        return ()
    turns = [Turn(who="customer", text=text, at=at) for _, text, at, _ in written]
    answered = session.exec(
        select(func.substr(Outgoing.text, 1, CHARACTERS), Outgoing.created_at).where(
            col(Outgoing.message_id).in_([name for name, *_ in written]),
            col(Outgoing.created_at) < written[0][-1],
            col(Outgoing.status).not_in(NOT_READ),
        )
    )
    turns += [Turn(who="desk", text=text, at=at) for text, at in answered]
    return tuple(sorted(turns, key=lambda turn: turn.at)[-AT_MOST:])
