"""The edge of classify: one function for each topic."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from ai.embeddings import Embedder, Vectors
from ai.language import LanguageDetector
from schemas.event import Event
from schemas.frigo import ReadingReceived
from schemas.printer import MessageReceived
from schemas.vocabulary import Language
from services.classifiers import Classifiers, read
from services.classify import printer
from services.classify.printer import UNBOUND, Bounds, Judged
from services.policy import Handler
from services.rooms import Rooms
from services.rounds import Rounds
from services.second_opinion import SecondOpinion


def received_messages(
    embedder: Embedder,
    known: Classifiers,
    languages: LanguageDetector,
    bounds: Bounds = UNBOUND,
    opinion: SecondOpinion | None = None,
) -> Handler:
    """Return the handler of `printer.received`; without an `opinion` no language model is asked."""

    async def handle(events: Sequence[MessageReceived]) -> list[Sequence[Event]]:
        now = datetime.now(UTC)
        texts = [printer.text_to_classify(event) for event in events]
        said = [read(text) for text in texts]
        judged = _judged(known, said, await embedder.embed(said), map(languages.detect, texts))
        if opinion:
            likeliest = [printer.best_category(found.intents)[1] for found in judged]
            chosen = await opinion.ask(texts, likeliest)
            judged = [replace(found, **other) for found, other in zip(judged, chosen, strict=True)]
        return [
            printer.classify(event, found, now, bounds)
            for event, found in zip(events, judged, strict=True)
        ]

    return handle


def _judged(
    known: Classifiers,
    said: Sequence[str],
    vectors: Vectors,
    languages: Iterable[tuple[Language, float]],
) -> list[Judged]:
    intents = known.intents.probabilities(said, vectors).tolist()
    scopes = known.intents.scope(said, vectors).tolist()
    priorities = known.priorities.probabilities(said, vectors).tolist()
    own = known.own.likeliest(said, vectors) if known.own else [None] * len(said)
    return [
        Judged(
            intents=dict(zip(known.intents.labels, intent, strict=True)),
            priorities=dict(zip(known.priorities.labels, priority, strict=True)),
            language=language,
            scope=scope,
            label=label,
        )
        for intent, scope, priority, label, language in zip(
            intents, scopes, priorities, own, languages, strict=True
        )
    ]


def received_readings(rooms: Rooms, watch: Rounds) -> Handler:
    """Return the handler of `frigo.received`."""

    async def handle(events: Sequence[ReadingReceived]) -> list[Sequence[Event]]:
        if await rooms.take(events):
            watch.hurry()
        return [() for _ in events]  # the watch tells, once it is written

    return handle
