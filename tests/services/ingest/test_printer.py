"""Who writes, in which conversation, and what they wrote now."""

from __future__ import annotations

import time
from typing import Any

import pytest

from gateways.mail.bodies import written_now
from schemas.printer import InboundMessage
from services.ingest.printer import (
    Arrival,
    address_of,
    arrive,
    automatic,
    clean,
)
from tests.conftest import inbound
from tests.events import NOW

ANA = "ana@exemple.example"


def mail(text: str = "Toujours en panne.", **changes: Any) -> InboundMessage:
    fields = {"channel": "email", "from": ANA, "subject": "Panne", "received_at": NOW}
    return inbound(text, **(fields | changes))


def arrived(message: InboundMessage) -> Arrival:
    return arrive(message, message.text, NOW)


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


def test_a_message_is_what_its_author_wrote_now_else_its_subject() -> None:
    quoting = mail("mon texte\n> une citation")
    assert arrive(quoting, written_now(quoting), NOW).text == "mon texte"
    chat = inbound("mon texte\n> une citation", received_at=NOW)
    assert arrive(chat, written_now(chat), NOW).text == chat.text
    rich = mail("\u200b ", html="<p>riche</p>")
    assert arrive(rich, written_now(rich), NOW).text == "riche"
    empty = mail("", html="<br>")
    assert arrive(empty, written_now(empty), NOW).text == "Panne"


@pytest.mark.parametrize("line", ["a", "> a", "Le 12 mars Desk a écrit :", "", "\u2003"])
def test_a_hundred_thousand_lines_are_cleaned_in_a_moment(line: str) -> None:
    text = f"début\n{(line + chr(10)) * (100_000 // (len(line) + 1))}fin"
    began = time.perf_counter()
    clean(text)
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
        ("X-Failed-Recipients", ANA, "avis de non-remise (x-failed-recipients)"),
        (
            "Content-Type",
            'multipart/report; report-type="delivery-status"',
            "avis de non-remise (content-type)",
        ),
        (
            "Content-Type",
            "multipart/report; report-type=disposition-notification",
            "accusé de lecture (content-type)",
        ),
        (
            "Content-Type",
            "multipart/report; report-type=feedback-report",
            "plainte pour indésirable (content-type)",
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
        ("Precedence", "list"),
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


@pytest.mark.parametrize(
    "subject",
    [
        "Réponse automatique : panne",
        "Automatic reply: panne",
        "Absence du bureau",
        "Out of Office: x",
    ],
)
def test_an_absence_that_only_its_subject_tells_is_automatic(subject: str) -> None:
    assert automatic(mail(subject=subject)) == "absence (subject)"
    assert automatic(mail(subject=f"Re: {subject}")) is None


def test_a_notice_of_non_delivery_is_automatic() -> None:
    bounces = [{"address": ANA, "permanent": True}]
    assert automatic(mail(bounces=bounces)) == "avis de non-remise"


def test_what_a_mail_answers_is_told_by_the_newest() -> None:
    message = mail(
        in_reply_to="<2@x>",
        references=["<0@x>", "<1@x>", "<2@x>"],
    )
    assert arrived(message).ties.answers_to == ("<2@x>", "<1@x>", "<0@x>")


def test_a_notice_that_nobody_signed_is_automatic() -> None:
    unsigned = mail(customer_ref="mailer-daemon", **{"from": None})
    assert automatic(unsigned) == "expéditeur automatique"


def test_a_visitor_called_postmaster_is_a_person() -> None:
    assert automatic(inbound(**{"from": "postmaster@x.example"})) is None
