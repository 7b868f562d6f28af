"""The edge of classify: one function for each topic."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from ai.embeddings import Embedder
from ai.language import LanguageDetector
from schemas.event import Event
from schemas.frigo import ReadingReceived
from schemas.printer import MessageReceived
from services.classifiers import Classifiers
from services.classify import printer
from services.policy import Handler
from services.rooms import Rooms
from services.rounds import Rounds


def received_messages(
    embedder: Embedder, known: Classifiers, languages: LanguageDetector
) -> Handler:
    """Return the handler of `printer.received`."""

    async def handle(events: Sequence[MessageReceived]) -> list[Sequence[Event]]:
        now = datetime.now(UTC)
        texts = [printer.text_to_classify(event) for event in events]
        vectors = await embedder.embed(texts)
        likely = known.intents.probabilities(texts, vectors).tolist()
        pressing = known.priorities.probabilities(texts, vectors).tolist()
        return [
            printer.classify(
                event,
                dict(zip(known.intents.labels, intent, strict=True)),
                dict(zip(known.priorities.labels, priority, strict=True)),
                languages.detect(text),
                now,
            )
            for event, text, intent, priority in zip(events, texts, likely, pressing, strict=True)
        ]

    return handle


def received_readings(rooms: Rooms, watch: Rounds) -> Handler:
    """Return the handler of `frigo.received`."""

    async def handle(events: Sequence[ReadingReceived]) -> list[Sequence[Event]]:
        if await rooms.take(events):
            watch.hurry()
        return [() for _ in events]  # the watch tells, once it is written

    return handle
