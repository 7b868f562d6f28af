"""Mails that SendGrid posts: whole or taken apart, signed or with a secret; none is refused."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from gateways.attachments import Files
from gateways.inbound_mail import Ours
from gateways.mailroom import MailRoom
from gateways.sendgrid_inbound import Proof, inbound_route
from gateways.sendgrid_signature import PublicKey
from gateways.spool import Spool
from schemas.delivery import DeliveryReported
from schemas.errors import Rejected, Unavailable
from schemas.printer import InboundMessage
from schemas.tags import tagged
from tests.vendors.sendgrid import Signer

SHARED = Path(__file__).parents[3] / "shared/data/webhooks"
SECRET = "between us"
MAIL = b"From: Ana <ana@example.org>\r\nTo: aide@durand.example\r\nMessage-ID: <1@x>\r\nSubject: Panne\r\n\r\nLe bac est cass\xc3\xa9.\r\n"


@dataclass
class Desk:
    """The route, and what it handed in."""

    folder: Path
    signer: Signer | None = None
    heard: list[InboundMessage | DeliveryReported] = field(default_factory=list)
    mood: Exception | None = None

    async def _hand_in(self, event: InboundMessage | DeliveryReported) -> None:
        if self.mood:
            raise self.mood
        self.heard.append(event)

    async def post(
        self, fields: dict[str, Any] | bytes, path: str = f"?secret={SECRET}", **headers: str
    ) -> httpx.Response:
        """Post a form (name → bytes, or (file name, type, bytes)), or a body as it is."""
        room = MailRoom(
            Files(self.folder / "files", 1_000_000),
            Spool(self.folder / "spool"),
            Ours("durand.example", "smtp"),
            self._hand_in,
        )
        app = FastAPI()
        key = PublicKey(self.signer.public) if self.signer else None
        app.include_router(inbound_route(Proof(key, "" if key else SECRET), room))
        body = fields if isinstance(fields, bytes) else form(fields)
        sent = {"Content-Type": "multipart/form-data; boundary=xYzZY"}
        sent |= self.signer.headers(body) if self.signer else {}
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://desk") as client:
            url = f"/callbacks/sendgrid/inbound{path}"
            return await client.post(url, content=body, headers=sent | headers)

    @property
    def messages(self) -> list[InboundMessage]:
        return [event for event in self.heard if isinstance(event, InboundMessage)]

    @property
    def kept(self) -> list[bytes]:
        return [file.read_bytes() for file in (self.folder / "spool").rglob("sendgrid-*")]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def form(fields: dict[str, Any]) -> bytes:
    parts = []
    for name, value in fields.items():
        head = f'Content-Disposition: form-data; name="{name}"'.encode()
        file, kind, data = value if isinstance(value, tuple) else ("", "", value)
        if file:
            head += f'; filename="{file}"\r\nContent-Type: {kind}'.encode()
        parts.append(b"--xYzZY\r\n" + head + b"\r\n\r\n" + data + b"\r\n")
    return b"".join(parts) + b"--xYzZY--\r\n"


async def test_a_whole_mail_is_handed_in_as_it_was_written(desk: Desk):
    answer = await desk.post({"email": MAIL, "envelope": b'{"to": ["aide@durand.example"]}'})
    assert (answer.status_code, answer.json()) == (200, {"taken": "message"})
    (message,) = desk.messages
    assert (message.sender, message.external_id) == ("ana@example.org", "<1@x>")
    assert (message.subject, message.text.strip()) == ("Panne", "Le bac est cassé.")
    assert message.to == "aide@durand.example"


async def test_a_mail_that_is_posted_again_has_the_same_identity(desk: Desk):
    for _ in range(2):
        await desk.post({"email": MAIL})
    await desk.post({"email": MAIL.replace(b"Message-ID: <1@x>\r\n", b"")})
    first, again, other = desk.messages
    assert first.event_id == again.event_id
    assert other.external_id == sha256(MAIL.replace(b"Message-ID: <1@x>\r\n", b"")).hexdigest()


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-1", "cp850", "utf-16"])
async def test_a_whole_mail_in_any_charset_is_read(desk: Desk, charset: str):
    head = f"From: a@b.fr\r\nContent-Type: text/plain; charset={charset}\r\n\r\n".encode()
    await desk.post({"email": head + "déjà cassé, çà et là".encode(charset)})
    assert desk.messages[0].text == "déjà cassé, çà et là"


async def test_a_mail_taken_apart_has_a_charset_for_each_field(desk: Desk):
    charsets = {"subject": "cp850", "text": "windows-1252", "html": "iso-8859-1", "from": "UTF-8"}
    fields = {
        "headers": b"Message-ID: <7@x>\r\nIn-Reply-To: <6@x>\r\nReferences: <5@x> <6@x>\r\nList-Id: x\r\n",
        "from": "Zoé <zoe@example.org>".encode(),
        "subject": "Été à l'atelier".encode("cp850"),
        "text": "C’est cassé – déjà 20 €".encode("windows-1252"),
        "html": b"<p>no</p>",
        "charsets": json.dumps(charsets).encode(),
        "envelope": b'{"to": ["aide@durand.example"], "from": "zoe@example.org"}',
        "attachments": b"1",
        "attachment1": ("../../etc/passwd", "text/plain", b"root"),
    }
    assert (await desk.post(fields)).json() == {"taken": "message"}
    (message,) = desk.messages
    assert (message.sender, message.external_id) == ("zoe@example.org", "<7@x>")
    assert (message.subject, message.text) == ("Été à l'atelier", "C’est cassé – déjà 20 €")
    assert (message.in_reply_to, message.references) == ("<6@x>", ("<5@x>", "<6@x>"))
    assert message.headers == {"list-id": "x"}
    (file,) = message.attachments
    assert file.reference == "sha256:" + sha256(b"root").hexdigest()
    assert [f.name for f in (desk.folder / "files").rglob("*") if f.is_file()] == [
        sha256(b"root").hexdigest()
    ]


async def test_a_mail_taken_apart_without_text_is_read_from_its_page(desk: Desk):
    fields = {
        "headers": b"From: a@b.fr\r\n",
        "text": b" ",
        "html": b"<p>Bon<b>jour</b><script>x()</script>",
    }
    await desk.post(fields)
    assert desk.messages[0].text == "Bonjour"


async def test_a_mail_with_nothing_but_a_photograph_is_a_message_too(desk: Desk):
    mail = b"From: a@b.fr\r\nContent-Type: image/png; name=photo.png\r\n\r\n\x89PNG\r\n\x1a\n"
    await desk.post({"email": mail})
    assert desk.messages[0].text == "(sans texte ; pièces jointes : photo.png)"


async def test_an_answer_is_known_by_the_tag_wherever_its_head_has_it(desk: Desk):
    ours = tagged("aide@durand.example", "c01", "s")
    await desk.post({"email": b"Delivered-To: " + ours.encode() + b"\r\n" + MAIL})
    assert desk.messages[0].to == ours


@pytest.mark.parametrize(
    ("path", "headers", "status"),
    [
        ("", {}, 401),
        ("?secret=", {}, 401),
        ("?secret=other", {}, 401),
        ("", {"Authorization": "Basic " + b64encode(b"any:other").decode()}, 401),
        ("", {"Authorization": "Basic !"}, 401),
        ("", {"Authorization": "Basic " + b64encode(f"any:{SECRET}".encode()).decode()}, 200),
    ],
)
async def test_who_does_not_know_the_secret_may_not_post(
    desk: Desk, path: str, headers: dict[str, str], status: int
):
    answer = await desk.post({"email": MAIL}, path, **headers)
    assert answer.status_code == status
    assert bool(desk.heard) == (status == 200)


async def test_a_signature_is_over_the_very_bytes(tmp_path: Path):
    desk = Desk(tmp_path, Signer())
    assert (await desk.post({"email": MAIL}, "")).status_code == 200
    other = Signer().headers(form({"email": MAIL}))
    assert (await desk.post({"email": MAIL}, "", **other)).status_code == 503
    body = form({"email": MAIL})
    assert desk.signer
    good = desk.signer.headers(body)
    assert (await desk.post(body + b" ", "", **good)).status_code == 503
    assert len(desk.heard) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xff" * 100,
        b"--xYzZY\r\nContent-Disposition: form-data\r\n\r\nx\r\n--xYzZY--",
        form({}),
        form({"other": b"x"}),
        form({"email": b"Subject: from nobody\r\n\r\nx"}),
        form({"email": b"From: nobody\r\n\r\nx"}),
        form({"email": b"Content-Type: message/rfc822\r\n\r\n" * 3_000}),
        form({f"field{n}": b"x" for n in range(1_000)}),
        form({"headers": b"\xff\xfe: \x00", "charsets": b"[" * 5_000}),
    ],
    ids=range(10),
)
async def test_what_cannot_be_understood_is_kept_and_not_refused(desk: Desk, body: bytes):
    answer = await desk.post(body)
    assert (answer.status_code, answer.json()) == (200, {"taken": "kept"})
    assert len(desk.kept) == 1 and desk.heard == []
    assert desk.kept[0] in body


async def test_a_form_that_is_none_is_kept(desk: Desk):
    answer = await desk.post(b"{}", **{"Content-Type": "application/json"})
    assert (answer.status_code, desk.kept) == (200, [b"{}"])


async def test_while_kafka_is_down_sendgrid_is_asked_to_post_again(desk: Desk):
    desk.mood = Unavailable("Kafka does not confirm")
    assert (await desk.post({"email": MAIL})).status_code == 503
    desk.mood = Rejected("larger than the broker takes")
    assert (await desk.post({"email": MAIL})).json() == {"taken": "kept"}
    assert desk.kept == [MAIL]


async def test_a_spool_that_cannot_be_written_is_no_reason_to_lose_a_mail(desk: Desk):
    (desk.folder / "spool").write_text("a file")
    assert (await desk.post({"email": b"x"})).status_code == 503


async def test_thirty_megabytes_are_taken_and_what_is_more_is_not_sendgrids(desk: Desk):
    head = MAIL.replace(b"Subject", b"Content-Type: multipart/mixed; boundary=b\r\nSubject")
    part = b"--b\r\nContent-Type: application/pdf\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    line = b64encode(bytes(57)) + b"\r\n"
    mail = head + b"\r\n--b\r\n\r\nVoir la photo.\r\n" + part + line * 384_000 + b"--b--\r\n"
    assert len(mail) > 29_500_000
    began = time.process_time()
    assert (await desk.post({"email": mail})).json() == {"taken": "message"}
    assert time.process_time() - began < 15
    (message,) = desk.messages
    (file,) = message.attachments
    assert (message.text.strip(), file.size_bytes) == ("Voir la photo.", 57 * 384_000)
    assert (file.warning, file.reference) == ("too_large", "")
    assert (await desk.post(bytes(40_000_001))).status_code == 413


async def test_a_thousand_parts_within_parts_and_ten_thousand_files_are_bounded(desk: Desk):
    nested = b"From: a@b.fr\r\nSubject: x\r\n"
    for n in range(1_000):
        nested += f"Content-Type: multipart/mixed; boundary=b{n}\r\n\r\n--b{n}\r\n".encode()
    many = b"From: a@b.fr\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
    many += b"--b\r\nContent-Disposition: attachment; filename=a\r\n\r\nx\r\n" * 10_000
    began = time.process_time()
    assert (await desk.post({"email": nested + b"\r\nhello"})).status_code == 200
    assert (await desk.post({"email": many})).json() == {"taken": "message"}
    assert time.process_time() - began < 10
    assert len(desk.messages[-1].attachments) == 50


async def test_ten_thousand_files_of_a_mail_taken_apart_are_kept_as_they_came(desk: Desk):
    fields: dict[str, Any] = {"headers": b"From: a@b.fr\r\n", "text": b"x"}
    fields |= {f"attachment{n}": ("a", "text/plain", b"x") for n in range(10_000)}
    assert (await desk.post(fields)).json() == {"taken": "kept"}


@pytest.mark.skipif(not SHARED.is_dir(), reason="the collected samples are not here")
@pytest.mark.parametrize(
    ("name", "text", "files"),
    [
        ("default_data.txt", "Hello Twilio SendGrid!", 0),
        ("raw_data.txt", "Hello Twilio SendGrid!", 0),
        ("raw_data_with_attachments.txt", "Hello Twilio SendGrid!", 1),
    ],
)
async def test_sendgrids_own_samples_are_read(desk: Desk, name: str, text: str, files: int):
    body = b"\r\n".join((SHARED / name).read_bytes().splitlines()) + b"\r\n"
    assert (await desk.post(body)).json() == {"taken": "message"}
    (message,) = desk.messages
    assert message.sender == "test@example.com"
    assert text in message.text
    assert len(message.attachments) == files
