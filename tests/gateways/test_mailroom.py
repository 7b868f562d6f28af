"""Mails on their way in: bounces by the thousand, files under whatever name."""

from __future__ import annotations

import os
import time
from hashlib import sha256
from pathlib import Path

import pytest

from gateways.attachments import Files, type_of, why_dangerous
from gateways.inbound_mail import Ours, bounce_of, head_of
from gateways.mailroom import MailRoom
from gateways.spool import Spool
from schemas.delivery import DeliveryReported
from schemas.errors import Unavailable
from schemas.printer import Attachment, InboundMessage

SHARED = Path(__file__).parents[3] / "shared/data/email/bounces-flufl"
OURS = Ours("desk.example", "smtp")
REPLY = "5a0f3d0e-1c1b-4b7e-9a52-3f6f0c6f9d11"
NOTICE = b"""From: MAILER-DAEMON@mx.example
Content-Type: multipart/report; report-type=delivery-status; boundary=b
Message-ID: <%d@mx.example>

--b

Your mail did not arrive.
--b
Content-Type: message/delivery-status

Final-Recipient: rfc822; ana@client.example
Action: %s
Status: %s

--b
Content-Type: text/rfc822-headers

Message-ID: <%s@%s>
--b--
"""


def notice(
    number: int = 1, action: str = "failed", status: str = "5.1.1", domain: str = "desk.example"
) -> bytes:
    fields = (number, action.encode(), status.encode(), REPLY.encode(), domain.encode())
    return NOTICE % fields


class Road:
    def __init__(self, folder: Path) -> None:
        self.heard: list[InboundMessage | DeliveryReported] = []
        spool = Spool(folder / "spool")
        self.room = MailRoom(Files(folder / "files", 1000), spool, OURS, self.hand_in)

    async def hand_in(self, event: InboundMessage | DeliveryReported) -> None:
        self.heard.append(event)


async def test_eight_thousand_bounces_in_a_night_open_nothing(tmp_path: Path):
    road = Road(tmp_path)
    began = time.process_time()
    taken = {await road.room.take(notice(number), "test") for number in range(8_000)}
    assert time.process_time() - began < 30
    assert taken == {"bounce"}
    assert all(isinstance(event, DeliveryReported) for event in road.heard)
    assert len({event.event_id for event in road.heard}) == 1  # they all are about one reply
    assert files_in(tmp_path) == []


@pytest.mark.parametrize(
    ("raw", "code"),
    [(notice(), "5.1.1"), (notice(status="4.4.7"), "4.4.7"), (notice(status="odd"), "")],
)
async def test_a_bounce_of_ours_is_the_report_of_its_reply(raw: bytes, code: str, tmp_path: Path):
    road = Road(tmp_path)
    assert await road.room.take(raw, "test") == "bounce"
    (report,) = road.heard
    assert isinstance(report, DeliveryReported)
    assert (str(report.reply_id), report.status, report.code) == (REPLY, "failed", code)
    assert (report.outbound, "ana" in report.model_dump_json()) == ("smtp", False)


@pytest.mark.parametrize(
    "raw",
    [
        notice(action="delayed", status="4.4.7"),
        notice(action="relayed", status="2.0.0"),
        notice(domain="elsewhere.example"),
        notice().replace(REPLY.encode(), b"zzzzzzzz-zzzz-zzzz-zzzz-zzzzzzzzzzzz"),
    ],
    ids=range(4),
)
async def test_a_bounce_that_is_not_of_ours_or_only_a_delay_reports_nothing(
    raw: bytes, tmp_path: Path
):
    road = Road(tmp_path)
    assert await road.room.take(raw, "test") == "bounce"
    assert road.heard == []


async def test_a_bounce_from_nobody_is_one_too(tmp_path: Path):
    road = Road(tmp_path)
    raw = notice().replace(b"From: MAILER-DAEMON@mx.example\n", b"From: <>\n")
    assert await road.room.take(raw, "test") == "bounce"
    assert len(road.heard) == 1


async def test_an_old_servers_notice_is_known_by_the_mail_of_ours_that_it_quotes(tmp_path: Path):
    head = b"From: Mailer-Daemon@mx.example\nSubject: failure notice\n\n"
    quoted = (
        head + b"Sorry, no mailbox here by that name. (#5.1.1)\n\nMessage-ID: <%s@desk.example>\n"
    )
    found = bounce_of(quoted % REPLY.encode(), OURS)
    assert found and (found.code, str(found.reply_id)) == ("5.1.1", REPLY)
    assert bounce_of(head + b"Sorry.\n", OURS) is None
    absent = (
        b"From: ana@client.example\nReturn-Path: <>\nIn-Reply-To: <%s@desk.example>\n\nI am away.\n"
    )
    assert bounce_of(absent % REPLY.encode(), OURS) is None


def test_a_customer_who_forwards_a_bounce_is_a_customer():
    forwarded = b"From: ana@client.example\n\nWhat is this?\n\n> " + notice().replace(
        b"\n", b"\n> "
    )
    assert bounce_of(forwarded, OURS) is None


@pytest.mark.skipif(not SHARED.is_dir(), reason="the collected bounces are not here")
def test_collected_reports_are_recognised():
    files = sorted(SHARED.glob("*.txt"))
    reports = [raw for file in files if b"delivery-status" in head_of(raw := file.read_bytes())]
    assert len(reports) > 10
    assert all(bounce_of(raw, OURS) for raw in reports)


# --- files ---------------------------------------------------------------------------------------


def keep(folder: Path, data: bytes, name: str = "photo.png", limit: int = 1_000) -> Attachment:
    claimed = Attachment(name=name, content_type="image/png", size_bytes=len(data), reference="")
    return Files(folder, limit).keep(claimed, data)


def files_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_file_is_kept_once_and_found_by_what_it_holds(tmp_path: Path):
    first, again = keep(tmp_path, b"abc"), keep(tmp_path, b"abc", "other.png")
    assert first.reference == again.reference == "sha256:" + sha256(b"abc").hexdigest()
    (path,) = files_in(tmp_path)
    assert Files(tmp_path, 9).path_of(first.reference) == path
    assert path.read_bytes() == b"abc"


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "/etc/cron.d/x", "a\\b", "x" * 900, "con", ""]
)
def test_no_name_becomes_a_path(tmp_path: Path, name: str):
    keep(tmp_path / "files", b"abc", name)
    (path,) = files_in(tmp_path)
    assert path.name == sha256(b"abc").hexdigest()


@pytest.mark.parametrize(
    "reference", ["", "sha256:", "sha256:../../x", "eml:" + "a" * 64, "sha256:" + "A" * 64]
)
def test_what_is_no_reference_leads_nowhere(tmp_path: Path, reference: str):
    assert Files(tmp_path, 9).path_of(reference) is None


def test_a_file_that_is_too_large_is_named_and_not_kept(tmp_path: Path):
    kept = keep(tmp_path, bytes(1_001))
    assert (kept.reference, kept.warning, kept.size_bytes) == ("", "too_large", 1_001)
    assert files_in(tmp_path) == []


def test_the_type_is_what_the_bytes_show_and_not_what_is_claimed(tmp_path: Path):
    assert keep(tmp_path, b"%PDF-1.7\n").content_type == "application/pdf"
    assert keep(tmp_path, b"plain words").content_type == "image/png"
    assert type_of(b"") == ""


@pytest.mark.parametrize(
    ("name", "data", "warning"),
    [
        ("photo.png", b"\x89PNG\r\n\x1a\n", ""),
        ("facture.pdf", b"MZ\x90\x00", "program"),
        ("x", b"#!/bin/sh\n", "program"),
        ("photo.svg", b"<?xml?><svg onload='x()'>", "page"),
        ("note.txt", b"   <SCRIPT>x()</script>", "page"),
        ("facture.pdf.exe", b"x", "name"),
        ("facture.pdf.exe ", b"x", "name"),
        ("macro.DOCM", b"PK", "name"),
    ],
)
def test_what_nobody_should_open_is_marked(name: str, data: bytes, warning: str):
    assert why_dangerous(name, data) == warning


def test_a_folder_that_cannot_be_written_leaves_the_mail_where_it_is(tmp_path: Path):
    (tmp_path / "files").write_text("a file")
    with pytest.raises(Unavailable, match="cannot be written"):
        keep(tmp_path / "files", b"abc")


def test_a_write_that_fails_leaves_no_half_of_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def fsync(number: int) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fsync", fsync)
    with pytest.raises(Unavailable):
        keep(tmp_path, b"abc")
    assert files_in(tmp_path) == []
