"""What leaves, and what became of it. Pure."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol
from uuid import UUID, uuid5

from schemas.printer import ReplyDrafted, ReplySent
from schemas.vocabulary import Action, Channel, SendStatus

MAX_ATTEMPTS = 12
"""At 10 s, 20 s, 40 s … and an hour at most, the last is tried some six hours after the first."""


class Row(Protocol):
    """A reply in the outbox."""

    reply_id: str
    message_id: str
    conversation_id: str
    action: str
    reason: str
    status: str
    outbound: str
    provider_id: str
    last_error: str


def plan(event: ReplyDrafted, outbound: str, now: datetime, domain: str = "") -> dict[str, Any]:
    """Return the outbox row of a draft: queued, held (a trial), or with nothing to send.

    `domain` is what our Message-IDs end with; empty: mails have none of ours.
    """
    message, draft = event.message, event.draft
    by_mail = message.channel is Channel.EMAIL
    status = SendStatus.QUEUED
    if draft.action is Action.IGNORE:
        status = SendStatus.NONE
    elif message.trial:
        status = SendStatus.HELD
    return {
        "reply_id": str(event.event_id),
        "message_id": str(message.message_id),
        "conversation_id": message.conversation_id,
        "channel": message.channel.value,
        "address": message.sender,
        "ours": "",
        "mail_id": f"<{event.event_id}@{domain}>" if by_mail and domain else "",
        "in_reply_to": "",
        "mail_references": [],
        "subject": _subject(message.subject) if by_mail else "",
        "text": draft.text,
        "segments": 0,
        "action": draft.action.value,
        "reason": draft.reason,
        "how": draft.how,
        "sources": list(draft.sources),
        "status": status.value,
        "outbound": outbound if status is SendStatus.QUEUED else "",
        "provider_id": "",
        "owner": "",
        "attempts": 0,
        "next_attempt_at": now,
        "last_error": "",
        "created_at": now,
    }


def _subject(subject: str) -> str:
    if not subject or subject.lower().startswith("re:"):
        return subject
    return f"Re: {subject}"[:998]


def sent(row: Row, now: datetime) -> ReplySent:
    """Tell what became of a reply; the same for the same row, however often.

    An outcome that its provider corrects later is another event: a failure, or none after all.
    """
    cause = UUID(row.reply_id)
    status = SendStatus(row.status)
    which = status.value if status in {SendStatus.FAILED, SendStatus.UNKNOWN} else 0
    why = f"{status.fr}" + (f" par {row.outbound}" if row.outbound else "")
    return ReplySent(
        event_id=uuid5(cause, f"{ReplySent.topic}/{which}"),
        trace_id=UUID(row.message_id).hex,
        caused_by=cause,
        occurred_at=now,
        why=f"{why} : {row.last_error}" if which else why,
        message_id=UUID(row.message_id),
        conversation_id=row.conversation_id,
        action=Action(row.action),
        reason=row.reason,
        status=status,
        outbound=row.outbound,
        provider_id=row.provider_id,
    )
