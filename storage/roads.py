"""The record of roads: every event of every message, written in batches, read by people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, update
from sqlmodel import Session, SQLModel, col, func, or_, select

from storage import journal
from storage.database import insert_new
from storage.tables import (
    Conversation,
    Customer,
    Extraction,
    Message,
    Metric,
    Outgoing,
    Prediction,
    Recorded,
    Retrieval,
)

FINDINGS: tuple[type[SQLModel], ...] = (Prediction, Extraction, Retrieval, Metric)

_CONVERSATION = SQLModel.metadata.tables["conversation"]


def write(
    session: Session,
    rows: list[dict[str, Any]],
    finished: list[str],
    failed: list[str],
    now: datetime,
) -> None:
    """Add events; `finished` and `failed` are the message ids whose road ended with them."""
    insert_new(session, Recorded, rows)
    if finished or failed:
        journal.finish(session, [*finished, *failed], now)
    if failed:
        session.execute(
            update(Conversation)
            .where(col(Conversation.last_message_id).in_(failed))
            .values(state="failed", reason="dead_letter", version=col(Conversation.version) + 1)
        )
        session.execute(
            update(Message).where(col(Message.message_id).in_(failed)).values(outcome="failed")
        )


def write_findings(
    session: Session,
    found: Mapping[str, list[dict[str, Any]]],
    classified: Sequence[dict[str, Any]],
) -> None:
    """Add what the stages found, by table; and what conversations learn from it."""
    for table in FINDINGS:
        insert_new(session, table, found.get(table.__name__.lower(), []))
    if classified:
        ours = _CONVERSATION.c
        learn = (
            update(_CONVERSATION)
            .where(
                ours.conversation_id == bindparam("conversation"),
                ours.last_message_id == bindparam("message"),
            )
            .values(
                category=bindparam("new_category"),
                priority=bindparam("new_priority"),
                language=bindparam("new_language"),
                confidence=bindparam("new_confidence"),
            )
        )
        session.connection().execute(learn, list(classified))


def since(session: Session, seq: int, limit: int = 500) -> Sequence[tuple[int, str, str, str]]:
    """Return (seq, conversation, trace, topic) of the events recorded after `seq`."""
    columns = (col(Recorded.seq), Recorded.conversation_id, Recorded.trace_id, Recorded.topic)
    rows = session.exec(
        select(*columns).where(col(Recorded.seq) > seq).order_by(col(Recorded.seq)).limit(limit)
    )
    return [
        (number or 0, conversation, trace, topic) for number, conversation, trace, topic in rows
    ]


def last_seq(session: Session) -> int:
    """Return the number of the newest event."""
    return session.exec(select(func.max(Recorded.seq))).one() or 0


def outcome(session: Session, message_id: str) -> Outgoing | None:
    """Return what became of a message, once it was told."""
    return session.exec(
        select(Outgoing).where(
            col(Outgoing.message_id) == message_id, col(Outgoing.told_at).is_not(None)
        )
    ).first()


def ended(session: Session, message_ids: Sequence[str]) -> set[str]:
    """Return those of the messages whose road is recorded to its end, or to a dead letter."""
    traces = {name.replace("-", ""): name for name in message_ids}
    rows = session.exec(
        select(Recorded.trace_id).where(
            col(Recorded.trace_id).in_(list(traces)),
            or_(col(Recorded.topic) == "printer.sent", col(Recorded.topic).startswith("dead.")),
        )
    )
    return {traces[row] for row in rows}


def trace(session: Session, name: str) -> Sequence[Recorded]:
    """Return the events of a trace, by trace id, event id or conversation id, in order."""
    wanted = name.replace("-", "")
    found = session.exec(
        select(Recorded.trace_id)
        .where(
            or_(
                col(Recorded.trace_id) == wanted,
                col(Recorded.event_id) == name,
                col(Recorded.conversation_id) == name,
            )
        )
        .order_by(col(Recorded.seq).desc())
        .limit(1)
    ).first()
    if not found:
        return []
    return session.exec(
        select(Recorded)
        .where(col(Recorded.trace_id) == found)
        .order_by(col(Recorded.occurred_at), col(Recorded.seq))
    ).all()


def conversations(session: Session, limit: int) -> list[tuple[Conversation, Customer, str, int]]:
    """Return conversations, newest first, each with its customer, last words and message count."""
    newest = (  # first, from the index alone: MySQL would look up the words of all of them
        select(Conversation.conversation_id)
        .order_by(col(Conversation.last_at).desc())
        .limit(limit)
        .subquery()
    )
    last = (
        select(Message.text)
        .where(col(Message.conversation_id) == col(Conversation.conversation_id))
        .order_by(col(Message.stored_at).desc())
        .limit(1)
        .scalar_subquery()
    )
    count = (
        select(func.count())
        .where(col(Message.conversation_id) == col(Conversation.conversation_id))
        .scalar_subquery()
    )
    rows = session.exec(
        select(Conversation, Customer, func.substr(last, 1, 160), count)
        .join(newest, newest.c.conversation_id == col(Conversation.conversation_id))
        .join(Customer, col(Customer.customer_id) == col(Conversation.customer_id))
        .order_by(col(Conversation.last_at).desc())
    )
    return [tuple(row) for row in rows]


def totals(session: Session) -> dict[str, int]:
    """Return the number of conversations in each state."""
    return dict(
        session.exec(select(Conversation.state, func.count()).group_by(Conversation.state)).all()
    )


def conversation(
    session: Session, conversation_id: str
) -> tuple[Conversation, Customer, list[Message], list[Outgoing], list[Recorded]] | None:
    """Return one conversation with what came in, what left, and what was found on the way."""
    found = session.get(Conversation, conversation_id)
    customer = session.get(Customer, found.customer_id) if found else None
    if not (found and customer):
        return None
    messages = select(Message).where(col(Message.conversation_id) == conversation_id)
    replies = select(Outgoing).where(col(Outgoing.conversation_id) == conversation_id)
    events = select(Recorded).where(
        col(Recorded.conversation_id) == conversation_id,
        col(Recorded.topic).in_(
            ["printer.classified", "printer.extracted", "printer.grounded", "printer.drafted"]
        ),
    )
    return (
        found,
        customer,
        list(session.exec(messages.order_by(col(Message.stored_at)).limit(500))),
        list(session.exec(replies.order_by(col(Outgoing.created_at)).limit(500))),
        list(session.exec(events.order_by(col(Recorded.seq)).limit(2000))),
    )
