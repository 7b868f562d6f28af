"""The template: a reply, or a hand-over, in both languages."""

from __future__ import annotations

import re
from typing import Any

import pytest

from knowledge.segments import ADVISED, in_plain_letters
from knowledge.wording import load_wording
from schemas.printer import MessageGrounded, ReplyDrafted
from schemas.vocabulary import Intent, Language, Priority
from services.replies import Sender
from services.respond.printer import draft
from tests.events import NOW, articles, found, grounded, judged, passage

WORDING = load_wording()
SENDER = Sender("Atelier Print", "02 61 91 00 00")
MAIL = {"channel": "email", "from": "ana@exemple.example"}
SMS = {"channel": "sms", "from": "0612345678"}
EN = Language.EN


def event(
    intent: Intent = Intent.FAULT, score: float = 0.0, text: str = "bonjour", **changes: Any
) -> MessageGrounded:
    seen = judged(intent, sure=changes.pop("sure", 0.9))
    return grounded(text, seen, (passage(score=score),) if score else (), **changes)


def drafted(source: MessageGrounded, sender: Sender = SENDER) -> ReplyDrafted:
    return draft(source, WORDING, sender, NOW)


def answered(language: Language = Language.FR, name: str = "paper-jam", **changes: Any) -> str:
    seen = judged(language=language)
    passages = (passage(name, language),)
    return drafted(grounded("panne", seen, passages, **changes)).draft.text


@pytest.mark.parametrize(
    ("language", "greeting", "person", "source"),
    [
        (
            Language.FR,
            "Bonjour,",
            "Pour parler à une personne, répondez HUMAIN (02 61 91 00 00).",
            "Source : ",
        ),
        (
            Language.EN,
            "Hello,",
            "To reach a person, reply HUMAN (02 61 91 00 00).",
            "Source: ",
        ),
    ],
)
def test_a_mail_greets_explains_numbers_its_steps_and_says_how_a_person_is_reached(
    language: Language, greeting: str, person: str, source: str
) -> None:
    parts = answered(language, **MAIL).split("\n\n")
    article = articles()["paper-jam"]
    version = article.version(language)
    assert parts[0] == greeting
    assert version.cause in parts[1]
    numbered = parts[2].split("\n")[1:]
    assert numbered == [f"{n}. {step}" for n, step in enumerate(version.steps, 1)]
    assert version.call_technician in parts[3]
    assert parts[4] == person
    assert parts[5] == source + article.source
    assert parts[-1] == "Atelier Print"


@pytest.mark.parametrize(
    ("language", "person"),
    [
        (Language.FR, "Répondez HUMAIN (02 61 91 00 00)."),
        (Language.EN, "Reply HUMAN (02 61 91 00 00)."),
    ],
)
def test_a_text_message_is_one_paragraph_with_the_first_steps(
    language: Language, person: str
) -> None:
    text = answered(language, **SMS)
    version = articles()["paper-jam"].version(language)
    assert "\n" not in text
    assert text.startswith(version.title)
    steps = re.findall(r"(?<!\w)(\d)\) ", text)
    assert steps in (["1"], ["1", "2"], ["1", "2", "3"])
    assert len(in_plain_letters(text)) <= ADVISED
    assert text.endswith(f"{person} Atelier Print")


def test_without_a_telephone_number_none_is_shown() -> None:
    seen = grounded("panne", None, (passage(),), **MAIL)
    text = drafted(seen, Sender("Astreinte")).draft.text
    assert "répondez HUMAIN.\n" in text


@pytest.mark.parametrize(
    ("name", "language", "brand", "line"),
    [
        ("lexmark-c750-01", "fr", "Lexmark", "ressemble à ce cas : « Écran du panneau vide"),
        (
            "lexmark-c750-01",
            "fr",
            "",
            "Si c'est une Lexmark C750, cela ressemble à ce cas : « Écran",
        ),
        (
            "lexmark-c750-01",
            "en",
            "",
            "If it is a Lexmark C750, this sounds like: “Control panel is",
        ),
        ("canon-5100-b200", "fr", "Canon", "ressemble à ce cas : « Canon : codes 5100"),
        ("hp-49-error", "en", "HP", "This sounds like: “HP: "),
        ("wifi-connection", "en", "", "This sounds like: “Wi-Fi lost"),
    ],
)
def test_the_article_is_introduced_as_a_person_would(
    name: str, language: str, brand: str, line: str
) -> None:
    text = answered(Language(language), name, findings=found(brand=brand) if brand else (), **MAIL)
    assert line in text


@pytest.mark.parametrize("name", sorted(articles()))
def test_every_article_makes_a_clean_reply_in_both_languages(name: str) -> None:
    for language in Language:
        for channel in (MAIL, SMS):
            text = answered(language, name, **channel)
            assert not re.search(r"[{}]|None|\.\.|  |\n\n\n", text.replace("…", ""))
            assert 100 < len(text) < 4_000


def test_what_is_answered_names_its_source() -> None:
    told = drafted(event(Intent.FAULT, 0.8)).draft
    assert (told.sources, told.how) == (("paper-jam",), "template")


# --- the hand-over ---------------------------------------------------------------------------

HANDOVERS = sorted(WORDING.fr.handoff)


def test_both_languages_know_the_same_hand_overs() -> None:
    assert WORDING.fr.handoff.keys() == WORDING.en.handoff.keys()


@pytest.mark.parametrize("language", list(Language))
def test_a_hand_over_says_what_was_understood(language: Language) -> None:
    seen = judged(language=language)
    told = drafted(grounded("?", seen, (), found(brand="HP", order_number="45821"), **MAIL))
    parts = told.draft.text.split("\n\n")
    words = WORDING.of(language)
    assert parts[0] == words.greeting
    assert parts[1] == words.handoff["default"]
    assert parts[2] == (
        "We have noted: make HP, order no. 45821."
        if language is EN
        else "Nous avons relevé : marque HP, commande n° 45821."
    )
    assert parts[3] == "Atelier Print"


def test_a_hand_over_by_text_message_is_short_and_signed() -> None:
    text = drafted(grounded("?", judged(), (), found(brand="HP"), **SMS)).draft.text
    assert text == f"{WORDING.fr.handoff['default']} (Atelier Print)"


def test_danger_tells_what_to_do_at_once() -> None:
    for language, first in ((Language.FR, "Débranchez"), (EN, "Unplug")):
        seen = judged(priority=Priority.CRITICAL, language=language)
        text = drafted(grounded("!", seen, **MAIL)).draft.text
        assert text.split("\n\n")[1].startswith(first)
        assert "112" in text


def test_what_is_ignored_says_nothing_outward_and_why_inward() -> None:
    told = drafted(event(Intent.THANKS))
    assert (told.draft.text, told.draft.sources) == ("", ())
    assert told.why == "sans suite : remerciement"
