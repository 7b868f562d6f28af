"""What to do with a message: answer, hand over, or leave alone."""

from __future__ import annotations

import pytest

from schemas.vocabulary import CATEGORY_OF, Action, Category, Intent, Priority
from services.respond.printer import NEEDED, NEEDED_OFF_TOPIC, NEEDED_VISIT, decide
from tests.events import grounded, judged, passage
from tests.services.respond.test_printer import MAIL, event


@pytest.mark.parametrize(
    ("intent", "score", "expected"),
    [
        (Intent.FAULT, 0.36, (Action.REPLY, "grounded")),
        (Intent.FAULT, 0.0, (Action.HANDOFF, "no_passage")),
        (Intent.HOW_TO, 0.36, (Action.REPLY, "grounded")),
        (Intent.SUPPLIES, 0.74, (Action.HANDOFF, "order")),
        (Intent.SUPPLIES, 0.75, (Action.REPLY, "grounded")),
        (Intent.INVOICE_DISPUTE, 0.89, (Action.HANDOFF, "billing")),
        (Intent.INVOICE_DISPUTE, 0.9, (Action.REPLY, "grounded")),
        (Intent.SERVICE_DELAY, 0.89, (Action.HANDOFF, "complaint")),
        (Intent.SERVICE_DELAY, 0.0, (Action.HANDOFF, "complaint")),
        (Intent.PRODUCT_INFORMATION, 0.59, (Action.HANDOFF, "information")),
        (Intent.PRODUCT_INFORMATION, 0.6, (Action.REPLY, "grounded")),
        (Intent.GREETING, 0.59, (Action.HANDOFF, "no_passage")),
        (Intent.HUMAN_REQUEST, 0.0, (Action.HANDOFF, "asked_for_person")),
        (Intent.OFF_TOPIC, NEEDED_OFF_TOPIC - 0.01, (Action.HANDOFF, "off_topic")),
        (Intent.OFF_TOPIC, NEEDED_OFF_TOPIC, (Action.REPLY, "grounded")),
        (Intent.TECHNICIAN_VISIT, NEEDED_VISIT - 0.01, (Action.HANDOFF, "technician")),
        (Intent.TECHNICIAN_VISIT, NEEDED_VISIT, (Action.REPLY, "grounded")),
        (Intent.THANKS, 0.0, (Action.IGNORE, "thanks")),
        (Intent.THANKS, 0.59, (Action.IGNORE, "thanks")),
        (Intent.THANKS, 0.6, (Action.REPLY, "grounded")),
        (Intent.ADVERTISING, 0.0, (Action.IGNORE, "advertising")),
    ],
)
def test_each_intent_is_answered_from_its_score_on(
    intent: Intent, score: float, expected: tuple[Action, str]
) -> None:
    assert decide(event(intent, score)) == expected


@pytest.mark.parametrize(
    ("intent", "sure", "expected"),
    [
        (Intent.THANKS, 0.6, (Action.IGNORE, "thanks")),
        (Intent.THANKS, 0.59, (Action.HANDOFF, "no_passage")),
        (Intent.ADVERTISING, 0.8, (Action.IGNORE, "advertising")),
        (Intent.ADVERTISING, 0.79, (Action.HANDOFF, "no_passage")),
    ],
)
def test_silence_needs_to_be_sure(
    intent: Intent, sure: float, expected: tuple[Action, str]
) -> None:
    assert decide(event(intent, sure=sure)) == expected


def test_automatic_mail_is_never_answered() -> None:
    automatic = event(Intent.FAULT, 0.99, **MAIL, headers={"Auto-Submitted": "auto-replied"})
    assert decide(automatic) == (Action.IGNORE, "automatic")


def test_danger_is_handed_over_however_good_the_article() -> None:
    seen = judged(priority=Priority.CRITICAL)
    assert decide(grounded("fumée", seen, (passage(score=0.99),))) == (Action.HANDOFF, "danger")


@pytest.mark.parametrize(
    "text",
    [
        "HUMAIN", "humain.", "« Human »", "agent", "je veux parler à une personne",
        "puis-je parler a quelqu'un ?", "parler avec un conseiller", "parler à un humain",
        "I want to speak to a human", "can I talk with someone?", "let me talk to an agent",
    ],
)  # fmt: skip
def test_whoever_asks_for_a_person_gets_one_however_good_the_article(text: str) -> None:
    assert decide(event(Intent.FAULT, 0.99, text)) == (Action.HANDOFF, "asked_for_person")


@pytest.mark.parametrize("text", ["erreur humaine", "the agent software is broken", "un humain"])
def test_the_word_alone_in_a_sentence_does_not_ask(text: str) -> None:
    assert decide(event(Intent.FAULT, 0.99, text)) == (Action.REPLY, "grounded")


def test_every_category_has_a_score_that_it_needs() -> None:
    assert NEEDED.keys() == set(Category) == set(CATEGORY_OF.values())
