"""Conversations that people brought to an end: what was asked first, and what was answered last."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlmodel import Session, col, select

from schemas.vocabulary import SendStatus
from storage.tables import Conversation, Customer, Message, Outgoing

CLOSED = "closed"


class Solved(NamedTuple):
    """A closed conversation; `names` are those of its customer, `by`: who answered, as told."""

    conversation_id: str
    subject: str
    question: str
    answer: str
    by: str
    names: tuple[str, ...]


def closed(session: Session, since: datetime | None, after: str, limit: int) -> list[str]:
    """Return closed conversations that ended since then, by their ids, those beyond `after`."""
    wanted = select(Conversation.conversation_id).where(
        col(Conversation.state) == CLOSED,
        col(Conversation.trial).is_(False),
        col(Conversation.conversation_id) > after,
    )
    if since:
        wanted = wanted.where(col(Conversation.last_at) >= since)
    return list(session.exec(wanted.order_by(col(Conversation.conversation_id)).limit(limit)))


def solved(session: Session, names: Sequence[str]) -> list[Solved]:
    """Return of conversations those in which we had the last word."""
    found = session.exec(
        select(Conversation, Customer)
        .join(Customer, col(Customer.customer_id) == col(Conversation.customer_id))
        .where(col(Conversation.conversation_id).in_(names))
    ).all()
    asked = _first_and_last(session, names)
    answers = _last_replies(session, names)
    return [
        Solved(
            talk.conversation_id,
            talk.subject,
            asked[talk.conversation_id][0].text,
            answer.text,
            answer.how,
            (customer.name, customer.company),
        )
        for talk, customer in found
        if talk.conversation_id in asked
        and (answer := answers.get(talk.conversation_id))
        and asked[talk.conversation_id][1].stored_at <= (answer.sent_at or answer.created_at)
    ]


def _first_and_last(session: Session, names: Sequence[str]) -> dict[str, tuple[Message, Message]]:
    rows = session.exec(
        select(Message)
        .where(col(Message.conversation_id).in_(names), col(Message.automatic).is_(None))
        .order_by(col(Message.stored_at))
    )
    found: dict[str, tuple[Message, Message]] = {}
    for row in rows:
        first, _ = found.get(row.conversation_id, (row, row))
        found[row.conversation_id] = (first, row)
    return found


def _last_replies(session: Session, names: Sequence[str]) -> dict[str, Outgoing]:
    rows = session.exec(
        select(Outgoing)
        .where(
            col(Outgoing.conversation_id).in_(names), col(Outgoing.status) == SendStatus.SENT.value
        )
        .order_by(col(Outgoing.created_at))
    )
    return {row.conversation_id: row for row in rows}
