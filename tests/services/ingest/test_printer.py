"""Who writes, in which conversation, and what they wrote now."""

from __future__ import annotations

import time
from typing import Any

import pytest

from schemas.printer import InboundMessage
from services.ingest.printer import (
    Arrival,
    address_of,
    arrive,
    automatic,
    clean,
    without_quotes,
)
from tests.conftest import inbound
from tests.events import NOW

ANA = "ana@exemple.example"


def mail(text: str = "Toujours en panne.", **changes: Any) -> InboundMessage:
    fields = {"channel": "email", "from": ANA, "subject": "Panne", "received_at": NOW}
    return inbound(text, **(fields | changes))


def arrived(message: InboundMessage, html_text: str = "") -> Arrival:
    return arrive(message, html_text, NOW)


# --- clean text ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("a\r\nb\rc", "a\nb\nc"),
        ("  a \t b  ", "a b"),
        ("a\u00a0:\u202fb\u2003c", "a : b c"),
        ("a\n\n\n\n\nb", "a\n\nb"),
        ("\ufeffim\u00adpri\u200bmante\u200e", "imprimante"),
        ("\u202eenv", "env"),
        ("C'est « Prêt Hex » ✅ 🖨", "C'est « Prêt Hex » ✅ 🖨"),
        (" \n\t\u200b\n ", ""),
    ],
)
def test_text_is_cleaned(raw: str, expected: str) -> None:
    assert clean(raw) == expected


def test_cleaning_twice_changes_nothing() -> None:
    once = clean("a \u200b\n\n\n  b\u00a0\u00a0c \r\n")
    assert clean(once) == once


@pytest.mark.parametrize(
    "ending",
    [
        "> Bonjour,\n> avez-vous redémarré ?",
        "Le 3 janv. 2025 à 10:12, Desk <desk@exemple.example> a écrit :\n> avez-vous redémarré ?",
        "Le ven. 3 janv. 2025 à 10:12, Desk <desk@exemple.example> a\nécrit :\n\n> redémarré ?",
        "On Fri, Jan 3, 2025 at 10:12 AM Desk <desk@exemple.example> wrote:\n> restarted?",
        "-----Message d'origine-----\n> De : Desk\n> redémarré ?",
        "----- Original Message -----\n> From: Desk",
        ">\n> a\n\n> b\n",
    ],
)
def test_a_quotation_at_the_end_is_cut(ending: str) -> None:
    assert without_quotes(f"Oui, deux fois.\n\n{ending}") == "Oui, deux fois."


@pytest.mark.parametrize(
    "text",
    [
        "> Avez-vous redémarré ?\nOui.\n> Et le câble ?\nAussi.",
        "Le 3 janvier Desk a écrit :\n> redémarré ?\nOui.",
        "On Friday Desk wrote:\n> restarted?\nYes, twice.",
        "Mon collègue a écrit :\nle bac 2 est vide.",
        "Voici le panneau :\n-----Message d'origine-----\nDe : Desk, sans guillemets",
    ],
)
def test_answers_between_quoted_lines_are_never_cut(text: str) -> None:
    assert without_quotes(text) == text


def test_a_mail_that_only_quotes_stays_as_it_is() -> None:
    assert without_quotes("> rien\n> de nouveau") == "> rien\n> de nouveau"


def test_only_mails_lose_their_quotations() -> None:
    text = "mon texte\n> une citation"
    assert arrived(mail(text)).text == "mon texte"
    assert arrived(inbound(text, received_at=NOW)).text == text


def test_the_plain_part_comes_first_then_html_then_the_subject() -> None:
    assert arrived(mail("clair"), "riche").text == "clair"
    assert arrived(mail("\u200b ", html="<p>riche</p>"), "riche").text == "riche"
    assert arrived(mail("", html="<br>"), "").text == "Panne"


@pytest.mark.parametrize("line", ["a", "> a", "Le 12 mars Desk a écrit :", "", "\u2003"])
def test_a_hundred_thousand_lines_are_cleaned_in_a_moment(line: str) -> None:
    text = f"début\n{(line + chr(10)) * (100_000 // (len(line) + 1))}fin"
    began = time.perf_counter()
    without_quotes(clean(text))
    assert time.perf_counter() - began < 1


# --- who writes ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("channel", "sender", "address"),
    [
        ("sms", "06 12 34 56 78", "tel:+33612345678"),
        ("sms", "+33612345678", "tel:+33612345678"),
        ("sms", "0033 6.12.34.56.78", "tel:+33612345678"),
        ("call", "+33 (0)6 12 34 56 78", "tel:+33612345678"),
        ("call", "+44 20 7946 0958", "tel:+442079460958"),
        ("sms", "36180", "tel:36180"),
        ("sms", "36 180", "tel:36180"),
        ("email", "Ana.Dupont@Exemple.EXAMPLE", "mailto:ana.dupont@exemple.example"),
        ("email", "le\u0301a@exemple.example", "mailto:l\u00e9a@exemple.example"),
        ("chat", " Visiteur-7 ", "chat:visiteur-7"),
    ],
)
def test_one_spelling_for_all_ways_to_write_an_address(
    channel: str, sender: str, address: str
) -> None:
    assert address_of(inbound(channel=channel, **{"from": sender})) == address


def test_a_reference_is_an_address_of_its_own() -> None:
    assert address_of(inbound(customer_ref="CL001", **{"from": None})) == "ref:CL001"


def test_one_number_is_one_customer_whether_it_calls_or_writes() -> None:
    ids = {
        arrived(inbound(channel=channel, received_at=NOW, **{"from": number})).customer_id
        for channel, number in (("sms", "0612345678"), ("call", "+33 6 12 34 56 78"))
    }
    assert len(ids) == 1


# --- automatic mail --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("header", "value", "said"),
    [
        ("Auto-Submitted", "auto-replied", "réponse automatique (auto-submitted)"),
        ("AUTO-SUBMITTED", "auto-generated; reason=x", "réponse automatique (auto-submitted)"),
        ("X-Auto-Response-Suppress", "DR, OOF", "absence (x-auto-response-suppress)"),
        ("X-Autoreply", "yes", "réponse automatique (x-autoreply)"),
        ("X-Autorespond", "vacances", "réponse automatique (x-autorespond)"),
        ("X-Loop", ANA, "boucle de messages (x-loop)"),
        ("Precedence", "bulk", "envoi en nombre (precedence)"),
        ("Precedence", "junk", "envoi en nombre (precedence)"),
        ("List-Id", "<news.exemple.example>", "liste de diffusion (list-id)"),
        ("List-Unsubscribe", "<mailto:x@y.z>", "liste de diffusion (list-unsubscribe)"),
        ("Return-Path", "<>", "avis de non-remise (return-path)"),
        (
            "Content-Type",
            'multipart/report; report-type="delivery-status"',
            "avis de non-remise (content-type)",
        ),
    ],
)
def test_each_header_of_automatic_mail_is_known(header: str, value: str, said: str) -> None:
    message = mail(headers={header: value})
    assert automatic(message) == said
    assert arrived(message).automatic == said


@pytest.mark.parametrize(
    ("header", "value"),
    [
        ("Auto-Submitted", "no"),
        ("Precedence", "first-class"),
        ("Return-Path", f"<{ANA}>"),
        ("X-Auto-Response-Suppress", "NRN"),
        ("Content-Type", "text/plain"),
        ("X-Mailer", "Exemple"),
    ],
)
def test_a_persons_mail_is_not_automatic(header: str, value: str) -> None:
    assert automatic(mail(headers={header: value})) is None


@pytest.mark.parametrize(
    "sender", ["MAILER-DAEMON@x.example", "no-reply@x.example", "noreply@x.example"]
)
def test_a_robots_address_is_automatic(sender: str) -> None:
    assert automatic(mail(**{"from": sender})) == "expéditeur automatique"


def test_a_visitor_called_postmaster_is_a_person() -> None:
    assert automatic(inbound(**{"from": "postmaster@x.example"})) is None
