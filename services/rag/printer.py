"""Which articles are near enough to a customer's question. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from knowledge.articles import Article
from schemas.findings import Passage
from schemas.printer import MessageExtracted, MessageGrounded
from schemas.vocabulary import Language

NEAR_ENOUGH = 0.35
"""Probability from which an article is offered. On the tune half of the questions it answers 86 %
of those that have an article and 10 % of those that have none (evaluation/retrieval.py); the
customer's intent holds back most of these in `respond`."""

QUESTION_CHARACTERS = 1_500
"""As in classify: the same text is embedded once."""
AT_MOST = 3
CODE_BONUS = 0.5
"""An article about the very code that the panel shows is surer by half of what it lacked."""
CODE_UNSPOKEN = 0.6
"""A sheet about one make's codes is less likely when neither the make nor a code was named."""


class Hit(Protocol):
    """What search found."""

    @property
    def name(self) -> str:
        """The article."""

    @property
    def score(self) -> float:
        """Probability that it answers."""

    @property
    def evidence(self) -> dict[str, float]:
        """What each search said."""


def question(event: MessageExtracted) -> str:
    """Return what is searched for: the subject and the words of the message."""
    message = event.message
    subject = message.subject.strip()
    text = message.text if not subject or subject in message.text else f"{subject}\n{message.text}"
    return text[:QUESTION_CHARACTERS]


def ground(
    event: MessageExtracted, hits: Sequence[Hit], sheets: Mapping[str, Article], now: datetime
) -> tuple[MessageGrounded, ...]:
    """Keep the articles that fit the printer and are near enough, best first."""
    brand, model, code = (event.first(kind) for kind in ("brand", "model", "error_code"))
    language = event.classification.language
    passages = [
        _passage(
            sheets[hit.name], language, _score(hit, sheets[hit.name], brand, code), hit.evidence
        )
        for hit in hits
        if _fits(sheets[hit.name], brand, model)
    ]
    near = sorted((p for p in passages if p.score >= NEAR_ENOUGH), key=lambda p: -p.score)
    best = max((hit.score for hit in hits), default=0.0)
    why = (
        f"{len(near[:AT_MOST])} article(s), le meilleur « {near[0].title} » à {near[0].score:.2f}"
        if near
        else f"aucun article assez proche (meilleur score {best:.2f}, seuil {NEAR_ENOUGH})"
    )
    return (MessageGrounded.after(event, now, passages=tuple(near[:AT_MOST]), why=why),)


def _fits(sheet: Article, brand: str | None, model: str | None) -> bool:
    """Say whether a sheet is for this printer; one without a make is for all."""
    if sheet.brand and brand and sheet.brand.lower() != brand.lower():
        return False
    known = {name.lower() for name in sheet.models}
    return not (known and model and model.lower() not in known)


def _score(hit: Hit, sheet: Article, brand: str | None, code: str | None) -> float:
    if code and any(_same_code(code, pattern) for pattern in sheet.error_codes):
        return hit.score + (1 - hit.score) * CODE_BONUS
    if sheet.brand and sheet.error_codes and not (brand or code):
        return hit.score * CODE_UNSPOKEN
    return hit.score


def _same_code(code: str, pattern: str) -> bool:
    """Compare a code with one of a sheet, in which X stands for any character of a family."""
    code, pattern = code.upper(), pattern.upper()
    return len(code) == len(pattern) and all(
        wanted in {"X", found} for found, wanted in zip(code, pattern, strict=True)
    )


def _passage(
    sheet: Article, language: Language, score: float, evidence: dict[str, float]
) -> Passage:
    text = sheet.version(language)
    return Passage(
        article=sheet.id,
        language=language,
        title=text.title,
        brand=sheet.brand,
        models=sheet.models,
        cause=text.cause,
        steps=text.steps,
        call_technician=text.call_technician,
        source=sheet.source,
        score=round(score, 4),
        evidence=evidence,
    )
