"""Puts rag together."""

from __future__ import annotations

import asyncio

from ai.shelf import vectors_of
from gateways.listening import Listener
from knowledge.articles import SHIPPED, load_articles
from knowledge.pieces import of_article
from knowledge.sheets import next_test, sheets_of
from schemas.findings import Passage
from schemas.frigo import EvidenceGathered
from schemas.knowledge import KnowledgeChanged
from schemas.printer import MessageExtracted
from schemas.vocabulary import Fault, Language
from services import wire
from services.embedding import texts_of
from services.library import Library
from services.neighbours import EMBEDDED_FETCH_WAIT_MS, Neighbours
from services.policy import Policy
from services.rag import handlers
from services.stage import Stage

FETCH_WAIT_MS = 500
"""A server answers as soon as there is something."""


async def build(near: Neighbours) -> Stage:
    """Return the stage, ready to start; reads and indexes what ships on the way."""
    stage = near.stage("rag")
    await near.database.prepare(near.settings.database.connect_s)
    library = await asyncio.to_thread(shelve, near)
    library.noted = stage.noted
    await follow(near, library)
    stage.starting.append(library.start)
    stage.stopping.append(library.stop)
    stage.consumes(
        MessageExtracted,
        handlers.extracted_messages(near.embedder, library),
        Policy(batch=16, concurrency=2),
    )
    evidence = handlers.gathered_evidence(near.database, sheet, next_test)
    stage.consumes(EvidenceGathered, evidence, Policy(batch=50))
    return stage


async def follow(near: Neighbours, library: Library) -> None:
    """Have the library hear of changes from now on, and take in what the record holds already."""
    listener = Listener(
        near.cluster,
        KnowledgeChanged.topic,
        lambda record: library.hear(wire.parse(record, KnowledgeChanged)),
        library.missed,
        EMBEDDED_FETCH_WAIT_MS if near.embedded else FETCH_WAIT_MS,
    )
    near.at_end(listener.stop)
    await listener.listening()
    await library.catch_up()


def sheet(fault: Fault, language: Language) -> Passage:
    """Return the maintenance sheet of a fault, as events carry passages."""
    return sheets_of(fault, language).passage()


def shelve(near: Neighbours) -> Library:
    """Return the library with what is known without the record."""
    own = near.settings.knowledge.folder
    articles = load_articles(SHIPPED, *([own] if own else []))
    pieces = [of_article(article) for article in articles]
    vectors = vectors_of(texts_of(pieces), near.embedder, near.cache)
    return Library(near.database, near.embedder, pieces, vectors)
