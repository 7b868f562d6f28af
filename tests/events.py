"""Events as the stages make them, for tests of the next stage."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

from knowledge.articles import SHIPPED, Article, load_articles
from knowledge.pieces import Piece, of_article
from schemas.findings import Classification, Finding, Passage
from schemas.printer import MessageClassified, MessageExtracted, MessageGrounded, MessageReceived
from schemas.vocabulary import CATEGORY_OF, Intent, Language, Priority
from services.ingest import printer as ingest
from tests.conftest import inbound

NOW = datetime(2025, 2, 1, 8, 30, tzinfo=UTC)


@cache
def articles() -> dict[str, Article]:
    return {article.id: article for article in load_articles(SHIPPED)}


@cache
def pieces() -> dict[str, Piece]:
    return {name: of_article(article) for name, article in articles().items()}


def received(text: str = "elle ne marche plus", **changes: Any) -> MessageReceived:
    fields = {"external_id": "m1", "received_at": NOW} | changes
    arrival = ingest.arrive(inbound(text, **fields), text, NOW)
    (told,) = ingest.receive(arrival, "c1", NOW, new_customer=True, new_conversation=True)
    return told


def judged(
    intent: Intent = Intent.FAULT,
    language: Language = Language.FR,
    priority: Priority = Priority.MEDIUM,
    sure: float = 0.9,
) -> Classification:
    return Classification(
        category=CATEGORY_OF[intent],
        category_confidence=sure,
        intent=intent,
        intent_confidence=sure,
        priority=priority,
        priority_confidence=sure,
        language=language,
        language_confidence=sure,
    )


def classified(
    text: str = "elle ne marche plus", seen: Classification | None = None, **changes: Any
) -> MessageClassified:
    cause = received(text, **changes)
    return MessageClassified.after(cause, NOW, classification=seen or judged())


def found(**values: str) -> tuple[Finding, ...]:
    return tuple(
        Finding(kind=kind, value=value, start=0, end=1, confidence=0.9)
        for kind, value in values.items()
    )


def extracted(
    text: str = "elle ne marche plus",
    seen: Classification | None = None,
    findings: tuple[Finding, ...] = (),
    **changes: Any,
) -> MessageExtracted:
    cause = classified(text, seen, **changes)
    return MessageExtracted.after(cause, NOW, findings=findings)


def passage(
    name: str = "paper-jam", language: Language = Language.FR, score: float = 0.8
) -> Passage:
    article = articles()[name]
    text = article.version(language)
    return Passage(
        article=name,
        language=language,
        title=text.title,
        brand=article.brand,
        models=article.models,
        cause=text.cause,
        steps=text.steps,
        call_technician=text.call_technician,
        source=article.source,
        score=score,
    )


def grounded(
    text: str = "elle ne marche plus",
    seen: Classification | None = None,
    passages: tuple[Passage, ...] = (),
    findings: tuple[Finding, ...] = (),
    **changes: Any,
) -> MessageGrounded:
    cause = extracted(text, seen, findings, **changes)
    return MessageGrounded.after(cause, NOW, passages=passages)
