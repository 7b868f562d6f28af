"""From the bytes of a mail to what the desk makes of it: a message, or the report of a bounce.

A bounce opens no conversation. Where it names a mail of ours, it is the report of what became of
that reply; where it names none, nothing follows from it. Only Message-IDs count that we gave: a
forged bounce cannot stop mails to anybody but its own recipient.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from pydantic import ValidationError

from gateways.attachments import Keep
from gateways.mail import fields_of
from schemas.delivery import DeliveryReported
from schemas.errors import Rejected, reason_of
from schemas.printer import MAX_TEXT_CHARACTERS, InboundMessage
from schemas.vocabulary import Channel

HEAD_BYTES = 65_536
BOUNCE_BYTES = 1_000_000
"""Of a bounce, looked at: some bring the whole mail back."""
AHEAD = timedelta(hours=12)
"""How far a mail's date may be ahead of ours before it is not believed."""
_TAGGED = re.compile(
    rb"[^\s<>\"',;:@]{1,40}\+[a-z0-9]{1,40}-[a-z2-7]{16}@[\w.-]{1,255}", re.IGNORECASE
)
_STATUS = re.compile(rb"^Status:\s*([245])\.(\d{1,3})\.(\d{1,3})", re.IGNORECASE | re.MULTILINE)
_ACTION = re.compile(rb"^Action:\s*(\w+)", re.IGNORECASE | re.MULTILINE)
_CODE = re.compile(rb"\b([45])\.(\d{1,2})\.(\d{1,2})\b")
_DAEMON = re.compile(
    rb"^From:[^\n]{0,200}?\b(mailer-daemon|postmaster)\b", re.IGNORECASE | re.MULTILINE
)
_REPORT = re.compile(
    rb"^Content-Type:\s*multipart/\w+\b[^\n]*report-type=\"?delivery-status",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True)
class Ours:
    """What is ours in a mail: `domain` ends our Message-IDs; `door` is how our mails leave."""

    domain: str = ""
    door: str = ""


@dataclass(frozen=True)
class Bounce:
    """A notice that a mail did not reach somebody; `code` as `5.1.1`, `reply_id` if it is ours."""

    code: str
    failed: bool
    reply_id: UUID | None


def message_of(raw: bytes, now: datetime, keep: Keep | None = None, to: str = "") -> InboundMessage:
    """Return the message that a mail is.

    Parameters
    ----------
    raw
        The mail as it came.
    now
        When it came; a date of its own counts unless it is absurd.
    keep
        What to do with the files that came along.
    to
        Whom it was delivered to, where that is known better than from its head.

    Raises
    ------
    Rejected
        It cannot be one, e.g. it is from nobody; the text says why.
    """
    try:
        found = fields_of(raw, keep)
    except RecursionError:
        msg = "mails within mails, too deep to be read"
        raise Rejected(msg) from None
    return message_from(found, now, address_in(raw) or to)


def message_from(found: dict[str, Any], now: datetime, to: str = "") -> InboundMessage:
    """Return the message of fields that were read. Raises as `message_of`."""
    fields = {name: value for name, value in found.items() if value is not None}
    said = fields.get("received_at")
    if said is None or said > now + AHEAD:
        fields["received_at"] = now
    fields["text"] = str(fields.get("text", ""))[:MAX_TEXT_CHARACTERS]
    if not (fields["text"].strip() or fields.get("subject", "").strip()):
        fields["text"] = "(sans texte)"
    if to:
        fields["to"] = to
    try:
        return InboundMessage.model_validate(fields | {"channel": Channel.EMAIL.value})
    except ValidationError as error:
        raise Rejected(reason_of(error)) from error


def address_in(raw: bytes) -> str:
    """Return the address with a tag that a mail's head names, or nothing.

    It may stand in To, Cc, Delivered-To or Received: a mailbox may be reached by several names.
    """
    found = _TAGGED.search(head_of(raw))
    return found[0].decode("ascii", "replace") if found else ""


def head_of(raw: bytes) -> bytes:
    """Return a mail's head, or its first 64 KiB."""
    start = raw[:HEAD_BYTES]
    return re.split(rb"\r?\n\r?\n", start, maxsplit=1)[0]


def bounce_of(raw: bytes, ours: Ours) -> Bounce | None:
    """Return what a mail says of another that did not arrive, or nothing: it is no bounce.

    It is told by a few bytes of its head: thousands may come in a night.
    """
    head = head_of(raw)
    unfolded = re.sub(rb"\r?\n[ \t]+", b" ", head)
    body = raw[len(head) :][:BOUNCE_BYTES]
    reply_id = _own_id(body, ours.domain)
    if _REPORT.search(unfolded):
        action = _ACTION.search(body)
        failed = not action or action[1].lower() == b"failed"
        return Bounce(_joined(_STATUS.search(body)), failed, reply_id)
    if reply_id and _DAEMON.search(unfolded):
        return Bounce(_joined(_CODE.search(body)), failed=True, reply_id=reply_id)
    return None


def _own_id(body: bytes, domain: str) -> UUID | None:
    if not domain:
        return None
    given = re.search(rb"<([0-9a-f-]{36})@" + re.escape(domain.encode()) + rb">", body)
    try:
        return UUID(given[1].decode()) if given else None
    except ValueError:
        return None


def _joined(found: re.Match[bytes] | None) -> str:
    return ".".join(part.decode() for part in found.groups()) if found else ""


def report_of(bounce: Bounce, ours: Ours, now: datetime) -> DeliveryReported | None:
    """Return what a bounce reports of a reply of ours; nothing: it is still tried, or not ours."""
    if not (bounce.reply_id and bounce.failed and ours.door):
        return None
    return DeliveryReported.model_validate(
        {
            "reply_id": bounce.reply_id,
            "status": "failed",
            "outbound": ours.door,
            "code": bounce.code,
            "detail": "a bounce came back",
            "occurred_at": now,
        }
    )
