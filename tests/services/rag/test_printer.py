"""Which articles are near enough."""

from __future__ import annotations

import pytest

from ai.passages import Hit
from knowledge.wording import load_wording
from schemas.findings import Turn
from schemas.printer import MessageGrounded
from schemas.vocabulary import Language
from services.questions import CHARACTERS
from services.rag.printer import (
    AT_MOST,
    CODE_BONUS,
    CODE_UNSPOKEN,
    NEAR_ENOUGH,
    ground,
    questions,
)
from tests.events import NOW, articles, extracted, found, judged, pieces


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
            ("blank-page", 0.4),
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
    assert told.why == f"aucun article assez proche (meilleur score 0.34, seuil {NEAR_ENOUGH})"
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
    assert score("hp-49-error", 0.8) == pytest.approx(0.8 * CODE_UNSPOKEN)
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
        [hit("lexmark-c750-01", 0.8), hit("blank-page", 0.5), hit("faded-print", 0.4)],
        [hit("paper-jam", 0.9), hit("blank-page", 0.6)],
        [hit("paper-jam", 0.95), hit("printer-offline", 0.4)],
    ]
    (told,) = ground(event, hits, pieces(), NOW)
    assert [(one.article, one.part, one.score) for one in told.passages] == [
        ("paper-jam", 1, 0.95),
        ("lexmark-c750-01", 0, 0.8),
        ("blank-page", 1, 0.6),
        ("faded-print", 0, 0.4),
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
