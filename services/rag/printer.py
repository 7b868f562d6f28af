"""Which articles are near enough to a customer's question. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from knowledge.catalogue import squeeze
from knowledge.pieces import Piece
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
OTHER_LANGUAGE = 0.85
"""A passage that is not in the customer's language is offered after one that is."""
CONVERSATION = 0.8
"""What was said to one customer is worth less to the next than what was written for all."""
_MODEL = re.compile(r"([a-z]*)(\d{2,})")


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
    event: MessageExtracted, hits: Sequence[Hit], pieces: Mapping[str, Piece], now: datetime
) -> tuple[MessageGrounded, ...]:
    """Keep the pieces that fit the printer and are near enough, best first."""
    brand, model, code = (event.first(kind) for kind in ("brand", "model", "error_code"))
    language = event.classification.language
    near = []
    for hit in hits:
        piece = pieces.get(hit.name)  # what was removed while it was searched is gone
        if piece and _fits(piece, brand, model):
            passage = piece.passage(language)
            score = round(_score(hit, piece, brand, code) * _worth(passage, language), 4)
            if score >= NEAR_ENOUGH:
                fields = {"score": score, "evidence": hit.evidence}
                near.append((piece, passage.model_copy(update=fields)))
    near.sort(key=lambda found: -found[1].score)
    kept = [passage for _, passage in near[:AT_MOST]]
    if not any(piece.approved for piece, _ in near[:AT_MOST]):
        kept = []  # what nobody has approved is never the sole ground of a reply
    why = _why(kept, hits, alike=len(near))
    return (MessageGrounded.after(event, now, passages=tuple(kept), why=why),)


def _why(kept: Sequence[Passage], hits: Sequence[Hit], alike: int) -> str:
    if kept:
        return f"{len(kept)} article(s), le meilleur « {kept[0].title} » à {kept[0].score:.2f}"
    if alike:
        return f"{alike} conversation(s) semblable(s), que personne n'a approuvée(s)"
    best = max((hit.score for hit in hits), default=0.0)
    return f"aucun article assez proche (meilleur score {best:.2f}, seuil {NEAR_ENOUGH})"


def _fits(piece: Piece, brand: str | None, model: str | None) -> bool:
    """Say whether a piece is for this printer; one without a make is for all."""
    if piece.brand and brand and piece.brand.lower() != brand.lower():
        return False
    return not (piece.models and model) or any(same_model(name, model) for name in piece.models)


def same_model(one: str, other: str) -> bool:
    """Say whether two names mean one family: « LaserJet M404 » and « M404dn », not « M405 »."""
    first, second = squeeze(one), squeeze(other)
    parts = _MODEL.search(first), _MODEL.search(second)
    if not (parts[0] and parts[1]):
        return first == second
    (letters, number), (others, its) = parts[0].groups(), parts[1].groups()
    return number == its and (letters.endswith(others) or others.endswith(letters))


def _worth(passage: Passage, language: Language) -> float:
    worth = 1.0 if passage.language is language else OTHER_LANGUAGE
    return worth * CONVERSATION if passage.kind == "conversation" else worth


def _score(hit: Hit, piece: Piece, brand: str | None, code: str | None) -> float:
    if code and any(_same_code(code, pattern) for pattern in piece.error_codes):
        return hit.score + (1 - hit.score) * CODE_BONUS
    if piece.brand and piece.error_codes and not (brand or code):
        return hit.score * CODE_UNSPOKEN
    return hit.score


def _same_code(code: str, pattern: str) -> bool:
    """Compare a code with one of a sheet, in which X stands for any character of a family."""
    code, pattern = code.upper(), pattern.upper()
    return len(code) == len(pattern) and all(
        wanted in {"X", found} for found, wanted in zip(code, pattern, strict=True)
    )
