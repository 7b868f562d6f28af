"""Whom a notice says that a mail did not reach, and which mails are no notices."""

from __future__ import annotations

from pathlib import Path

import pytest

from gateways.mail import fields_of
from schemas.bounce import Bounce

SHARED = Path(__file__).parents[4] / "shared/data/email/bounces-flufl"
TEMPORARY = {
    *("dsn_05", "dsn_06", "dsn_07", "dsn_08", "dsn_17"),
    *("simple_03", "simple_21", "simple_22", "simple_28", "simple_35", "simple_40"),
    *("simple_44", "yahoo_01"),  # they give up, after 4.4.4 and 4.4.1: the address may be sound
}
NO_BOUNCES = {
    "groupwise_03",  # a person's answer
    "qmail_08",  # an automatic answer
}
NOBODY_NAMED = {"bounce_01"}


def bounces(raw: str | bytes) -> tuple[Bounce, ...]:
    data = raw if isinstance(raw, bytes) else raw.encode()
    found = fields_of(data)["bounces"]
    assert isinstance(found, tuple)
    return found


def one(raw: str) -> tuple[str, bool]:
    [found] = bounces(raw)
    return found.address, found.permanent


@pytest.mark.skipif(not SHARED.is_dir(), reason="the collected bounces are not here")
def test_of_117_collected_notices_112_name_whom_they_are_about() -> None:
    found = {mail.stem: bounces(mail.read_bytes()) for mail in sorted(SHARED.glob("*.txt"))}
    assert len(found) == 117
    assert {name for name, each in found.items() if not each} == NO_BOUNCES | NOBODY_NAMED
    assert sum(bool(each) for each in found.values()) >= 112
    permanent = {name for name, each in found.items() if any(one.permanent for one in each)}
    assert found.keys() - permanent == TEMPORARY | NO_BOUNCES | NOBODY_NAMED
    expected = {
        "exim_01": ["userx@its.example.nl"],
        "dsn_01": ["userx@example.com"],
        "microsoft_01": ["userx@example.com"],
        "qmail_01": ["userx@example.de"],
        "yahoo_04": ["userx@example.es", "usery@example.uk"],
        "simple_20": ["userx@example.com"],
        "smtp32_04": ["after_another@example.net", "one_bad_address@example.net"],
    }
    assert {name: [one.address for one in found[name]] for name in expected} == expected


REPORT = """Return-Path: <>
From: Mail Delivery System <MAILER-DAEMON@mx.example>
To: support@desk.example
Subject: {subject}
Content-Type: multipart/report; report-type=delivery-status; boundary=cut

--cut
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

{words}
--cut
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example

Final-Recipient: rfc822; claire@cabinet.example
Action: {action}
Status: {status}
--cut--
"""


@pytest.mark.parametrize(
    ("action", "status", "permanent"),
    [
        ("failed", "5.1.1", True),
        ("failed", "5.7.1", True),
        ("failed", "4.4.7", False),
        ("delayed", "4.2.2", False),
        ("delayed", "5.0.0", False),
        ("failed (by exim)", "5.0.0", True),
    ],
)
def test_the_class_of_a_reports_status_says_whether_it_is_for_good(
    action: str, status: str, permanent: bool
) -> None:
    raw = REPORT.format(subject="Undelivered", words="x", action=action, status=status)
    assert one(raw) == ("claire@cabinet.example", permanent)


@pytest.mark.parametrize("action", ["delivered", "relayed", "expanded"])
def test_a_receipt_is_no_bounce(action: str) -> None:
    assert (
        bounces(REPORT.format(subject="Delivered", words="x", action=action, status="2.0.0")) == ()
    )


@pytest.mark.parametrize(
    ("subject", "words", "permanent"),
    [
        (
            "Non remis : Imprimante bloquée",
            (
                "Échec de la remise à ces destinataires ou groupes :\n\n"
                "Claire Dupré (claire@cabinet.example)\n550 5.1.10 destinataire introuvable"
            ),
            True,
        ),
        (
            "Notification d'état de remise (échec)",
            (
                "Adresse introuvable\n\nVotre message n'a pas été remis à claire@cabinet.example,\n"
                "car l'adresse est introuvable."
            ),
            True,
        ),
        (
            "Delivery Status Notification (Failure)",
            (
                "Address not found\n\nYour message wasn't delivered to claire@cabinet.example because\n"
                "the address couldn't be found."
            ),
            True,
        ),
        (
            "Mail non distribué",
            "Votre message n'a pas pu être délivré à\nclaire@cabinet.example\n",
            True,
        ),
        (
            "Retard de remise",
            (
                "Retard dans la remise à claire@cabinet.example : 451 4.7.1 essayez plus tard.\n"
                "Une nouvelle tentative aura lieu."
            ),
            False,
        ),
        (
            "Undeliverable: printer",
            (
                "Your message did not reach some or all of the intended recipients: not delivered to\n"
                "claire@cabinet.example\n"
            ),
            True,
        ),
    ],
)
def test_notices_in_words_alone_are_read_in_french_and_english(
    subject: str, words: str, permanent: bool
) -> None:
    head = f"From: postmaster@mx.example\nTo: support@desk.example\nSubject: {subject}\n"
    assert one(f"{head}Content-Type: text/plain; charset=utf-8\n\n{words}") == (
        "claire@cabinet.example",
        permanent,
    )


def test_a_header_may_name_the_address() -> None:
    raw = "From: a@mx.example\nX-Failed-Recipients: claire@cabinet.example\nSubject: x\n\nSorry."
    assert one(raw) == ("claire@cabinet.example", True)


def test_where_no_address_is_named_it_is_that_of_the_mail_returned() -> None:
    raw = (
        "Return-Path: <>\nFrom: postmaster@mx.example\nTo: support@desk.example\n"
        "Subject: Mail delivery failed\nContent-Type: multipart/mixed; boundary=cut\n\n"
        "--cut\nContent-Type: text/plain\n\nYour message could not be delivered.\n"
        "--cut\nContent-Type: message/rfc822\n\n"
        "From: support@desk.example\nTo: Claire <claire@cabinet.example>\nSubject: Re: panne\n\nx\n"
        "--cut--\n"
    )
    assert one(raw) == ("claire@cabinet.example", True)


@pytest.mark.parametrize("named", ["", "X-Failed-Recipients: c@x.example\n"])
def test_a_notice_without_a_sender_is_a_message_nevertheless(named: str) -> None:
    fields = fields_of(f"From: Mail Delivery System <>\n{named}\nx".encode())
    assert (fields["sender"], fields["customer_ref"]) == (None, "mailer-daemon")
    assert bool(fields["bounces"]) == bool(named)


@pytest.mark.parametrize(
    "head",
    [
        "From: claire@cabinet.example\nSubject: Re: Undelivered Mail\nIn-Reply-To: <1@x>",
        "From: claire@cabinet.example\nSubject: Notre imprimante",
        "Return-Path: <>\nFrom: claire@cabinet.example\nSubject: Absence du bureau",
        (
            "From: claire@cabinet.example\nSubject: Lu : Imprimante\n"
            "Content-Type: multipart/report; report-type=disposition-notification; boundary=x"
        ),
        (
            "From: abuse@mx.example\nSubject: complaint about your mail\n"
            "Content-Type: multipart/report; report-type=feedback-report; boundary=x"
        ),
    ],
)
def test_who_forwards_a_notice_or_is_away_has_no_bounce(head: str) -> None:
    words = (
        "Je serai de retour lundi." if "Absence" in head else "550 5.1.1 <paul@x.example> unknown"
    )
    assert bounces(f"{head}\nTo: support@desk.example\n\n{words}\n") == ()
