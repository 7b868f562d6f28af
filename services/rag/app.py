"""Puts rag together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from ai.index import ArticleIndex, Entry, rows_of
from ai.shelf import vectors_of
from knowledge.articles import SHIPPED, Article, load_articles, search_document, search_rows
from knowledge.sheets import next_test, sheets_of
from schemas.findings import Passage
from schemas.frigo import EvidenceGathered
from schemas.printer import MessageExtracted
from schemas.vocabulary import Fault, Language
from services.neighbours import Neighbours
from services.policy import Policy
from services.rag import handlers
from services.stage import Stage


async def build(near: Neighbours) -> Stage:
    """Return the stage, ready to start; reads and indexes the articles on the way."""
    stage = near.stage("rag")
    own = near.settings.knowledge.folder
    articles = load_articles(SHIPPED, *([own] if own else []))
    index = await asyncio.to_thread(make_index, near, articles)
    by_name = {article.id: article for article in articles}
    handler = handlers.extracted_messages(near.embedder, index, by_name)
    stage.consumes(MessageExtracted, handler, Policy(batch=16, concurrency=2))
    await near.database.prepare(near.settings.database.connect_s)
    evidence = handlers.gathered_evidence(near.database, sheet, next_test)
    stage.consumes(EvidenceGathered, evidence, Policy(batch=50))
    return stage


def sheet(fault: Fault, language: Language) -> Passage:
    """Return the maintenance sheet of a fault, as events carry passages."""
    return sheets_of(fault, language).passage()


def make_index(near: Neighbours, articles: Sequence[Article]) -> ArticleIndex:
    """Return the index over `articles`."""
    entries = [Entry(a.id, search_rows(a), search_document(a)) for a in articles]
    return ArticleIndex(entries, vectors_of(rows_of(entries), near.embedder, near.cache))
