"""Reading the classifiers' probabilities."""

from __future__ import annotations

import pytest

from schemas.vocabulary import Category, Intent, Language, Priority
from services.classify.printer import (
    CERTAIN,
    TEXT_CHARACTERS,
    URGENT_CONFIDENCE,
    best_category,
    best_intent,
    classify,
    prioritise,
    text_to_classify,
)
from tests.events import NOW, received

CALM = {"low": 0.2, "medium": 0.6, "high": 0.15, "critical": 0.05}
ALARMED = {"low": 0.1, "medium": 0.1, "high": 0.2, "critical": 0.6}
MAIL = {"channel": "email", "from": "ana@exemple.example"}


def test_a_category_is_as_likely_as_its_intents_together() -> None:
    intents = {"fault": 0.3, "how_to": 0.25, "thanks": 0.4, "quote": 0.05}
    assert best_category(intents) == (Category.TECHNICAL, 0.55)


def test_the_intent_is_the_likeliest_of_its_category_only() -> None:
    intents = {"fault": 0.3, "how_to": 0.25, "thanks": 0.4, "quote": 0.05}
    assert best_intent(intents, Category.TECHNICAL) == (Intent.FAULT, 0.3)


def test_a_confidence_never_exceeds_one() -> None:
    assert best_category({"fault": 0.7, "how_to": 0.3000001})[1] == 1.0


@pytest.mark.parametrize(
    "text",
    [
        "il y a de la fumée qui sort",
        "ca fume !",
        "une odeur de brule",
        "ÇA SENT LE BRÛLÉ",
        "des étincelles à l'arrière",
        "l'imprimante est en feu",
        "elle a pris feu",
        "je vois des flammes",
        "ma collègue s'est électrocutée",
        "un court-circuit",
        "smoke is coming out",
        "it is smoking",
        "a burning smell",
        "the printer is on fire",
        "it caught fire",
        "I saw sparks",
        "I got an electric shock",
    ],
)
def test_a_word_of_danger_is_critical_whatever_was_learned(text: str) -> None:
    assert prioritise(text, CALM) == (Priority.CRITICAL, CERTAIN)


@pytest.mark.parametrize(
    "text",
    [
        "le papier est coincé",
        "le feutre ne marche pas",
        "elle ne fait pas feuille à feuille",
        "the firewall blocks the printer",
        "une page parfumée",
        "un smokey gris",
    ],
)
def test_words_that_only_look_dangerous_are_not(text: str) -> None:
    assert prioritise(text, CALM)[0] is Priority.MEDIUM


def test_critical_by_likeness_alone_is_capped() -> None:
    assert prioritise("tout va mal", ALARMED) == (Priority.HIGH, 0.6)


@pytest.mark.parametrize("text", ["URGENT svp", "c'est une urgence", "we need it ASAP", "bloqués"])
def test_a_word_of_urgency_is_high(text: str) -> None:
    assert prioritise(text, CALM) == (Priority.HIGH, URGENT_CONFIDENCE)


def test_urgency_keeps_what_was_learned_when_that_is_surer() -> None:
    learned = {"low": 0.03, "medium": 0.03, "high": 0.94, "critical": 0.0}
    assert prioritise("urgent", learned) == (Priority.HIGH, 0.94)


def test_without_such_words_the_priority_is_as_learned() -> None:
    assert prioritise("quand vous aurez le temps", CALM) == (Priority.MEDIUM, 0.6)


def test_danger_in_the_subject_of_a_mail_counts() -> None:
    event = received("Venez vite.", subject="Fumée !", **MAIL)
    (told,) = classify(event, {"fault": 1.0}, CALM, (Language.FR, 0.9), NOW)
    assert told.classification.priority is Priority.CRITICAL


def test_subject_and_words_are_classified_together() -> None:
    event = received("Que faire ?", subject="Écran noir", **MAIL)
    assert text_to_classify(event) == "Écran noir\nQue faire ?"


def test_a_subject_that_the_text_repeats_is_not_counted_twice() -> None:
    event = received("Écran noir, que faire ?", subject="Écran noir", **MAIL)
    assert text_to_classify(event) == "Écran noir, que faire ?"


def test_only_the_beginning_of_a_long_message_is_classified() -> None:
    assert len(text_to_classify(received("panne " * 10_000))) == TEXT_CHARACTERS


def test_all_four_judgements_are_told_and_said() -> None:
    intents = {"fault": 0.8, "thanks": 0.2}
    (told,) = classify(received("panne"), intents, CALM, (Language.EN, 0.7), NOW)
    seen = told.classification
    assert (seen.category, seen.category_confidence) == (Category.TECHNICAL, 0.8)
    assert (seen.intent, seen.intent_confidence) == (Intent.FAULT, 0.8)
    assert (seen.priority, seen.priority_confidence) == (Priority.MEDIUM, 0.6)
    assert (seen.language, seen.language_confidence) == (Language.EN, 0.7)
    assert told.why == "technique (0.80), panne (0.80), priorité moyenne, en"
