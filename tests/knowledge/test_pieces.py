"""What search may find, made of articles and documents."""

from __future__ import annotations

import json
from typing import Any

import pytest

from knowledge.pieces import of_article, of_body, of_document
from schemas.vocabulary import Language
from tests.events import articles
from tests.knowing import document, passage

ELSEWHERE = {
    "id": "a1",
    "language": "fr",
    "models": ["Lexmark C750"],
    "error_codes": ["200.XX"],
    "tags": ["bourrage"],
    "source": "KB-17",
    "fr": {
        "title": "Bourrage en A",
        "symptoms": ["Le papier reste en A"],
        "cause": "Un rouleau est usé.",
        "steps": ["Ouvrez A.", "Retirez la feuille."],
        "solution": "Changer le rouleau.",
    },
    "rest": {},
}
"""As an import makes it of another desk's knowledge base."""


def test_an_article_is_found_in_both_languages_and_told_in_each() -> None:
    piece = of_article(articles()["paper-jam"])
    assert {language for _, language in piece.texts} == {"fr", "en"}
    for language in Language:
        told = piece.passage(language)
        version = articles()["paper-jam"].version(language)
        assert (told.language, told.title, told.steps) == (language, version.title, version.steps)
    assert piece.kind == "article"


def test_an_article_of_another_desk_is_told_in_the_language_that_it_has() -> None:
    piece = of_body("a1", json.dumps(ELSEWHERE))
    assert piece
    assert [text for text, _ in piece.texts] == [
        "Bourrage en A",
        "Le papier reste en A",
        "Un rouleau est usé.",
    ]
    told = piece.passage(Language.EN)
    assert (told.article, told.language, told.title) == ("a1", Language.FR, "Bourrage en A")
    assert told.steps == ("Ouvrez A.", "Retirez la feuille.")
    assert (told.source, told.models, piece.error_codes) == (
        "KB-17",
        ("Lexmark C750",),
        ("200.XX",),
    )


def test_an_article_of_another_desk_is_for_the_printer_that_it_was_imported_for() -> None:
    piece = of_body("a1", json.dumps(ELSEWHERE), "Lexmark", "C750")
    assert piece
    assert (piece.brand, piece.models) == ("Lexmark", ("C750",))
    assert piece.passage(Language.FR).brand == "Lexmark"


def test_our_own_article_comes_back_from_the_record_as_it_was() -> None:
    article = articles()["hp-49-error"]
    assert of_body(article.id, article.model_dump_json()) == of_article(article)


@pytest.mark.parametrize("body", ["{}", '{"de": {}}'])
def test_an_article_in_no_language_of_ours_is_none(body: str) -> None:
    assert of_body("a1", body) is None


@pytest.mark.parametrize(
    ("about", "told"),
    [
        ({}, {"url": "", "source": "Guide d'entretien, p. 2", "brand": None}),
        (
            {"source": "https://x.example/g"},
            {"url": "https://x.example/g", "source": "Guide d'entretien, p. 2"},
        ),
        ({"title": "Entretien"}, {"title": "Entretien", "heading": "Filtre à ozone"}),
        ({"brand": "HP", "models": ["M404"]}, {"brand": "HP", "models": ("M404",)}),
    ],
)
def test_a_passage_says_where_it_is_from_without_the_path_of_a_file(
    about: dict[str, Any], told: dict[str, Any]
) -> None:
    piece = of_document(document(**about), passage() | {"number": 7})
    found = piece.passage(Language.FR)
    assert (piece.name, piece.owner) == ("d1/7", "d1")
    assert {name: getattr(found, name) for name in told} == told
    assert "/srv" not in found.model_dump_json()
