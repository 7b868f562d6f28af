"""The edge of extract: one function for each topic."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from knowledge.catalogue import Catalogue
from schemas.event import Event
from schemas.frigo import UnitStateChanged
from schemas.printer import MessageClassified
from services.extract import frigo, printer
from services.policy import Handler


def classified_messages(catalogue: Catalogue) -> Handler:
    """Return the handler of `printer.classified`."""

    async def handle(events: Sequence[MessageClassified]) -> list[Sequence[Event]]:
        now = datetime.now(UTC)
        return [printer.extract(event, catalogue, now) for event in events]

    return handle


def changed_units() -> Handler:
    """Return the handler of `frigo.classified`."""

    async def handle(events: Sequence[UnitStateChanged]) -> list[Sequence[Event]]:
        now = datetime.now(UTC)
        return [frigo.gather(event, now) for event in events]

    return handle
