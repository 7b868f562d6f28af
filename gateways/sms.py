"""Text messages by Twilio: what customers write, and what became of what they were sent."""

from __future__ import annotations

import logging
import mimetypes
import re
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid5

from fastapi import APIRouter, Request, Response
from pydantic import ValidationError
from twilio.twiml.messaging_response import MessagingResponse

from gateways.twilio_forms import Form, SignedForms, refused, twiml
from schemas.delivery import DeliveryReported
from schemas.errors import Rejected, Unavailable, reason_of
from schemas.event import ASTREINTE
from schemas.printer import PHONE, Attachment, InboundMessage
from schemas.vocabulary import Channel

log = logging.getLogger(__name__)

NAME = "twilio"
TEXTS = "/callbacks/twilio/sms"
REPORTS = "/callbacks/twilio/status"
MAX_MEDIA = 10
"""Of one message, as Twilio has it."""

STATUS = {
    **dict.fromkeys(("accepted", "scheduled", "queued", "sending", "sent"), "sent"),
    **dict.fromkeys(("delivered", "read"), "delivered"),
    **dict.fromkeys(("undelivered", "failed", "canceled"), "failed"),
}
"""Twilio's words for what became of a text, in ours: `sent` is in their hands. Reports overtake one
another: dispatch goes from sent to delivered or failed, and never back."""

_UNREADABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")

Publish = Callable[[InboundMessage], Awaitable[None]]
Accept = Callable[[InboundMessage], Awaitable[bool]]
Answer = Callable[[InboundMessage], Awaitable[str]]
Report = Callable[[DeliveryReported], Awaitable[None]]


def texts(
    forms: SignedForms, publish: Publish, accept: Accept, answer: Answer | None = None
) -> APIRouter:
    """Return the route at which Twilio hands texts in; `publish` and `accept` as the edge's own.

    `answer` sees each first, and says what those hear whose text is no message of a customer.
    """
    router = APIRouter()

    @router.post(TEXTS, summary="Hand a text message in, as Twilio does")
    async def take(request: Request) -> Response:
        form = await forms.read(request)
        if isinstance(form, Response):
            return form
        try:
            message = InboundMessage.model_validate(written(form, datetime.now(UTC)))
        except ValidationError as error:
            # Signed, so Twilio's: a refusal would only be counted as an error there.
            log.warning("passed over a text of Twilio's: %s", reason_of(error))
            return twiml()
        try:
            said = await answer(message) if answer else ""
        except Unavailable as error:
            return refused(503, f"{error}; try again")
        if said:
            reply = MessagingResponse()
            reply.message(said)
            return twiml(str(reply))
        return await handed_in(message, publish, accept) or twiml()

    return router


async def handed_in(message: InboundMessage, publish: Publish, accept: Accept) -> Response | None:
    """Put a message on the road; return an answer only when it could not be taken."""
    try:
        if await accept(message):
            await publish(message)
    except Rejected as error:
        return refused(413, str(error))
    except Unavailable as error:
        return refused(503, f"{error}; try again")
    return None


def written(form: Form, now: datetime) -> dict[str, Any]:
    """Return a text as the fields of an inbound message."""
    sender = form.get("From", "").strip()
    media = _media(form)
    text = _UNREADABLE.sub("", form.get("Body", ""))
    said: dict[str, Any] = {"from": sender}
    if not PHONE.fullmatch(sender):
        # A name (« Amazon »): a robot's, and nobody can write back to it.
        said = {"customer_ref": sender or None, "headers": {"auto-submitted": "auto-generated"}}
    if opted := form.get("OptOutType", ""):
        said["headers"] = {"x-twilio-opt-out-type": opted[:20]}
    return said | {
        "channel": Channel.SMS,
        "external_id": form.get("MessageSid") or form.get("SmsSid", ""),
        "to": form.get("To", "").strip(),
        "text": text if text.strip() or not media else "(image ou fichier, sans texte)",
        "attachments": media,
        "received_at": now,
    }


def _media(form: Form) -> list[Attachment]:
    """Return what came along, by its address at Twilio: nothing is fetched here."""
    counted = form.get("NumMedia", "0")
    count = min(int(counted), MAX_MEDIA) if re.fullmatch("[0-9]{1,3}", counted) else 0
    found = []
    for place in range(count):
        url, kind = (form.get(f"Media{what}{place}", "") for what in ("Url", "ContentType"))
        if re.fullmatch(r"https?://\S{1,900}", url) and re.fullmatch(r"[\w.+-]+/[\w.+-]+", kind):
            name = f"media{place}{mimetypes.guess_extension(kind) or ''}"
            found.append(Attachment(name=name, content_type=kind, size_bytes=0, reference=url))
    return found


def text_reports(forms: SignedForms, report: Report) -> APIRouter:
    """Return the route at which Twilio reports what became of a text."""
    router = APIRouter()

    @router.post(REPORTS, summary="Report what became of a text message, as Twilio does")
    async def take(request: Request, reply_id: str = "") -> Response:
        form = await forms.read(request)
        if isinstance(form, Response):
            return form
        event = reported(form, reply_id, datetime.now(UTC))
        if event is None:
            return Response(status_code=204)  # of another's text, or a word that is newer than we
        try:
            await report(event)
        except Unavailable as error:
            return refused(503, f"{error}; try again")
        return Response(status_code=204)

    return router


def reported(form: Form, reply_id: str, now: datetime) -> DeliveryReported | None:
    """Return what a status callback tells of a reply of ours; nothing: none of ours."""
    status = STATUS.get(form.get("MessageStatus") or form.get("SmsStatus", ""))
    sid, code = form.get("MessageSid", ""), form.get("ErrorCode", "")
    try:
        reply = UUID(reply_id)
        if status is None:
            return None
        # A reply that is tried again is another message there: its reports are other events.
        what = f"report {NAME}:{reply}:{sid}:{status}"
        identity = uuid5(ASTREINTE, what)
        return DeliveryReported.model_validate(
            {
                "event_id": identity,
                "trace_id": identity.hex,
                "occurred_at": now,
                "reply_id": reply,
                "status": status,
                "outbound": NAME,
                "provider_id": sid,
                "code": code,
            }
        )
    except ValueError:
        return None
