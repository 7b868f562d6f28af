"""Which articles are near enough."""

from __future__ import annotations

from typing import Any

import pytest

from ai.passages import Hit
from knowledge.pieces import Piece, of_document
from knowledge.wording import load_wording
from schemas.findings import Turn
from schemas.printer import MessageGrounded
from schemas.vocabulary import Language
from services.questions import CHARACTERS
from services.rag.printer import (
    AT_MOST,
    CODE_BONUS,
    CODE_UNSPOKEN,
    CONVERSATION,
    NEAR_ENOUGH,
    OTHER_LANGUAGE,
    ground,
    questions,
    same_model,
)
from tests.events import NOW, articles, extracted, found, judged, pieces
from tests.knowing import FILTER, document, passage


def hit(name: str, score: float) -> Hit:
    return Hit(name, score, {"dense": score})


def grounded(*hits: Hit, **named: str) -> MessageGrounded:
    (told,) = ground(extracted(findings=found(**named)), [hits], pieces(), NOW)
    return told


def names(event: MessageGrounded) -> list[str]:
    return [passage.article for passage in event.passages]


def test_what_is_near_enough_is_kept_best_first_and_at_most_three() -> None:
    hits = [
        hit(name, score)
        for name, score in (
            ("paper-jam", 0.5),
            ("printer-offline", 0.7),
            ("blank-page", 0.5),
            ("faded-print", 0.6),
        )
    ]
    told = grounded(*hits)
    assert names(told) == ["printer-offline", "faded-print", "paper-jam"]
    assert len(told.passages) == AT_MOST
    title = articles()["printer-offline"].fr.title
    assert told.why == f"3 article(s), le meilleur « {title} » à 0.70"


def test_below_the_threshold_there_is_nothing_and_the_reason_says_how_near() -> None:
    told = grounded(hit("paper-jam", NEAR_ENOUGH - 0.01))
    assert told.passages == ()
    assert told.why == f"aucun article assez proche (meilleur score 0.49, seuil {NEAR_ENOUGH})"
    assert names(grounded(hit("paper-jam", NEAR_ENOUGH))) == ["paper-jam"]


def test_without_any_hit_there_is_nothing() -> None:
    assert grounded().passages == ()
    assert "meilleur score 0.00" in grounded().why


def test_a_sheet_of_another_make_is_left_out() -> None:
    hits = (hit("hp-49-error", 0.9), hit("paper-jam", 0.5))
    assert names(grounded(*hits, brand="Canon")) == ["paper-jam"]
    assert names(grounded(*hits, brand="HP")) == ["hp-49-error", "paper-jam"]
    assert names(grounded(*hits, brand="hp")) == ["hp-49-error", "paper-jam"]


def test_a_sheet_of_another_model_is_left_out() -> None:
    assert names(grounded(hit("lexmark-c750-01", 0.9), brand="Lexmark", model="T640")) == []
    assert names(grounded(hit("lexmark-c750-01", 0.9), brand="Lexmark", model="C750")) == [
        "lexmark-c750-01"
    ]


def test_a_sheet_for_all_printers_fits_any_printer() -> None:
    assert names(grounded(hit("paper-jam", 0.9), brand="Zebra", model="ZD420")) == ["paper-jam"]


def test_a_customer_who_names_no_make_may_get_a_makers_sheet() -> None:
    assert names(grounded(hit("lexmark-c750-01", 0.9))) == ["lexmark-c750-01"]


def score(name: str, raw: float = 0.6, **named: str) -> float:
    return grounded(hit(name, raw), **named).passages[0].score


def test_the_very_code_of_an_article_makes_it_surer() -> None:
    plain = score("hp-49-error", brand="HP")
    assert plain == 0.6
    raised = score("hp-49-error", brand="HP", error_code="49.4C02")
    assert raised == pytest.approx(0.6 + 0.4 * CODE_BONUS)


@pytest.mark.parametrize("code", ["49.AB", "49.1234", "49.FF.04", "49.4c02"])
def test_x_in_a_sheets_code_stands_for_any_character(code: str) -> None:
    assert score("hp-49-error", brand="HP", error_code=code) > 0.6


@pytest.mark.parametrize("code", ["79.AB", "49.ABC", "49", "149.AB", "49.1234.5"])
def test_a_code_of_another_family_changes_nothing(code: str) -> None:
    assert score("hp-49-error", brand="HP", error_code=code) == 0.6


def test_a_sheet_of_codes_is_less_likely_where_neither_make_nor_code_is_named() -> None:
    assert score("hp-49-error", 0.9) == pytest.approx(0.9 * CODE_UNSPOKEN)
    assert score("hp-49-error", 0.8, brand="HP") == 0.8
    assert score("paper-jam", 0.8) == 0.8


@pytest.mark.parametrize("language", list(Language))
def test_the_passage_is_the_article_in_the_customers_language(language: Language) -> None:
    event = extracted("no", judged(language=language))
    (told,) = ground(event, [[hit("paper-jam", 0.8)]], pieces(), NOW)
    (passage,) = told.passages
    version = articles()["paper-jam"].version(language)
    assert (passage.language, passage.title, passage.steps) == (
        language,
        version.title,
        version.steps,
    )
    assert passage.source == articles()["paper-jam"].source
    assert passage.evidence == {"dense": 0.8}


def test_what_is_searched_is_subject_and_words_and_bounded() -> None:
    mail = {"channel": "email", "from": "ana@exemple.example"}
    assert questions(extracted("Que faire ?", subject="Écran noir", **mail)) == (
        "Écran noir\nQue faire ?",
    )
    (long,) = questions(extracted("panne " * 9_000))
    assert len(long) == CHARACTERS


def test_several_questions_are_searched_each_and_together_and_each_keeps_its_best() -> None:
    event = extracted("1. L'écran reste noir.\n2. Le papier bourre dans le bac.")
    assert questions(event)[:2] == ("L'écran reste noir.", "Le papier bourre dans le bac.")
    assert len(questions(event)) == 3
    hits = [
        [hit("lexmark-c750-01", 0.8), hit("blank-page", 0.5), hit("faded-print", 0.55)],
        [hit("paper-jam", 0.9), hit("blank-page", 0.6)],
        [hit("paper-jam", 0.95), hit("printer-offline", 0.4)],
    ]
    (told,) = ground(event, hits, pieces(), NOW)
    assert [(one.article, one.part, one.score) for one in told.passages] == [
        ("paper-jam", 1, 0.95),
        ("lexmark-c750-01", 0, 0.8),
        ("blank-page", 1, 0.6),
        ("faded-print", 0, 0.55),
    ]


def test_the_answer_to_a_question_of_ours_is_searched_with_what_was_asked_first() -> None:
    ask = load_wording().fr.asks["ask_model"]
    turns = (
        Turn(who="customer", text="Le papier se coince.", at=NOW),
        Turn(who="desk", text=f"Bonjour,\n\n{ask}", at=NOW),
    )
    event = extracted("c'est une C750").model_copy(update={"earlier": turns})
    assert questions(event) == ("Le papier se coince.\nc'est une C750",)
    later = event.model_copy(
        update={"earlier": (*turns, turns[1].model_copy(update={"text": "x"}))}
    )
    assert questions(later) == ("c'est une C750",)


def with_document(name: str = "d1", **about: Any) -> dict[str, Piece]:
    piece = of_document(document(name, **about), passage() | {"number": 1})
    return pieces() | {piece.name: piece}


TALK = with_document("s1", kind="conversation", approved=False)


def test_a_document_is_offered_with_its_words_its_heading_and_its_page() -> None:
    (told,) = ground(extracted("filtre"), [[hit("d1/1", 0.8)]], with_document(), NOW)
    (found,) = told.passages
    assert (found.kind, found.text, found.source) == ("document", FILTER, "Guide d'entretien, p. 2")
    assert (found.score, found.heading) == (0.8, "Entretien › Filtre à ozone")


def test_a_document_in_another_language_is_offered_after_one_in_the_customers() -> None:
    event = extracted("filter", judged(language=Language.EN))
    hits = [hit("d1/1", 0.8), hit("paper-jam", 0.7)]
    (told,) = ground(event, [hits], with_document(), NOW)
    assert [(one.article, one.score) for one in told.passages] == [
        ("paper-jam", 0.7),
        ("d1/1", pytest.approx(0.8 * OTHER_LANGUAGE)),
    ]
    assert told.passages[1].language is Language.FR


def test_a_conversation_that_nobody_approved_is_never_the_only_ground_nor_the_best() -> None:
    (alone,) = ground(extracted("filtre"), [[hit("s1/1", 0.99)]], TALK, NOW)
    assert alone.passages == ()
    assert alone.why == "1 conversation(s) semblable(s), que personne n'a approuvée(s)"
    (beside,) = ground(extracted("x"), [[hit("s1/1", 0.99), hit("paper-jam", 0.5)]], TALK, NOW)
    assert [(one.article, one.score) for one in beside.passages] == [
        ("paper-jam", 0.5),
        ("s1/1", 0.5),
    ]
    event = extracted("1. L'écran reste noir.\n2. Le papier bourre dans le bac.")
    parts = [[hit("blank-page", 0.8)], [hit("s1/1", 0.99)], []]
    (several,) = ground(event, parts, TALK, NOW)
    assert [one.article for one in several.passages] == ["blank-page"], "each question by itself"


def test_a_conversation_that_was_approved_counts_for_less_than_what_was_written_for_all() -> None:
    known = with_document("s1", kind="conversation", approved=True)
    (told,) = ground(extracted("filtre"), [[hit("s1/1", 0.8)]], known, NOW)
    assert [one.score for one in told.passages] == [pytest.approx(0.8 * CONVERSATION)]


def test_what_was_removed_while_it_was_searched_is_not_offered() -> None:
    (told,) = ground(extracted("filtre"), [[hit("gone/1", 0.9)]], pieces(), NOW)
    assert told.passages == ()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("LaserJet M404", "M404dn", True),
        ("M404dn", "LaserJet M404", True),
        ("HL-L2350DW", "L2350", True),
        ("TASKalfa 2554ci", "2554ci", True),
        ("C750", "c 750", True),
        ("M404", "M405", False),
        ("IM C3000", "MP C3000", False),
        ("C750", "T640", False),
        ("Envy", "Envy", True),
        ("Envy", "Photosmart", False),
    ],
)
def test_models_are_the_same_by_family(one: str, other: str, same: bool) -> None:
    assert same_model(one, other) is same
