"""Forms that Twilio posts, signed: read within bounds, checked before anything is believed.

The signature covers the public URL with its query, and every field. Twilio signs with the account's
auth token and SHA-1, or with a shared key and SHA-256 (`X-Twilio-Webhooks-Signature-Settings` says
which). It covers no time: a form that comes again is known by its MessageSid or CallSid.
"""

from __future__ import annotations

import hmac
from urllib.parse import parse_qsl, urlparse

from fastapi import Request, Response
from starlette.datastructures import ImmutableMultiDict
from twilio.request_validator import (
    HMAC_SHA1,
    HMAC_SHA256,
    SIGNATURE_HEADER,
    SIGNATURE_SETTINGS_HEADER,
    RequestValidator,
    add_port,
    get_signature_algorithm,
    remove_port,
)

from gateways.reading import bounded

MAX_FORM_BYTES = 131_072
"""Twilio's longest: 1,600 characters of text, 12 bytes each at most, and ten addresses of media."""
MAX_FIELDS = 500
EMPTY_TWIML = '<?xml version="1.0" encoding="UTF-8"?><Response/>'

Form = ImmutableMultiDict[str, str]


def twiml(body: str = EMPTY_TWIML) -> Response:
    """Return an answer that Twilio acts on; empty: it does nothing."""
    return Response(body, media_type="text/xml")


def refused(status: int, detail: str) -> Response:
    """Return an answer that says why nothing was taken."""
    retry = {"Retry-After": "5"} if status == 503 else None  # noqa: PLR2004 - a status
    return Response(f"{detail}\n", status, retry, media_type="text/plain")


class SignedForms:
    """Reads what Twilio posts to `public_url` and below.

    `token` is the account's; `signing_secret` the shared key's, empty where there is none.
    """

    def __init__(self, public_url: str, token: str, signing_secret: str = "") -> None:
        self._public_url = public_url.rstrip("/")
        self._validators = {HMAC_SHA1: RequestValidator(token)}
        if signing_secret:
            self._validators[HMAC_SHA256] = RequestValidator(signing_secret)

    def url(self, path: str, query: str = "") -> str:
        """Return the public URL of a route."""
        return f"{self._public_url}{path}" + (f"?{query}" if query else "")

    def signature(self, path: str, form: dict[str, str]) -> str:
        """Return how Twilio signs a form for a route, with the account's token."""
        return str(self._validators[HMAC_SHA1].compute_signature(self.url(path), form))

    async def read(self, request: Request) -> Form | Response:
        """Return the form; an answer that refuses it when it is too large or not signed by them."""
        raw = await bounded(request, MAX_FORM_BYTES)
        if raw is None:
            return refused(413, f"more than {MAX_FORM_BYTES} bytes")
        try:
            pairs = parse_qsl(
                raw.decode("ascii"),
                keep_blank_values=True,
                errors="strict",
                max_num_fields=MAX_FIELDS,
            )
        except ValueError:  # not what Twilio sends: a form in UTF-8, percent-encoded
            return refused(403, "not a form of Twilio's")
        form = Form(pairs)
        if not self._is_signed(request, form):
            return refused(403, "the signature is not Twilio's for this URL")
        return form

    def _is_signed(self, request: Request, form: Form) -> bool:
        settings = request.headers.get(SIGNATURE_SETTINGS_HEADER, "")
        algorithm = get_signature_algorithm(settings).upper()
        validator = self._validators.get(algorithm)
        if validator is None:
            return False
        given = request.headers.get(SIGNATURE_HEADER, "").encode()
        query = request.scope["query_string"].decode("latin-1")
        # Twilio signs with the port or without; the library's own comparison is not constant.
        url = urlparse(self.url(request.scope["path"], query))
        return any(
            hmac.compare_digest(validator.compute_signature(u, form, algorithm).encode(), given)
            for u in (remove_port(url), add_port(url))
        )
