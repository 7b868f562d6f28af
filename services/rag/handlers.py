"""The edge of rag: one function for each topic."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from ai.embeddings import Embedder
from ai.index import ArticleIndex
from knowledge.articles import Article
from schemas.event import Event
from schemas.printer import MessageExtracted
from services.policy import Handler
from services.rag import printer

LOOKED_AT = 8
"""Hits asked for: some may be about another make."""


def extracted_messages(
    embedder: Embedder, index: ArticleIndex, articles: Mapping[str, Article]
) -> Handler:
    """Return the handler of `printer.extracted`."""

    async def handle(events: Sequence[MessageExtracted]) -> list[Sequence[Event]]:
        now = datetime.now(UTC)
        questions = [printer.question(event) for event in events]
        vectors = await embedder.embed(questions)
        found = index.search_many(questions, vectors, LOOKED_AT)
        return [
            printer.ground(event, hits, articles, now)
            for event, hits in zip(events, found, strict=True)
        ]

    return handle
