"""Reading the classifiers' probabilities."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from schemas.findings import Classification
from schemas.vocabulary import Category, Intent, Language, Priority
from services.classify.printer import (
    CERTAIN,
    TEXT_CHARACTERS,
    URGENT_CONFIDENCE,
    Bounds,
    Judged,
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
    (told,) = classify(event, Judged({"fault": 1.0}, CALM, (Language.FR, 0.9)), NOW)
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
    (told,) = classify(received("panne"), Judged(intents, CALM, (Language.EN, 0.7)), NOW)
    seen = told.classification
    assert (seen.category, seen.category_confidence) == (Category.TECHNICAL, 0.8)
    assert (seen.intent, seen.intent_confidence) == (Intent.FAULT, 0.8)
    assert (seen.priority, seen.priority_confidence) == (Priority.MEDIUM, 0.6)
    assert (seen.language, seen.language_confidence) == (Language.EN, 0.7)
    assert told.why == "technique (0.80), panne (0.80), priorité moyenne, en"
    assert seen.by == "model"
    assert seen.label == ""


BOUNDS = Bounds({"technical": 0.9, "billing": math.inf}, 0.3)


def seen_of(judged: Judged, text: str = "panne") -> Classification:
    (told,) = classify(received(text, html="<script>x</script>"), judged, NOW, BOUNDS)
    return told.classification


@pytest.mark.parametrize(
    ("intents", "scope", "alone"),
    [
        ({"fault": 0.95, "thanks": 0.05}, 0.8, True),
        ({"fault": 0.5, "how_to": 0.45, "thanks": 0.05}, 0.8, True),
        ({"fault": 0.85, "thanks": 0.15}, 0.8, False),
        ({"fault": 0.95, "thanks": 0.05}, 0.2, False),
        ({"payment": 1.0}, 0.8, False),
        ({"thanks": 1.0}, 0.8, False),
    ],
)
def test_the_desk_answers_alone_from_the_threshold_of_each_category_on(
    intents: dict[str, float], scope: float, alone: bool
) -> None:
    assert seen_of(Judged(intents, CALM, (Language.FR, 1.0), scope)).alone is alone


def test_what_was_learned_as_off_topic_is_out_of_scope_however_well_known() -> None:
    known = Judged({"off_topic": 0.7, "advertising": 0.2, "fault": 0.1}, CALM, (Language.FR, 1.0))
    assert seen_of(known).scope == pytest.approx(0.1)


def test_a_language_model_chooses_and_is_named_and_the_desk_does_not_answer_alone() -> None:
    judged = Judged({"fault": 0.95, "payment": 0.05}, CALM, (Language.FR, 1.0), 1.0)
    seen = seen_of(replace(judged, by="llm:tiny", chosen=Intent.PAYMENT))
    assert (seen.category, seen.intent, seen.by) == (Category.BILLING, Intent.PAYMENT, "llm:tiny")
    assert (seen.category_confidence, seen.intent_confidence) == (0.05, 0.05)
    assert seen.alone is False


def test_an_intent_that_a_model_of_the_company_does_not_know_may_be_chosen() -> None:
    judged = Judged({"fault": 1.0}, CALM, (Language.FR, 1.0), by="llm:tiny", chosen=Intent.QUOTE)
    assert seen_of(judged).intent_confidence == 0


def test_a_category_of_the_company_stands_beside_ours() -> None:
    judged = Judged({"fault": 1.0}, CALM, (Language.FR, 1.0), label=("Atelier", 0.876))
    (told,) = classify(received("panne"), judged, NOW)
    assert (told.classification.label, told.classification.label_confidence) == ("Atelier", 0.876)
    assert told.why.endswith(", fr, Atelier (0.88)")


@pytest.mark.parametrize("text", ["", "   \n", "🖨️🔥😡", "...?!", "A9f/" * 400])
def test_without_a_word_nobody_guesses(text: str) -> None:
    seen = seen_of(Judged({"fault": 1.0}, ALARMED, (Language.FR, 0.5)), text)
    assert (seen.category, seen.intent) == (Category.OTHER, Intent.OFF_TOPIC)
    assert (seen.category_confidence, seen.scope, seen.alone) == (0, 0, False)
    assert seen.priority is Priority.LOW
    assert seen.by == "rule"


def test_an_error_code_alone_is_a_word() -> None:
    assert seen_of(Judged({"fault": 1.0}, CALM, (Language.FR, 0.5)), "49.4C02").by == "model"


def test_a_file_pasted_in_is_left_out() -> None:
    blob = "\n".join("QmFzZTY0" * 9 for _ in range(50))
    event = received(f"Voici la photo du bourrage\n{blob}\nMerci")
    assert text_to_classify(event).split() == ["Voici", "la", "photo", "du", "bourrage", "Merci"]


def test_with_a_quoted_thread_only_the_subject_is_classified() -> None:
    event = received("", html="<blockquote>…</blockquote>", subject="Re: toner noir", **MAIL)
    assert text_to_classify(event) == "Re: toner noir"
