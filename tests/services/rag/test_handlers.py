"""Rag with the articles and the model that ship."""

from __future__ import annotations

import pytest

from ai.embeddings import Embedder
from knowledge.catalogue import load_catalogue
from knowledge.extraction.findings import find
from schemas.findings import Classification, Passage
from schemas.vocabulary import Language
from services.library import Library
from services.policy import Handler
from services.rag.handlers import extracted_messages
from tests.events import extracted, judged

CATALOGUE = load_catalogue()


@pytest.fixture(scope="module")
def handle(library: Library, embedder: Embedder) -> Handler:
    return extracted_messages(embedder, library)


async def passages(
    handle: Handler, text: str, seen: Classification | None = None
) -> tuple[Passage, ...]:
    ((event,),) = await handle([extracted(text, seen, find(text, CATALOGUE))])
    found: tuple[Passage, ...] = event.passages  # type: ignore[attr-defined]
    return found


@pytest.mark.parametrize(
    ("text", "article"),
    [
        ("bourrage papier, impossible de sortir la feuille", "paper-jam"),
        ("mon imprimante est hors ligne", "printer-offline"),
        ("Ma HP affiche 49.4C02", "hp-49-error"),
        ("l'écran de la Lexmark C750 est vide, que des losanges", "lexmark-c750-01"),
        ("Canon code 5100", "canon-5100-b200"),
    ],
)
async def test_the_right_article_comes_first(handle: Handler, text: str, article: str) -> None:
    found = await passages(handle, text)
    assert found[0].article == article
    assert found[0].language is Language.FR


async def test_an_english_question_gets_an_english_passage(handle: Handler) -> None:
    found = await passages(handle, "my printer is offline", judged(language=Language.EN))
    assert found[0].article == "printer-offline"
    assert found[0].language is Language.EN


@pytest.mark.parametrize(
    "text",
    ["Quelle est la capitale de l'Australie ?", "asdf qwer zxcv", "", "la recette du cassoulet"],
)
async def test_what_no_article_is_about_finds_nothing(handle: Handler, text: str) -> None:
    event = extracted(text, html="<script>x</script>")
    ((told,),) = await handle([event])
    assert told.passages == ()  # type: ignore[attr-defined]


async def test_another_make_never_gets_a_lexmark_sheet(handle: Handler) -> None:
    found = await passages(handle, "l'écran de ma Canon est vide, que des losanges")
    assert not [passage for passage in found if passage.brand not in (None, "Canon")]
