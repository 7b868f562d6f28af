"""Addresses that nothing is sent to, and why."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Session

from storage.database import insert_new
from storage.tables import Suppression


def suppress(
    session: Session,
    channel: str,
    address: str,
    *,
    reason: str,
    source: str,
    now: datetime,
    detail: str = "",
    until: datetime | None = None,
) -> None:
    """Send nothing more to an address (`services.addresses.plain`); `until`: not for good.

    One that is there for good stays as it is; another is told anew.
    """
    row = session.get(Suppression, (channel, address))
    if row and (row.until is None or (until and until <= row.until)):
        return
    if row:
        session.delete(row)
        session.flush()
    said = {"channel": channel, "address": address, "reason": reason, "detail": detail[:500]}
    insert_new(session, Suppression, [said | {"source": source, "since": now, "until": until}])


def welcome_back(session: Session, channel: str, address: str, source: str) -> None:
    """Write again to an address that a provider had taken off, now that it let us in again."""
    row = session.get(Suppression, (channel, address))
    if row and row.source == source:
        session.delete(row)
