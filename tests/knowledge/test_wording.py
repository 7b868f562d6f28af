"""The words around the articles."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from knowledge.wording import Words, load_wording
from schemas.vocabulary import Action, FindingKind, Language, kind_label
from services.respond import printer

WORDING = load_wording()
SPOKEN = {
    "about": {"title"},
    "about_model": {"models", "title"},
    "otherwise": {"call_technician"},
    "reach": {"contact"},
    "question": {"number"},
    "handed": {"number"},
    "document": {"place"},
    "sources": {"sources"},
    "signed": {"signature"},
    "sms": {"title", "steps", "contact", "signature"},
    "gathered": {"found"},
    "telegram": {"signature", "contact"},
}
"""What is filled in: by `respond`, and in the greeting of Telegram."""


def reasons_of_respond() -> set[str]:
    """Return every word that `respond` returns beside an action."""
    tree = ast.parse(Path(printer.__file__).read_text("utf-8"))
    said = {
        node.elts[1].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Tuple)
        and len(node.elts) == 2
        and isinstance(node.elts[0], ast.Attribute)
        and node.elts[0].attr in Action.__members__
        and isinstance(node.elts[1], ast.Constant)
    }
    said |= set(printer.BY_A_PERSON.values()) | {reason for reason, _ in printer.NO_ANSWER.values()}
    return {str(word) for word in said} | {category.value for category in printer.NEEDED}


def test_the_reasons_of_respond_are_seen() -> None:
    assert {"automatic", "danger", "grounded", "thanks", "off_topic"} <= reasons_of_respond()


@pytest.mark.parametrize(
    "reason",
    sorted((reasons_of_respond() - {"technical", "other"}) | {"no_passage", "dead_letter"}),
)
def test_every_reason_has_a_label_in_both_languages(reason: str) -> None:
    for language in Language:
        assert WORDING.reason(reason, language) != reason or reason == WORDING.reasons[reason][1]
    assert reason in WORDING.reasons


@pytest.mark.parametrize("language", list(Language))
def test_every_sentence_has_the_places_that_are_filled_and_no_other(language: Language) -> None:
    words = WORDING.of(language)
    for field in Words.model_fields:
        sentence = getattr(words, field)
        if isinstance(sentence, str):
            assert set(re.findall(r"{(\w+)}", sentence)) == SPOKEN.get(field, set()), field
    assert not any("{" in text for text in (*words.handoff.values(), *words.asks.values()))
    for told in words.warranty.values():
        assert set(re.findall(r"{(\w+)}", told)) == {"device", "until"}


def test_hand_overs_are_known_reasons() -> None:
    known = WORDING.reasons.keys() | {"default"}
    assert WORDING.fr.handoff.keys() <= known
    assert WORDING.en.handoff.keys() == WORDING.fr.handoff.keys()


def test_questions_back_are_known_reasons_and_no_part_of_one_another() -> None:
    assert WORDING.fr.asks.keys() == WORDING.en.asks.keys() <= WORDING.reasons.keys()
    for words in (WORDING.fr, WORDING.en):
        for name, ask in words.asks.items():
            assert [other for other, text in words.asks.items() if ask in text] == [name]


def test_a_reason_without_a_label_is_shown_as_it_is() -> None:
    assert WORDING.reason("no_outcome_of_2030", Language.FR) == "no_outcome_of_2030"


def test_kinds_of_findings_have_labels_and_strange_ones_are_shown_as_they_are() -> None:
    for kind in FindingKind:
        assert kind_label(kind.value, Language.FR) != kind_label(kind.value, Language.EN)
    assert kind_label("colour", Language.EN) == "colour"
