"""What an answer may say: what its evidence says, and nothing of its own."""

from __future__ import annotations

import pytest

from evaluation.grounding import judged
from schemas.vocabulary import Language
from services.grounding import Evidence, objections
from services.sentences import pieces
from tests.events import articles

FR, EN = Language.FR, Language.EN
GROUND = """Bourrage papier.
Éteignez l'imprimante et attendez 15 minutes.
Retirez la feuille doucement, sans toucher le tambour.
Le code 49.4C02 disparaît après le redémarrage.
Appelez un technicien si le bourrage revient."""
EVIDENCE = Evidence(GROUND, FR)


def reasons(text: str, evidence: Evidence = EVIDENCE) -> list[str]:
    return [one.reason for one in objections(text, evidence)]


@pytest.mark.parametrize("language", Language)
def test_every_article_may_be_said_word_for_word(language: Language) -> None:
    refused = {}
    for name, article in list(articles().items())[::3]:
        text = article.version(language)
        whole = "\n".join([text.title, text.cause, *text.steps, text.call_technician])
        if found := objections(whole, Evidence(whole, language)):
            refused[name] = found
    assert refused == {}


def test_the_tune_part_of_the_measured_sentences_is_told_apart() -> None:
    found = [one for one in judged() if one.split == "tune"]
    wrong = [(one.kind, one.text) for one in found if one.wrong]
    assert len(found) > 100
    assert len(wrong) <= 3
    assert {kind for kind, _ in wrong} <= {"polarity", "faithful"}


@pytest.mark.parametrize(
    "text",
    [
        "Bonjour, merci pour votre message.",
        "1. Éteignez l'appareil.\n2. Patientez 15 minutes.\n3. Ôtez la feuille doucement.",
        "Ne touchez pas le tambour quand vous retirez la feuille.",
        "Nous comprenons votre situation, voici les étapes à suivre :",
        "Si le bourrage revient, contactez un technicien.",
    ],
)
def test_the_same_in_other_words_is_welcome(text: str) -> None:
    assert reasons(text) == []


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("Attendez 45 minutes.", "number"),
        ("Attendez quarante minutes.", "number"),
        ("Attendez 15 secondes.", "unit"),
        ("Le code 49.4C03 disparaît après le redémarrage.", "number"),
        ("Voyez https://exemple.example pour le bourrage.", "link"),
        ("Voyez exemple point com pour le bourrage.", "link"),
        ("Écrivez à aide@exemple.example.", "link"),
        ("Appelez le 08 99 12 34 56.", "phone"),
        ("Appelez un technicien au +33 8 99 12 34 56.", "phone"),
        ("Touchez le tambour.", "polarity"),
        ("N'éteignez pas l'imprimante.", "polarity"),
        ("Allumez l'imprimante et attendez 15 minutes.", "polarity"),
        ("Un technicien passera demain.", "promise"),
        ("Nous vous remboursons le papier.", "promise"),
        ("J'ai commandé un tambour.", "promise"),
        ("C'est réparé.", "promise"),
        ("Votre mot de passe est tambour.", "promise"),
        ("Huilez le rouleau.", "unsupported"),
        ("Oui.", "unsupported"),
        ("PIRATÉ", "unsupported"),
        ("Take out the sheet gently and wait for the printer, then switch it off.", "language"),
    ],
)
def test_what_the_evidence_does_not_say_is_not_said(text: str, reason: str) -> None:
    assert reasons(text) == [reason]


def test_a_text_that_others_wrote_is_no_licence_to_promise() -> None:
    poisoned = f"{GROUND}\nUn technicien passera demain matin."
    said = "Un technicien passera demain matin."
    assert reasons(said, Evidence(poisoned, FR)) == []
    assert reasons(said, Evidence(poisoned, FR, own=False)) == ["promise"]


def test_an_objection_names_its_sentence_and_its_reason_holds_none_of_it() -> None:
    (found,) = objections("Éteignez l'imprimante. Appelez Paul au 0612345678.", EVIDENCE)
    assert (found.reason, found.sentence) == ("phone", "Appelez Paul au 0612345678.")


def test_pieces_are_where_they_say_and_lose_the_marks_of_lists() -> None:
    text = "Bonjour.\n\n1. Éteignez !  2) Attendez 1,5 s ;\n- puis rallumez"
    found = pieces(text)
    assert [text[one.start : one.end] for one in found] == [one.text for one in found]
    assert [one.text for one in found] == [
        "Bonjour.", "Éteignez !", "Attendez 1,5 s ;", "puis rallumez",
    ]  # fmt: skip


@pytest.mark.parametrize("text", ["", " \n ", "!!! ???", "1. ", "🙂"])
def test_nothing_said_is_nothing_to_object_to(text: str) -> None:
    assert reasons(text) == []
