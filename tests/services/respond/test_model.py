"""What a language model is given, and which of its words may be sent."""

from __future__ import annotations

import pytest

from knowledge.wording import load_wording
from schemas.printer import MessageGrounded, ReplyDrafted
from schemas.vocabulary import Language
from services.respond.printer import (
    MAX_REPLY_CHARACTERS,
    Sender,
    draft,
    objection,
    prompt,
    reworded,
)
from tests.events import NOW, articles, grounded, judged, passage

WORDING = load_wording()
SENDER = Sender("Atelier Print", "02 61 91 00 00")
EN = Language.EN


def drafted(source: MessageGrounded) -> ReplyDrafted:
    return draft(source, WORDING, SENDER, NOW)


def reply() -> ReplyDrafted:
    return drafted(grounded("Ma HP bourre.", judged(), (passage(),)))


def test_the_model_is_given_the_article_the_message_and_the_language() -> None:
    system, user = prompt(reply(), SENDER)
    version = articles()["paper-jam"].fr
    assert "français" in system
    assert "Atelier Print" in system
    assert all(part in user for part in (version.title, version.cause, *version.steps))
    assert "<<<\nMa HP bourre.\n>>>" in user
    english = drafted(grounded("jam", judged(language=EN), (passage(language=EN),)))
    assert "English" in prompt(english, SENDER)[0]


def test_the_model_is_given_a_bounded_part_of_the_message() -> None:
    long = drafted(grounded("panne " * 9_000, judged(), (passage(),)))
    assert len(prompt(long, SENDER)[1]) < 6_000


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "empty"),
        (" \n ", "empty"),
        ("Éteignez. " * 300, "too long"),
        ("Voyez https://exemple.example", "a link or address"),
        ("Voyez www.exemple.example", "a link or address"),
        ("Écrivez à aide@exemple.example", "a link or address"),
        ("Attendez 45 minutes.", "a number that is not in the article"),
        ("Appelez le 0800 123 456.", "a number that is not in the article"),
        ("Chauffez à 1,5 bar.", "a number that is not in the article"),
    ],
)
def test_a_models_text_may_be_refused(text: str, said: str) -> None:
    assert objection(text, reply()) == said


def test_numbers_of_the_article_and_of_a_list_are_welcome() -> None:
    number = passage("hp-49-error")
    ground = drafted(grounded("?", None, (number,)))
    assert objection("1. Notez le 49.4C02.\n2. Éteignez.\n9. Rallumez.", ground) is None


def test_a_text_of_the_greatest_length_is_accepted() -> None:
    assert objection("é" * MAX_REPLY_CHARACTERS, reply()) is None


def test_the_models_words_end_with_what_a_template_says() -> None:
    told = reworded(reply(), "  Bonjour, retirez la feuille. ", "qwen3:4b", WORDING, SENDER)
    assert told.draft.how == "llm:qwen3:4b"
    assert told.draft.text.startswith("Bonjour, retirez la feuille.\n\nPour parler à une personne")
    assert "Source : " in told.draft.text
    assert told.draft.sources == ("paper-jam",)
