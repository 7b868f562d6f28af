"""What a message is about: reading the classifiers' probabilities. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from schemas.findings import Classification
from schemas.printer import MessageClassified, MessageReceived
from schemas.vocabulary import CATEGORY_OF, Category, Intent, Language, Priority

Probabilities = Mapping[str, float]

_DANGER = re.compile(
    r"\b(fum[ée]e?s?|br[ûu]l[ée]e?|odeur de br|[ée]tincelles?|flammes?|(?:prend|pris|en) feu|"
    r"incendie|[ée]lectrocut\w*|court[- ]circuit|smoke|smoking|burning smell|smell of burning|"
    r"flames?|(?:on|caught|catches) fire|sparks?|electric shock)\b",
    re.IGNORECASE,
)
_URGENT = re.compile(
    r"\b(urgent\w*|urgence|au plus vite|bloqu[ée]s?|imm[ée]diat\w*|asap|right away|deadline|"
    r"cet apr[èe]s-midi|ce matin m[êe]me|dans l'heure)\b",
    re.IGNORECASE,
)
CERTAIN = 0.99
"""A rule that names its word is as sure as we let anything be."""
URGENT_CONFIDENCE = 0.8

TEXT_CHARACTERS = 1_500
"""What is classified: the beginning says what it is about, the rest is signature and history."""
READ_CHARACTERS = 20_000
"""Of a message, before what is no text is left out."""
_NO_TEXT = re.compile(r"\S{60,}")
"""A file pasted in as base64, a very long link."""
_WORD = re.compile(r"[^\W_]")
RULE, MODEL = "rule", "model"
OUTSIDE = (Intent.OFF_TOPIC, Intent.ADVERTISING)
"""What was learned in order to know that it is not for this desk."""


@dataclass(frozen=True)
class Judged:
    """What the classifiers say of a text; `by`: who chose among the intents."""

    intents: Probabilities
    priorities: Probabilities
    language: tuple[Language, float]
    scope: float = 1.0
    by: str = MODEL
    chosen: Intent | None = None
    label: tuple[str, float] | None = None


@dataclass(frozen=True)
class Bounds:
    """From which confidence a category, and from which scope a text, may be answered alone."""

    categories: Mapping[str, float]
    scope: float


UNBOUND = Bounds({}, 0.0)


def text_to_classify(event: MessageReceived) -> str:
    """Return subject and words of a message, at most `TEXT_CHARACTERS`."""
    message = event.message
    subject = message.subject.strip()
    joined = (
        message.text if not subject or subject in message.text else f"{subject}\n{message.text}"
    )
    return _NO_TEXT.sub(" ", joined[:READ_CHARACTERS]).strip()[:TEXT_CHARACTERS]


def classify(
    event: MessageReceived, judged: Judged, now: datetime, bounds: Bounds = UNBOUND
) -> tuple[MessageClassified, ...]:
    """Decide category, intent, priority and language, each with its confidence."""
    if not _WORD.search(text_to_classify(event)):
        return _wordless(event, judged.language, now)
    category, category_confidence = best_category(judged.intents)
    intent, intent_confidence = best_intent(judged.intents, category)
    if judged.chosen:  # the likeliest no longer; what is known of its likelihood stays
        category, intent = CATEGORY_OF[judged.chosen], judged.chosen
        category_confidence = _sums(judged.intents)[category]
        intent_confidence = round(judged.intents.get(intent.value, 0.0), 4)
    priority, priority_confidence = prioritise(
        f"{event.message.subject}\n{event.message.text}", judged.priorities
    )
    scope = judged.scope * (1 - sum(judged.intents.get(intent.value, 0) for intent in OUTSIDE))
    sure = category_confidence >= bounds.categories.get(category.value, math.inf)
    classification = Classification(
        category=category,
        category_confidence=category_confidence,
        intent=intent,
        intent_confidence=intent_confidence,
        priority=priority,
        priority_confidence=priority_confidence,
        language=judged.language[0],
        language_confidence=judged.language[1],
        alone=sure and judged.by == MODEL and judged.scope >= bounds.scope,
        scope=round(min(max(scope, 0.0), 1.0), 4),
        by=judged.by,
        label=judged.label[0] if judged.label else "",
        label_confidence=round(judged.label[1], 4) if judged.label else None,
    )
    return (
        MessageClassified.after(
            event, now, classification=classification, why=_why(classification)
        ),
    )


def _why(seen: Classification) -> str:
    asked = f", selon {seen.by}" if seen.by.startswith("llm:") else ""
    label = f", {seen.label} ({seen.label_confidence:.2f})" if seen.label else ""
    return (
        f"{seen.category.fr} ({seen.category_confidence:.2f}), "
        f"{seen.intent.fr} ({seen.intent_confidence:.2f}){asked}, "
        f"priorité {seen.priority.fr}, {seen.language.value}{label}"
    )


def _wordless(
    event: MessageReceived, language: tuple[Language, float], now: datetime
) -> tuple[MessageClassified, ...]:
    """Say that there is no word to judge: nothing, signs, a file pasted in."""
    classification = Classification(
        category=Category.OTHER,
        category_confidence=0.0,
        intent=Intent.OFF_TOPIC,
        intent_confidence=0.0,
        priority=Priority.LOW,
        priority_confidence=0.0,
        language=language[0],
        language_confidence=language[1],
        alone=False,
        scope=0.0,
        by=RULE,
    )
    why = "aucun mot à classer"
    return (MessageClassified.after(event, now, classification=classification, why=why),)


def best_category(intents: Probabilities) -> tuple[Category, float]:
    """Return the category whose intents are likeliest together."""
    sums = _sums(intents)
    best = max(sums, key=lambda category: sums[category])
    return best, sums[best]


def _sums(intents: Probabilities) -> dict[Category, float]:
    sums = dict.fromkeys(Category, 0.0)
    for name, probability in intents.items():
        sums[CATEGORY_OF[Intent(name)]] += probability
    return {category: round(min(total, 1.0), 4) for category, total in sums.items()}


def best_intent(intents: Probabilities, category: Category) -> tuple[Intent, float]:
    """Return the likeliest intent of a category."""
    name = max(
        (name for name in intents if CATEGORY_OF[Intent(name)] is category),
        key=lambda n: intents[n],
    )
    return Intent(name), round(intents[name], 4)


def prioritise(text: str, priorities: Probabilities) -> tuple[Priority, float]:
    """Return the priority: danger and urgency by their words, the rest as learned."""
    if _DANGER.search(text):
        return Priority.CRITICAL, CERTAIN
    learned = max(priorities, key=lambda name: priorities[name])
    if learned == Priority.CRITICAL.value:
        # Critical wakes people: only a word of danger says it, never a likeness.
        return Priority.HIGH, round(priorities[learned], 4)
    if _URGENT.search(text):
        return Priority.HIGH, max(URGENT_CONFIDENCE, round(priorities[Priority.HIGH.value], 4))
    return Priority(learned), round(priorities[learned], 4)
