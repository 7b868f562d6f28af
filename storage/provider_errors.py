"""What providers' error codes mean for us: a table, because providers change their meanings."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlmodel import Session, col, select

from storage.tables import Outgoing, ProviderError


def meaning(session: Session, provider: str, code: str) -> ProviderError | None:
    """Return what a code means, or nothing: nobody has said so yet."""
    return session.get(ProviderError, (provider, code))


def seek(session: Session, reply_id: str) -> tuple[Outgoing, frozenset[str]] | None:
    """Return a reply, and the provider's ids of the others to that address."""
    row = session.get(Outgoing, reply_id)
    if row is None:
        return None
    others: Any = session.exec(
        select(Outgoing.provider_id).where(
            col(Outgoing.address) == row.address,
            col(Outgoing.created_at) > row.created_at - timedelta(days=1),
            col(Outgoing.reply_id) != reply_id,
            col(Outgoing.provider_id) != "",
        )
    )
    return row, frozenset(others)
