"""The edge of rag: one function for each topic."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import UTC, datetime

from ai.embeddings import Embedder
from ai.passages import Filters
from schemas.event import Event
from schemas.findings import Passage
from schemas.frigo import EvidenceGathered, Fact
from schemas.printer import MessageExtracted
from schemas.vocabulary import Change, Fault, Language
from services.library import Library
from services.policy import Handler
from services.rag import frigo, printer
from services.rag.frigo import Before
from storage import episodes
from storage.database import Database

SheetOf = Callable[[Fault, Language], Passage]
TestOf = Callable[[Fault, Fault, Collection[str], float], Fact | None]

LOOKED_AT = 16
"""Hits asked for: some may be about another model, or in another language."""


def extracted_messages(embedder: Embedder, library: Library) -> Handler:
    """Return the handler of `printer.extracted`."""

    async def handle(events: Sequence[MessageExtracted]) -> list[Sequence[Event]]:
        now = datetime.now(UTC)
        asked = [(event, printer.questions(event)) for event in events]
        questions = [question for _, own in asked for question in own]
        vectors = await embedder.embed(questions)
        makes = [Filters(brand=event.first("brand") or "") for event, own in asked for _ in own]
        found = iter(library.index.search_many(questions, vectors, LOOKED_AT, makes))
        return [
            printer.ground(event, [next(found) for _ in own], library.pieces, now)
            for event, own in asked
        ]

    return handle


def gathered_evidence(database: Database, sheet_of: SheetOf, test_of: TestOf) -> Handler:
    """Return the handler of `frigo.extracted`."""

    async def ground(event: EvidenceGathered, now: datetime) -> Sequence[Event]:
        fault = frigo.known(event.fault)
        if event.change is Change.CLEARED or fault is None:
            return frigo.ground(event, (), (), None, now)
        name = event.unit_id, event.episode_id
        past = await database.read(episodes.past, *name)
        rivals = frigo.rivals(event)
        return frigo.ground(
            event,
            (sheet_of(fault, frigo.language_of(event)),),
            [Before(*each) for each in past],
            test_of(*rivals, frigo.sensors(event), frigo.odds(event)) if rivals else None,
            now,
        )

    async def handle(events: Sequence[EvidenceGathered]) -> list[Sequence[Event]]:
        now = datetime.now(UTC)
        return [await ground(event, now) for event in events]

    return handle
