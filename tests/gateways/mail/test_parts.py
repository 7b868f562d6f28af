"""Parts, charsets and names of files: as programs write them, and as nobody should."""

from __future__ import annotations

import base64
import os
import random
import resource
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from gateways.mail import fields_of
from gateways.mail.bodies import unflowed, written_now
from schemas.printer import InboundMessage
from services.ingest.printer import clean
from tests.events import NOW

HEAD = b"From: Ana <ana@exemple.example>\r\nMessage-ID: <1@x>\r\nSubject: panne\r\n"
MEGABYTE = 2**20
OURS = Path(__file__).parents[2] / "data/mails"


def text_of(head: str, body: bytes) -> str:
    return str(fields_of(HEAD + head.encode() + b"\r\n\r\n" + body)["text"])


def mixed(*parts: bytes) -> bytes:
    inside = b"".join(b"--cut\r\n" + part + b"\r\n" for part in parts)
    return HEAD + b"Content-Type: multipart/mixed; boundary=cut\r\n\r\n" + inside + b"--cut--\r\n"


def part(kind: str, body: bytes = b"x", more: str = "") -> bytes:
    return f"Content-Type: {kind}\r\n{more}\r\n".encode() + body


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("utf-8", "L'écran affiche « 49.4C02 » — €"),
        ("iso-8859-1", "L'écran est cassé"),
        ("iso-8859-15", "12 € le toner, cœur"),
        ("windows-1252", "L’écran affiche « 49 » – 12 €"),
        ("cp850", "L'écran est cassé"),
        ("macintosh", "L'écran est cassé"),
        ("utf-16", "L'écran est cassé"),
        ("utf-7", "L'écran est cassé"),
        ("koi8-r", "Принтер не печатает"),
        ("windows-1251", "Принтер не печатает"),
        ("iso-2022-jp", "プリンターが動きません"),
        ("shift_jis", "プリンターが動きません"),
        ("euc-kr", "프린터가 고장났습니다"),
        ("gb18030", "打印机坏了"),
        ("big5", "印表機壞了"),
    ],
)
def test_a_text_is_read_in_its_charset(charset: str, text: str) -> None:
    for encoding, encode in (("8bit", bytes), ("base64", base64.encodebytes)):
        head = (
            f"Content-Type: text/plain; charset={charset}\r\nContent-Transfer-Encoding: {encoding}"
        )
        assert text_of(head, encode(text.encode(charset))).strip() == text


@pytest.mark.parametrize(
    ("label", "real"),
    [
        ("us-ascii", "utf-8"),
        ("iso-8859-1", "utf-8"),
        ("utf-8", "windows-1252"),
        ("us-ascii", "windows-1252"),
        ("x-unknown", "utf-8"),
        ("unknown-8bit", "windows-1252"),
        ("x-windows-1252", "windows-1252"),
        ("utf-16", "utf-8"),
        ("", "utf-8"),
    ],
)
def test_a_wrong_label_does_not_spoil_a_text(label: str, real: str) -> None:
    text = "L’écran affiche « bourrage »"
    assert text_of(f"Content-Type: text/plain; charset={label}", text.encode(real)) == text


@pytest.mark.parametrize(
    ("head", "name"),
    [
        ('name="=?utf-8?B?w6ljcmFuLnBuZw==?="', "écran.png"),
        ('name="=?iso-8859-1?Q?=E9cran.png?="', "écran.png"),
        ("filename*=utf-8''%C3%A9cran.png", "écran.png"),
        ("filename*0*=utf-8''%C3%A9c; filename*1=ran.png", "écran.png"),
        ('filename="../../etc/passwd"', "../../etc/passwd"),
        ('filename="a\tb.png"', "a\tb.png"),
    ],
)
def test_the_name_of_a_file_is_read_however_it_is_written(head: str, name: str) -> None:
    place = f"Content-Disposition: attachment; {head}\r\n"
    if head.startswith("name"):
        raw = mixed(part(f"image/png; {head}", more="Content-Disposition: attachment\r\n"))
    else:
        raw = mixed(part("image/png", more=place))
    [attachment] = fields_of(raw)["attachments"]
    assert attachment.name == name


def test_what_outlook_wraps_is_named() -> None:
    raw = mixed(part("application/ms-tnef; name=winmail.dat", b"\x78\x9f\x3e\x22"))
    [attachment] = fields_of(raw)["attachments"]
    assert (attachment.name, attachment.content_type) == ("winmail.dat", "application/ms-tnef")


def test_a_photo_alone_is_a_message() -> None:
    fields = fields_of(b"From: a@x.example\nContent-Type: image/jpeg; name=a.jpg\n\nx")
    assert (fields["subject"], fields["text"]) == (
        "",
        "(sans texte ; pièces jointes : a.jpg)",
    )
    assert [each.name for each in fields["attachments"]] == ["a.jpg"]


def test_a_flowed_text_has_its_paragraphs_again() -> None:
    assert unflowed("un \ndeux\ntrois", joined=False) == "un deux\ntrois"
    assert unflowed("un \ndeux", joined=True) == "undeux"
    assert unflowed("> un \n> deux\ntrois", joined=False) == "> un deux\ntrois"
    assert unflowed("fin \n-- \nAna", joined=False) == "fin \n-- \nAna"
    assert unflowed(" From ici\n >oui", joined=False) == "From ici\n>oui"


def test_the_plain_part_is_read_unless_only_html_says_what_is_quoted() -> None:
    html = "<p>Oui, deux fois.</p><blockquote type=cite>Rallumée ?</blockquote>"
    plain = "Oui, deux fois.\nRallumée ?"
    for first, second in (("plain", plain), ("html", html)), (("html", html), ("plain", plain)):
        raw = mixed(*(part(f"text/{kind}", text.encode()) for kind, text in (first, second)))
        assert fields_of(raw)["text"] == "Oui, deux fois.\n> Rallumée ?"
    quoted = "Oui.\n\nOn 1/2/2025, Desk wrote:\n> Rallumée ?"
    raw = mixed(part("text/plain", quoted.encode()), part("text/html", html.encode()))
    assert fields_of(raw)["text"] == quoted


def test_a_header_cannot_be_smuggled_into_another() -> None:
    subject = base64.b64encode(b"panne\r\nBcc: all@exemple.example\r\n\r\nbody").decode()
    raw = (
        f"From: ana@exemple.example\nTo: =?utf-8?q?a=0D=0AX-Evil:_1?= <d@x.example>\n"
        f"Subject: =?utf-8?B?{subject}?=\nIn-Reply-To: <1@x>\n X-Evil: 2\n\ntext"
    ).encode()
    fields = fields_of(raw)
    message = InboundMessage.model_validate(
        {name: value for name, value in fields.items() if value is not None}
        | {"channel": "email", "received_at": "2026-01-13T09:00:00Z"}
    )
    told = [
        message.subject,
        message.to,
        message.sender,
        message.in_reply_to,
        *message.headers.values(),
    ]
    assert not [line for line in told if line and ("\n" in line or "\r" in line)]
    assert message.text == "text"


def test_our_own_token_names_the_address_that_a_mail_was_sent_to() -> None:
    raw = b"From: a@x.example\nTo: Desk <desk@x.example>\nDelivered-To: desk+t_Ab3-_xyz@x.example\n\na"
    assert fields_of(raw)["to"] == "desk+t_Ab3-_xyz@x.example"
    assert fields_of(raw.replace(b"+t_", b"+x_"))["to"] == "desk@x.example"


LINES = b"L'imprimante est en panne depuis hier.\r\n"
NESTED = b"".join(
    b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (n, n) for n in range(1000)
)
HOSTILE: dict[str, Callable[[], bytes]] = {
    "1,000 parts within one another": lambda: (
        HEAD + NESTED + part("text/plain") + b"x\r\n" * 100_000
    ),
    "10,000 attachments": lambda: mixed(*[part("application/pdf; name=a.pdf")] * 10_000),
    "100,000 parts": lambda: mixed(*[b"\r\nx"] * 100_000),
    "one boundary for all": lambda: (
        HEAD + b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n" * 5_000
    ),
    "boundaries without parts": lambda: (
        HEAD + b"Content-Type: multipart/mixed; boundary=-\r\n\r\n" + b"-" * 5 * MEGABYTE
    ),
    "1,000 mails within one another": lambda: HEAD + b"Content-Type: message/rfc822\r\n\r\n" * 1000,
    "200,000 headers": lambda: HEAD + b"X-A: b\r\n" * 200_000 + b"\r\nx",
    "a header of a megabyte": lambda: HEAD + b"To: " + b"(" * MEGABYTE + b"\r\n\r\nx",
    "a megabyte of addresses": lambda: b"From: " + b"a@b.example, " * 80_000 + b"\r\n\r\nx",
    "a megabyte of references": lambda: HEAD + b"References: " + b"<a@b> " * 170_000 + b"\r\n\r\nx",
    "a megabyte of tags": lambda: HEAD + b"Content-Type: text/html\r\n\r\n" + b"<div>" * 200_000,
    "tags left open": lambda: HEAD + b"Content-Type: text/html\r\n\r\n" + b"<b><i></u><p>" * 80_000,
    "no tag closed": lambda: HEAD + b"Content-Type: text/html\r\n\r\n" + b"<script>" * 125_000,
    "no base64": lambda: HEAD + b"Content-Transfer-Encoding: base64\r\n\r\n" + b"!=" * MEGABYTE,
    "a notice of parts": lambda: b"Return-Path: <>\r\n" + HEAD + NESTED,
    "a notice of brackets": lambda: (
        b"Return-Path: <>\r\n" + HEAD + b"\r\nnot delivered\r\n" + b"<" * MEGABYTE
    ),
    "a notice of addresses": lambda: (
        b"Return-Path: <>\r\n" + HEAD + b"\r\nfailure notice\r\n" + b"a@b.example\r\n" * 80_000
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_mails_are_bounded_in_time_and_memory(name: str) -> None:
    raw = HOSTILE[name]()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    began = time.process_time()
    fields: dict[str, Any] = fields_of(raw)
    assert time.process_time() - began < 2
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024 < 60
    assert len(fields["attachments"]) <= 50
    assert len(fields["text"]) <= 131_072
    assert len(fields["bounces"]) <= 50


@pytest.mark.parametrize("kind", ["application/pdf; name=a.pdf", "text/plain", "text/html"])
def test_a_mail_of_ten_megabytes_takes_a_second_and_a_half_at_most(kind: str) -> None:
    whole = base64.encodebytes(os.urandom(MEGABYTE)) * 7 if "pdf" in kind else LINES * 262_144
    encoding = "base64" if "pdf" in kind else "8bit"
    raw = mixed(part(kind, whole, f"Content-Transfer-Encoding: {encoding}\r\n"))
    assert len(raw) > 9 * MEGABYTE
    began = time.process_time()
    fields_of(raw)
    assert time.process_time() - began < 1.5
    tracemalloc.start()
    try:
        fields_of(raw)
        assert tracemalloc.get_traced_memory()[1] < 100 * MEGABYTE
    finally:
        tracemalloc.stop()


SPLINTERS = (
    *(b"\n", b"\r\n", b">", b"--cut", b"--cut--", b"\0", b"\xff", b":", b"<", b"</div>", b";"),
    *(b"Content-Type: text/html\n", b"=?utf-8?b?", b"boundary=", b"charset=\xe9", b"base64"),
    *(b"multipart/mixed", b"message/rfc822", b"\x0e\x1e\x0f", b"\xed\xa0\x80", b"filename*0*=x"),
    *(b"X-Failed-Recipients: a\0@b.example\n", b"Return-Path: <>\n", b"Action: failed\n"),
)


@pytest.mark.parametrize("seed", range(4))
def test_torn_mails_are_messages_or_say_why_not(seed: int) -> None:
    dice = random.Random(seed)
    mails = [path.read_bytes() for path in sorted(OURS.glob("*.eml"))]
    refused: list[str] = []
    for _ in range(100):
        raw = bytearray(dice.choice(mails))
        for _ in range(dice.randint(1, 8)):
            place = dice.randrange(len(raw))
            raw[place : place + dice.choice([0, 0, 1, 50])] = dice.choice(SPLINTERS)
        fields = {name: value for name, value in fields_of(bytes(raw)).items() if value is not None}
        given = {"received_at": NOW, "customer_ref": "x"} | fields | {"channel": "email"}
        try:
            message = InboundMessage.model_validate(given)
        except ValidationError as error:
            refused.append(str(error))
        else:
            assert bool(written_now(message).strip()) >= bool(clean(message.text))
            message.model_dump_json()
    sound = ("not an e-mail address", "without text")
    assert not [why for why in refused if not any(each in why for each in sound)]
    assert len(refused) < 20
