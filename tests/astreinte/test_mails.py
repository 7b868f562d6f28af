"""`astreinte mail read`: what it says is what ingest does."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from astreinte.cli import app
from gateways.mail import fields_of
from gateways.mail.bodies import written_now
from schemas.printer import InboundMessage
from services.ingest.printer import arrive

MAIL = """From: Claire <claire@cabinet.example>
To: support+t_7f3a91c0@desk.example
Subject: Re: Imprimante
Message-ID: <3@x>
In-Reply-To: <2@x>
References: <1@x> <2@x>
Date: Tue, 13 Jan 2026 09:00:00 +0100
Content-Type: multipart/mixed; boundary=cut

--cut
Content-Type: text/plain; charset=utf-8
Content-Transfer-Encoding: 8bit

Oui, deux fois, sans effet.

Le 13/01/2026 à 08:58, Astreinte a écrit :
> Avez-vous rallumé l'imprimante ?
--cut
Content-Type: image/png; name=ecran.png

x
--cut--
"""
KEYS = [
    *("reply_text", "full_text", "quoted", "language", "thread_ids"),
    *("auto_reply", "reason", "bounce", "attachments"),
]


def told(path: Path) -> dict[str, Any]:
    done = CliRunner().invoke(app, ["mail", "read", str(path), "--json"])
    assert done.exit_code == 0, done.output
    found: dict[str, Any] = json.loads(done.output)
    assert list(found) == KEYS
    return found


@pytest.fixture
def mail(tmp_path: Path) -> Path:
    path = tmp_path / "mail.eml"
    path.write_text(MAIL, "utf-8")
    return path


def test_it_tells_what_was_written_what_is_quoted_and_where_it_belongs(mail: Path) -> None:
    found = told(mail)
    assert found["reply_text"] == "Oui, deux fois, sans effet."
    assert found["quoted"].startswith("Le 13/01/2026")
    assert found["full_text"] == f"{found['reply_text']}\n\n{found['quoted']}"
    assert found["language"] == "fr"
    assert found["thread_ids"] == ["t_7f3a91c0", "<2@x>", "<1@x>"]
    assert (found["auto_reply"], found["reason"], found["bounce"]) == (False, None, None)
    assert found["attachments"] == [
        {"name": "ecran.png", "content_type": "image/png", "size_bytes": 1}
    ]


def test_what_it_says_is_what_ingest_does(mail: Path) -> None:
    fields = {name: value for name, value in fields_of(mail.read_bytes()).items() if value}
    message = InboundMessage.model_validate(fields | {"channel": "email"})
    arrival = arrive(message, written_now(message), datetime.now(UTC))
    found = told(mail)
    assert found["reply_text"] == arrival.text
    assert tuple(found["thread_ids"]) == ("t_7f3a91c0", *arrival.ties.answers_to)
    assert found["reason"] == arrival.automatic


def test_it_tells_automatic_mail_and_bounces(mail: Path) -> None:
    mail.write_text(f"Auto-Submitted: auto-replied\n{MAIL}", "utf-8")
    assert told(mail)["reason"] == "réponse automatique (auto-submitted)"
    mail.write_text(f"X-Failed-Recipients: a@x.example, b@x.example\n{MAIL}", "utf-8")
    found = told(mail)
    assert found["bounce"] == {"address": "a@x.example, b@x.example", "permanent": True}
    assert (found["auto_reply"], found["reason"]) == (True, "avis de non-remise")


def test_a_notice_without_sender_is_told_too(mail: Path) -> None:
    mail.write_text("From: <>\nReturn-Path: <>\nX-Failed-Recipients: a@x.example\n\nx", "utf-8")
    assert told(mail)["bounce"] == {"address": "a@x.example", "permanent": True}


def test_people_read_it_in_french(mail: Path) -> None:
    shown = CliRunner().invoke(app, ["mail", "read", str(mail)]).output
    assert "Ce que le client a écrit\n  Oui, deux fois, sans effet." in shown
    assert "  > Avez-vous rallumé l'imprimante ?" in shown
    assert "langue       français" in shown and "ecran.png" in shown


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("missing.eml", None, "there is no such file"),
        ("empty.eml", b"", "this is no mail"),
        ("picture.eml", bytes(range(256)) * 10, "this is no mail"),
        ("note.eml", b"Bonjour,\nl'imprimante est en panne.\n", "this is no mail"),
        ("old.msg", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "Outlook's own format"),
        ("nothing.eml", b"From: a@x.example\n\n", "a message without text"),
        ("future.eml", b"From: a@x.example\nDate: 1 Jan 2090 00:00\n\na", "ahead of our clock"),
        ("large.eml", b"From: a@x.example\n\n" + b"a" * 31 * 2**20, "30 MB at most"),
    ],
)
def test_what_is_no_mail_ends_with_one_sentence_and_status_2(
    tmp_path: Path, name: str, data: bytes | None, said: str
) -> None:
    path = tmp_path / name
    if data is not None:
        path.write_bytes(data)
    done = CliRunner().invoke(app, ["mail", "read", str(path), "--json"])
    assert done.exit_code == 2
    assert said in done.stderr and done.stderr.count("\n") == 1
    assert done.stdout == ""
