"""Which articles are near enough to a customer's question. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from knowledge.catalogue import squeeze
from knowledge.pieces import Piece
from schemas.findings import Passage
from schemas.printer import MessageExtracted, MessageGrounded
from schemas.vocabulary import Language
from services.questions import searched

NEAR_ENOUGH = 0.5
"""Probability from which an article is offered: likelier right than not. On the tune half of the
questions 88 % of those that have an article are answered, 96 % of these rightly, and 7 % of those
that have none (evaluation/retrieval.py); the customer's intent holds back most of the latter in
`respond`."""

AT_MOST, OF_EACH = 3, 2
"""Passages of a message with one question, and of each of several."""
CODE_BONUS = 0.5
"""An article about the very code that the panel shows is surer by half of what it lacked."""
CODE_UNSPOKEN = 0.8
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


def questions(event: MessageExtracted) -> tuple[str, ...]:
    """Return what is searched for: each question of the message, and of several the whole, too."""
    parts = searched(event)
    return parts if len(parts) == 1 else (*parts, "\n".join(parts))


def ground(
    event: MessageExtracted,
    hits: Sequence[Sequence[Hit]],
    pieces: Mapping[str, Piece],
    now: datetime,
) -> tuple[MessageGrounded, ...]:
    """Keep the pieces that fit the printer and are near enough, best first.

    `hits` are those of each of `questions`.
    """
    parts = max(len(hits) - 1, 1)
    near: dict[str, tuple[Piece, Passage]] = {}
    for number, found in enumerate(hits):
        for piece, passage in _near(event, found, pieces):
            known = near.get(piece.name)
            # What only the whole message finds answers its first question.
            part = number if number < parts else known[1].part if known else 0
            if known is None or passage.score > known[1].score:
                near[piece.name] = piece, passage.model_copy(update={"part": part})
    ordered = sorted(near.values(), key=lambda found: -found[1].score)
    first = ordered[:AT_MOST] if parts == 1 else _of_each(ordered, parts)
    kept = _leaning(first)
    every = [hit for found in hits for hit in found]
    why = _why(kept, every, alike=len(near))
    return (MessageGrounded.after(event, now, passages=tuple(kept), why=why),)


def _leaning(found: Sequence[tuple[Piece, Passage]]) -> list[Passage]:
    """Keep what nobody has approved only beside what may stand alone, and after it.

    A conversation that was solved is never the sole ground of a reply, nor the best one.
    """
    kept = [passage for piece, passage in found if piece.approved]
    best = {passage.part: passage.score for passage in reversed(kept)}
    for piece, passage in found:
        if not piece.approved and passage.part in best:
            score = min(passage.score, best[passage.part])
            kept.append(passage.model_copy(update={"score": score}))
    return kept


def _of_each(ordered: Sequence[tuple[Piece, Passage]], parts: int) -> list[tuple[Piece, Passage]]:
    """Keep the best for each question."""
    taken = [
        [found for found in ordered if found[1].part == number][:OF_EACH] for number in range(parts)
    ]
    return sorted((found for some in taken for found in some), key=lambda found: -found[1].score)


def _near(
    event: MessageExtracted, hits: Sequence[Hit], pieces: Mapping[str, Piece]
) -> Iterator[tuple[Piece, Passage]]:
    brand, model, code = (event.first(kind) for kind in ("brand", "model", "error_code"))
    language = event.classification.language
    for hit in hits:
        piece = pieces.get(hit.name)  # what was removed while it was searched is gone
        if piece and fits(piece, brand, model):
            passage = piece.passage(language)
            score = round(_score(hit, piece, brand, code) * _worth(passage, language), 4)
            if score >= NEAR_ENOUGH:
                fields = {"score": score, "evidence": hit.evidence}
                yield piece, passage.model_copy(update=fields)


def _why(kept: Sequence[Passage], hits: Sequence[Hit], alike: int) -> str:
    if kept:
        return f"{len(kept)} article(s), le meilleur « {kept[0].title} » à {kept[0].score:.2f}"
    if alike:
        return f"{alike} conversation(s) semblable(s), que personne n'a approuvée(s)"
    best = max((hit.score for hit in hits), default=0.0)
    return f"aucun article assez proche (meilleur score {best:.2f}, seuil {NEAR_ENOUGH})"


def fits(piece: Piece, brand: str | None, model: str | None) -> bool:
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
