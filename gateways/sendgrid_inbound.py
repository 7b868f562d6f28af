"""The route at which SendGrid's Inbound Parse posts mails, whole (raw) or taken apart (parsed).

SendGrid repeats what is answered 5xx for three days, then drops it in silence; 4xx it may drop at
once. So 4xx is for those who are not SendGrid. What cannot be understood is kept, and answered 200.
"""

from __future__ import annotations

import asyncio
import hmac
import json
import logging
import re
from base64 import b64decode
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse
from starlette.datastructures import FormData, Headers, UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from gateways.attachments import MAX_ATTACHMENTS
from gateways.html import text_of
from gateways.inbound_mail import address_in
from gateways.mail import WINDOWS_1252, fields_of
from gateways.mailroom import MailRoom
from gateways.reading import bounded
from gateways.sendgrid_signature import PublicKey
from schemas.errors import Unavailable
from schemas.printer import Attachment

log = logging.getLogger(__name__)

SOURCE = "sendgrid"
MAX_POST_BYTES = 40_000_000
"""SendGrid takes mails of up to 30 MB; files are posted as they are, the rest may repeat itself."""
MAX_FIELDS, MAX_FILES = 200, 2_000
PIECE = 1 << 18
CHARSETS = re.compile(
    "utf|us-ascii|ascii|iso|latin|windows|cp|koi8|gb|big5|euc|shift|mac", re.IGNORECASE
)
"""Python has codecs for other things than texts; one needs seconds for half a megabyte."""


@dataclass(frozen=True)
class Proof:
    """How SendGrid proves itself: a signature where `key` is set, else the secret."""

    key: PublicKey | None
    secret: str

    def may_post(self, request: Request) -> bool:
        """Say whether whoever asks may post, as far as that shows before the body is read."""
        if self.key:
            return True
        given = (request.query_params.get("secret", ""), *_password(request))
        return bool(self.secret) and any(
            hmac.compare_digest(each.encode(), self.secret.encode()) for each in given
        )


def _password(request: Request) -> tuple[str, ...]:
    kind, _, given = request.headers.get("Authorization", "").partition(" ")
    if kind.lower() != "basic":
        return ()
    try:
        return (b64decode(given).decode().partition(":")[2],)
    except ValueError:
        return ()


def inbound_route(proof: Proof, room: MailRoom) -> APIRouter:
    """Return the route."""
    router = APIRouter()

    @router.post("/callbacks/sendgrid/inbound", summary="Hand a mail in")
    async def take(request: Request) -> JSONResponse:
        if not proof.may_post(request):
            return JSONResponse({"detail": "the secret is not ours"}, 401)
        body = await bounded(request, MAX_POST_BYTES)
        if body is None:
            return JSONResponse({"detail": f"more than {MAX_POST_BYTES} bytes"}, 413)
        if proof.key and not proof.key.signed(request.headers, body):
            # Not 4xx: a key that was changed there and not here would lose mails.
            log.error("a post is not signed with ASTREINTE_SENDGRID_INBOUND_KEY: was it changed?")
            return JSONResponse({"detail": "the signature is not SendGrid's"}, 503)
        try:
            taken = await _take(request, body, room)
        except Unavailable as error:
            return JSONResponse({"detail": f"{error}; try again"}, 503, {"Retry-After": "5"})
        return JSONResponse({"taken": taken})

    return router


async def _take(request: Request, body: bytes, room: MailRoom) -> str:
    try:
        form = await form_of(request.headers.get("Content-Type", ""), body)
    except (MultiPartException, ValueError, KeyError) as error:
        return await room.keep(body, SOURCE, f"no form ({type(error).__name__})")
    try:
        if "email" in form:
            return await room.take(_bytes(form, "email"), SOURCE, _envelope(form))
        found = await _parsed(form, room)
        if found is None:
            return await room.keep(body, SOURCE, "a form without a mail")
        to = address_in(_bytes(form, "headers")) or _envelope(form)
        return await room.take_fields(found, body, SOURCE, to)
    finally:
        await form.close()


async def form_of(content_type: str, body: bytes) -> FormData:
    """Return a form whose texts are bytes, one for each character.

    Its fields have charsets of their own, told in another field. Read as UTF-8, what is not would
    be lost; Latin-1 loses nothing and gives the bytes back.
    """

    async def pieces() -> AsyncGenerator[bytes, None]:
        for start in range(0, len(body), PIECE):
            yield body[start : start + PIECE]
            await asyncio.sleep(0)  # 30 MB at once would hold up everybody else

    parser = MultiPartParser(
        Headers({"Content-Type": f"{content_type}; charset=latin-1"}),
        pieces(),
        max_files=MAX_FILES,
        max_fields=MAX_FIELDS,
        max_part_size=MAX_POST_BYTES,
    )
    return await parser.parse()


def _bytes(form: FormData, name: str) -> bytes:
    given = form.get(name, "")
    return given.encode("latin-1", "replace") if isinstance(given, str) else b""


def _json(form: FormData, name: str) -> dict[str, Any]:
    try:
        found = json.loads(_bytes(form, name).decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _envelope(form: FormData) -> str:
    to = _json(form, "envelope").get("to")
    return str(to[0])[:320] if isinstance(to, list) and to else ""


def _text(form: FormData, name: str) -> str:
    charset = str(_json(form, "charsets").get(name))
    data = _bytes(form, name)
    try:
        text = data.decode(charset if CHARSETS.match(charset) else "utf-8")
    except (LookupError, ValueError):
        text = data.decode("utf-8", WINDOWS_1252)
    # Half a surrogate pair, or a NUL, is no text: neither a database nor JSON takes it.
    return text.encode("utf-8", "replace").decode().replace("\0", " ")


async def _parsed(form: FormData, room: MailRoom) -> dict[str, Any] | None:
    """Return the fields of a mail that SendGrid took apart; nothing: there is none."""
    head = _bytes(form, "headers")
    if not (head or _bytes(form, "from")):
        return None
    found = await asyncio.to_thread(fields_of, head.strip() + b"\r\n\r\n")
    if not found["external_id"].startswith("<"):  # its digest would be of the head alone
        parts = b"\0".join(_bytes(form, name) for name in ("headers", "from", "text", "html"))
        found["external_id"] = sha256(parts).hexdigest()
    sender = fields_of(b"From: " + " ".join(_text(form, "from").split()).encode() + b"\r\n\r\n")
    found["sender"] = found["sender"] or sender["sender"]
    found["subject"] = " ".join(_text(form, "subject").split())[:998] or found["subject"]
    text = _text(form, "text")
    found["text"] = text if text.strip() else text_of(_text(form, "html"))
    files = [each for _, each in form.multi_items() if isinstance(each, UploadFile)]
    found["attachments"] = tuple(
        [await _keep(room, each) for each in islice(files, MAX_ATTACHMENTS)]
    )
    return found


async def _keep(room: MailRoom, file: UploadFile) -> Attachment:
    data = await file.read()
    name = (file.filename or "").encode("latin-1", "replace").decode("utf-8", WINDOWS_1252)
    claimed = Attachment(
        name=" ".join(name.replace("\0", " ").split())[:998],
        content_type=" ".join((file.content_type or "").split())[:200],
        size_bytes=len(data),
        reference="",
    )
    return await asyncio.to_thread(room.files.keep, claimed, data)
