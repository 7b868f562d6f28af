"""What was said in a chat, for a browser that comes back."""

from __future__ import annotations

from typing import Any

from sqlmodel import Session, col, select

from schemas.vocabulary import SendStatus
from storage.tables import Contact, Conversation, Message, Outgoing

NEWEST = 50
"""Of each side: as much as anybody scrolls back in a small window."""
CONVERSATIONS = 10
SHOWN = tuple(s.value for s in (SendStatus.SENDING, SendStatus.DOUBTFUL, SendStatus.SENT))
"""One that is just being shown may have been, before the browser came back."""


def said(session: Session, visitor: str) -> list[tuple[str, Any, str, str]]:
    """Return id, who (visitor or desk), text and ISO time of what was said, oldest first."""
    theirs = (
        select(Conversation.conversation_id)
        .join(Contact, col(Contact.customer_id) == col(Conversation.customer_id))
        .where(Contact.address == f"chat:{visitor}")
        .order_by(col(Conversation.last_at).desc())
        .limit(CONVERSATIONS)
    )
    names = list(session.exec(theirs))
    if not names:
        return []
    asked = session.exec(
        select(Message.external_id, Message.received_text, Message.received_at)
        .where(col(Message.conversation_id).in_(names))
        .order_by(col(Message.received_at).desc())
        .limit(NEWEST)
    ).all()
    answered = session.exec(
        select(Outgoing.reply_id, Outgoing.text, Outgoing.sent_at, Outgoing.created_at)
        .where(
            col(Outgoing.conversation_id).in_(names),
            col(Outgoing.status).in_(SHOWN),
        )
        .order_by(col(Outgoing.created_at).desc())
        .limit(NEWEST)
    ).all()
    rows: list[tuple[Any, str, Any, str]] = [
        (at, name.partition(":")[2], "visitor", text) for name, text, at in asked
    ]
    # One that is just being shown has no time yet.
    rows += [(at or made_at, name, "desk", text) for name, text, at, made_at in answered]
    rows.sort(key=lambda row: row[0])
    return [(name, who, text, at.isoformat()) for at, name, who, text in rows]
