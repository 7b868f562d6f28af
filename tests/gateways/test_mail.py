"""Mails as they come: tidy, torn, and written to hurt."""

from __future__ import annotations

from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import pytest

from astreinte.mailbox import Broken, read
from gateways.html import text_of
from gateways.mail import fields_of
from schemas.printer import InboundMessage
from schemas.vocabulary import Channel

SHARED = Path(__file__).parents[3] / "shared/data/email"
NOW = datetime(2025, 2, 1, 8, 30, tzinfo=UTC)
MAIL = b"From: Ana <ana@example.org>\nMessage-ID: <%d@x>\nSubject: panne\n\nFrom: le bac %d.\n"
HEAD = b"From: ana@example.org\nMessage-ID: <1@x>\n"
TWO_PARTS = b"""From: =?utf-8?Q?Dupont=2C_Ana?= <ana@example.org>
To: Desk <desk@example.com>, other@example.com
Subject: =?iso-8859-1?Q?Panne_=E0_l=27=E9tage?=
Message-ID: <2@x>
In-Reply-To: <1@x> (yesterday)
References: <0@x>
 <1@x>
Date: Wed, 15 Jan 2025 10:23:00 +0100
Auto-Submitted: auto-replied
List-Id: a
 folded
X-Secret: no
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/html

<p>Bon<b>jour</b></p>
--b
Content-Type: text/plain; charset=iso-8859-1
Content-Transfer-Encoding: quoted-printable

Le bac est cass=E9.
--b
Content-Type: image/png
Content-Disposition: attachment; filename="=?utf-8?Q?=C3=A9cran.png?="
Content-Transfer-Encoding: base64

QUJD
--b--
"""


def test_a_mail_with_all_its_parts_is_read() -> None:
    mail = fields_of(TWO_PARTS)
    assert (mail["sender"], mail["to"]) == ("ana@example.org", "desk@example.com")
    assert (mail["external_id"], mail["in_reply_to"]) == ("<2@x>", "<1@x>")
    assert mail["references"] == ("<0@x>", "<1@x>")
    assert mail["subject"] == "Panne à l'étage"
    assert mail["text"].strip() == "Le bac est cassé."
    assert mail["received_at"] == datetime(2025, 1, 15, 9, 23, tzinfo=UTC)
    assert mail["headers"] == {"auto-submitted": "auto-replied", "list-id": "a folded"}
    [attachment] = mail["attachments"]
    assert (attachment.name, attachment.content_type) == ("écran.png", "image/png")
    assert attachment.size_bytes == len(b"ABC")
    assert attachment.reference == f"eml:{sha256(TWO_PARTS).hexdigest()}"


def test_a_mail_fits_the_contract() -> None:
    mail = {key: value for key, value in fields_of(TWO_PARTS).items() if value is not None}
    assert InboundMessage.model_validate(mail | {"channel": "email"}).sender == "ana@example.org"


def test_html_becomes_text_with_its_lines() -> None:
    page = (
        "<html><head><title>no</title><style>no</style></head><body>a<br>b <i>c</i>\n d<p>e</p>"
        "<ul><li>f<li>g</ul><table><tr><td>h</td></tr></table><script>no</script><div>i"
    )
    assert text_of(page) == "a\nb c d\ne\nf\ng\nh\ni"
    assert (
        text_of("<table><tr><td>bac 1<td>vide<tr><td>bac 2<td>plein") == "bac 1 vide\nbac 2 plein"
    )
    mail = HEAD + b"Content-Type: text/html; charset=utf-8\n\n" + "<p>été".encode()
    assert fields_of(mail)["text"] == "été"


def test_the_text_of_a_forwarded_mail_is_an_attachment_and_not_the_senders() -> None:
    forwarded = b"--b\nContent-Type: message/rfc822\n\nSubject: old\n\nold text\n--b--\n"
    mail = fields_of(HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n" + forwarded)
    assert "old" not in mail["text"]
    assert [each.content_type for each in mail["attachments"]] == ["message/rfc822"]


def test_a_report_is_told_by_its_content_type() -> None:
    kind = b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
    mail = fields_of(HEAD + kind + b"--b\n\nUndelivered.\n--b--\n")
    assert mail["headers"]["content-type"].startswith("multipart/report; report-type")
    assert mail["text"].strip() == "Undelivered."


@pytest.mark.parametrize("charset", ["utf-8", "us-ascii", "klingon", "hex", "idna", "a\0b", ""])
@pytest.mark.parametrize("encoding", ["utf-8", "cp1252"])
def test_a_wrong_charset_is_read_nevertheless(charset: str, encoding: str) -> None:
    head = HEAD + f"Content-Type: text/plain; charset={charset}\n\n".encode()
    assert fields_of(head + "cassé".encode(encoding))["text"] == "cassé"


def test_bytes_that_no_charset_has_are_replaced() -> None:
    assert fields_of(HEAD + b"\na\x81\xe9")["text"] == "a\ufffd\ufffd"


def test_a_subject_of_raw_bytes_is_read() -> None:
    assert fields_of(HEAD + "Subject: cassé\n\na".encode())["subject"] == "cassé"


def test_a_head_without_anything_leaves_the_digest_as_id() -> None:
    raw = b"Subject: a\0b\n\nbonjour"
    mail = fields_of(raw)
    assert mail["external_id"] == sha256(raw).hexdigest()
    assert (mail["sender"], mail["in_reply_to"], mail["received_at"]) == (None, None, None)
    assert mail["subject"] == "a b"


@pytest.mark.parametrize("date", ["", "soon", "Thu, 1 Jan 1970 00:00:00 +0000", "1 Jan 9999", "0"])
def test_an_absurd_date_is_no_date(date: str) -> None:
    assert fields_of(HEAD + f"Date: {date}\n\na".encode())["received_at"] is None


def test_a_date_without_zone_is_utc() -> None:
    mail = fields_of(HEAD + b"Date: Wed, 15 Jan 2025 10:23:00 -0000\n\na")
    assert mail["received_at"] == datetime(2025, 1, 15, 10, 23, tzinfo=UTC)


def test_a_torn_multipart_keeps_its_text() -> None:
    assert fields_of(HEAD + b"Content-Type: multipart/mixed\n\nbonjour")["text"] == "bonjour"


def test_values_of_headers_are_cut_and_free_of_breaks() -> None:
    mail = fields_of(HEAD + b"List-Id: " + b"a" * 3000 + b"\0\nSubject: " + b"b" * 3000 + b"\n\nc")
    assert len(mail["headers"]["list-id"]) == 500
    assert len(mail["subject"]) == 998


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\n",
        bytes(range(256)) * 100,
        HEAD + b"Message-ID: <\nDate: [\nTo: <@>;:,\n\na",
        HEAD + b"Content-Type: ;;;=\nContent-Disposition: ;=\n\na",
        HEAD + b"Content-Type: text/plain; " + b"a=b; " * 100_000 + b"\n\na",
        HEAD + b"Content-Disposition: attachment; " + b"filename*0=b; " * 50_000 + b"\n\na",
        HEAD + b"To: " + b"a@b.fr, " * 100_000 + b"\nCc: " + b"(" * 100_000 + b"\n\na",
        HEAD + b"Subject: " + b"=?utf-8?q?a?= " * 50_000 + b"\n\na",
        HEAD + b"Content-Type: text/html\n\n" + b"<div>" * 200_000 + b"a",
        HEAD + b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 2_000,
        HEAD + b"Content-Transfer-Encoding: base64\n\n!!!!=a",
    ],
    ids=range(12),
)
def test_hostile_mails_are_read_without_a_fault_and_soon(raw: bytes) -> None:
    began = datetime.now(UTC)
    mail = fields_of(raw)
    assert len(mail["attachments"]) <= 50
    assert (datetime.now(UTC) - began).total_seconds() < 10


def test_a_folder_of_mails_is_read_in_order_and_deep(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "1.EML").write_bytes(MAIL % (1, 1))
    (tmp_path / "a.eml").write_bytes(MAIL % (2, 2))
    (tmp_path / "c.eml").write_bytes(b"")
    (tmp_path / "d.eml").write_bytes(b"Content-Type: message/rfc822\n\n" * 3000)
    (tmp_path / "readme.txt").write_text("no mail")
    second, first, empty, deep = list(read(tmp_path, default_channel=Channel.CHAT, now=NOW))
    told = [one.external_id for one in (second, first) if isinstance(one, InboundMessage)]
    assert told == ["<2@x>", "<1@x>"]
    assert isinstance(empty, Broken) and "cannot be read" in empty.reason
    assert isinstance(deep, InboundMessage) and len(deep.attachments) == 1


def test_an_mbox_is_cut_at_its_postmarks_and_not_at_sentences(tmp_path: Path) -> None:
    postmark = b"From ana@example.org Wed Jan 15 09:23:00 2025\n"
    talk = b"\nFrom here on, nothing prints.\n>From the start.\n\n"
    box = postmark + MAIL % (1, 1) + talk + postmark + MAIL % (2, 2)
    for name in ("a.mbox", "Inbox"):
        (tmp_path / name).write_bytes(box)
        first, second = read(tmp_path / name, default_channel=Channel.CHAT, now=NOW)
        assert isinstance(first, InboundMessage) and isinstance(second, InboundMessage)
        assert first.text == "From: le bac 1.\n\nFrom here on, nothing prints.\nFrom the start.\n\n"
        assert (second.external_id, second.channel) == ("<2@x>", Channel.EMAIL)


@pytest.mark.skipif(not SHARED.is_dir(), reason="the collected mails are not here")
@pytest.mark.parametrize("folder", ["discourse/emails", "bounces-flufl"])
def test_collected_mails_and_bounces_are_read(folder: str) -> None:
    files = sorted((SHARED / folder).glob("*.txt"))
    assert files
    for file in files:
        mail = fields_of(file.read_bytes())
        assert mail["external_id"]
        assert mail["text"].strip() or mail["sender"] is None
