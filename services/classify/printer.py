"""What a message is about: reading the classifiers' probabilities. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
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


def text_to_classify(event: MessageReceived) -> str:
    """Return subject and words of a message, at most `TEXT_CHARACTERS`."""
    message = event.message
    subject = message.subject.strip()
    joined = (
        message.text if not subject or subject in message.text else f"{subject}\n{message.text}"
    )
    return joined[:TEXT_CHARACTERS]


def classify(
    event: MessageReceived,
    intents: Probabilities,
    priorities: Probabilities,
    language: tuple[Language, float],
    now: datetime,
) -> tuple[MessageClassified, ...]:
    """Decide category, intent, priority and language, each with its confidence."""
    category, category_confidence = best_category(intents)
    intent, intent_confidence = best_intent(intents, category)
    priority, priority_confidence = prioritise(
        f"{event.message.subject}\n{event.message.text}", priorities
    )
    classification = Classification(
        category=category,
        category_confidence=category_confidence,
        intent=intent,
        intent_confidence=intent_confidence,
        priority=priority,
        priority_confidence=priority_confidence,
        language=language[0],
        language_confidence=language[1],
    )
    why = (
        f"{category.fr} ({category_confidence:.2f}), {intent.fr} ({intent_confidence:.2f}), "
        f"priorité {priority.fr}, {language[0].value}"
    )
    return (MessageClassified.after(event, now, classification=classification, why=why),)


def best_category(intents: Probabilities) -> tuple[Category, float]:
    """Return the category whose intents are likeliest together."""
    sums = dict.fromkeys(Category, 0.0)
    for name, probability in intents.items():
        sums[CATEGORY_OF[Intent(name)]] += probability
    best = max(sums, key=lambda category: sums[category])
    return best, round(min(sums[best], 1.0), 4)


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
