"""What an answer needs of the message that it answers, and how the next one finds back to it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlmodel import Session, col, select

from schemas.vocabulary import Channel
from storage.database import insert_new
from storage.tables import Message, ThreadId

MAX_REFERENCES = 20
"""Mails before, of a long conversation: the oldest, and the newest of the others."""


def answered(session: Session, message_ids: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return of each message what its answer needs: where it came to, and the mails before."""
    found = session.exec(select(Message).where(col(Message.message_id).in_(message_ids)))
    return {each.message_id: _answering(each) for each in found}


def _answering(message: Message) -> dict[str, Any]:
    answering: dict[str, Any] = {"ours": message.recipient}
    if message.channel == Channel.EMAIL.value:
        mails = [*message.mail_references, message.external_id]
        answering["in_reply_to"] = message.external_id
        answering["mail_references"] = [*mails[:1], *mails[1:][1 - MAX_REFERENCES :]]
    return answering


def note_threads(session: Session, rows: Sequence[dict[str, Any]]) -> None:
    """Note the Message-IDs of these replies, so that a mail that answers one finds back."""
    threads = [
        {"mail_id": row["mail_id"], "conversation_id": row["conversation_id"]}
        for row in rows
        if row["mail_id"]
    ]
    insert_new(session, ThreadId, threads)
