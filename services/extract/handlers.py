"""The edge of extract: one function for each topic."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from knowledge.catalogue import Catalogue
from schemas.event import Event
from schemas.frigo import UnitStateChanged
from schemas.printer import CustomerMessage, MessageClassified
from services.extract import frigo, printer
from services.policy import Handler
from storage import devices
from storage.database import Database


def classified_messages(catalogue: Catalogue, database: Database) -> Handler:
    """Return the handler of `printer.classified`."""

    async def handle(events: Sequence[MessageClassified]) -> list[Sequence[Event]]:
        now = datetime.now(UTC)
        messages = [event.message for event in events]
        record = await database.read(
            devices.known,
            {message.customer_id for message in messages},
            {message.conversation_id for message in messages},
        )
        return [
            printer.extract(event, catalogue, now, _known(record, event.message))
            for event in events
        ]

    return handle


def _known(record: devices.Known, message: CustomerMessage) -> printer.Known:
    return printer.Known(
        record.devices.get(message.customer_id, ()),
        record.chosen.get(message.conversation_id, ""),
        record.corrections.get(message.customer_id, ()),
    )


def changed_units() -> Handler:
    """Return the handler of `frigo.classified`."""

    async def handle(events: Sequence[UnitStateChanged]) -> list[Sequence[Event]]:
        now = datetime.now(UTC)
        return [frigo.gather(event, now) for event in events]

    return handle
