"""Alarms taken on from where they were read: a link in a mail, a key pressed in a call.

Neither needs the record: a link says itself, signed, what is taken on and by whom, and Twilio signs
the URL at which a key comes in. Machines that look through mails open links: only the button on the
page takes an alarm on.
"""

from __future__ import annotations

import html
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode
from uuid import uuid5

from fastapi import APIRouter, Request, Response
from fastapi.responses import HTMLResponse
from pydantic import ValidationError
from twilio.twiml.voice_response import VoiceResponse

from gateways.tokens import Tokens
from gateways.twilio_forms import SignedForms, twiml
from gateways.voice import LOCALE
from schemas.errors import Rejected, Unavailable
from schemas.event import ASTREINTE
from schemas.frigo import FeedbackGiven
from schemas.vocabulary import Language

LINKS = "/alerts/take"
KEYS = "/callbacks/twilio/alarm"
AUDIENCE = "alarm"
LASTS = timedelta(days=3)
"""A link in a mail: longer than a weekend."""
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Robots-Tag": "noindex",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'",
}

_PAGE = """<!doctype html><html lang="{lang}"><meta charset="utf-8">
<meta name="viewport" content="width=device-width"><title>Astreinte</title>
<style>body{{font:18px system-ui;max-width:30em;margin:3em auto;padding:0 1em}}
button{{font:inherit;padding:.6em 1.2em}}</style><h1>Astreinte</h1><p>{said}</p>{form}</html>"""
_FORM = '<form method="post"><button>{label}</button></form>'
_ASK = {
    Language.FR: ("{who}, prenez-vous en charge l'alarme de {unit} ?", "Je m'en occupe"),
    Language.EN: ("{who}, do you take on the alarm of {unit}?", "I take it"),
}
_DONE = {
    Language.FR: "Merci {who}, c'est noté : vous vous occupez de {unit}.",
    Language.EN: "Thank you {who}, noted: you look after {unit}.",
}
_LAPSED = "Ce lien n'est plus valable. / This link is no longer valid."
_LATER = "Rien n'est noté : réessayez dans un instant. / Nothing is noted: try again in a moment."
_KEYED = {
    Language.FR: ("Merci, c'est noté : vous vous en occupez. Au revoir.", "Ce n'est pas noté."),
    Language.EN: ("Thank you, noted: you look after it. Goodbye.", "It is not noted."),
}

Publish = Callable[[FeedbackGiven], Awaitable[None]]


@dataclass(frozen=True)
class Taking:
    """What is taken on, by whom, and how they are spoken to."""

    episode: str
    unit: str
    by: str
    lang: str = Language.FR.value

    @classmethod
    def of(cls, given: Mapping[str, object]) -> Taking:
        """Read it from a URL or a token."""
        names = ("episode", "unit", "by", "lang")
        return cls(*(str(given.get(name, ""))[:255] for name in names))

    @property
    def query(self) -> str:
        """It, in a URL."""
        return urlencode(asdict(self))

    @property
    def language(self) -> Language:
        """Its language."""
        return Language.EN if self.lang == Language.EN.value else Language.FR

    def event(self, via: str, identity: str, now: datetime) -> FeedbackGiven:
        """Return it as an event, the same for the same `identity`.

        Raises
        ------
        ValidationError
            It names nothing.
        """
        name = uuid5(ASTREINTE, f"taken on by {via} {identity}")
        said = {"episode_id": self.episode, "unit_id": self.unit, "by": self.by, "via": via}
        return FeedbackGiven.model_validate(
            said
            | {"event_id": name, "trace_id": name.hex, "action": "acknowledge", "occurred_at": now}
        )


class Links:
    """Makes links and reads them; `url`: the edge's public one, `secret` signs (HMAC-SHA256)."""

    def __init__(self, url: str, secret: str) -> None:
        self._url = url.rstrip("/")
        self._tokens = Tokens(secret, AUDIENCE, LASTS, ("episode", "unit", "by"))

    def link(self, taking: Taking) -> str:
        """Return a link; it lapses."""
        return f"{self._url}{LINKS}?token={self._tokens.make(asdict(taking))}"

    def read(self, token: str) -> Taking:
        """Return what a link is for.

        Raises
        ------
        Rejected
            It is none of ours, or has lapsed.
        """
        return Taking.of(self._tokens.read(token))


def links(made: Links, publish: Publish) -> APIRouter:
    """Return the routes of links in mails."""
    router = APIRouter()

    @router.get(LINKS, summary="Ask who opens a link in a mail")
    async def ask(token: str = "") -> Response:
        try:
            taking = made.read(token)
        except Rejected:
            return _page(_LAPSED, status=410)
        question, label = _ASK[taking.language]
        said = question.format(who=taking.by, unit=taking.unit)
        return _page(said, taking.language, form=_FORM.format(label=label))

    @router.post(LINKS, summary="Take an alarm on, from a mail")
    async def take(token: str = "") -> Response:
        try:
            taking = made.read(token)
            await publish(taking.event("mail", token, datetime.now(UTC)))
        except Rejected:
            return _page(_LAPSED, status=410)
        except Unavailable:
            return _page(_LATER, status=503)
        said = _DONE[taking.language].format(who=taking.by, unit=taking.unit)
        return _page(said, taking.language)

    return router


def _page(
    said: str, language: Language = Language.FR, *, form: str = "", status: int = 200
) -> Response:
    page = _PAGE.format(lang=language.value, said=html.escape(said), form=form)
    return HTMLResponse(page, status, HEADERS)


def keys(forms: SignedForms, publish: Publish) -> APIRouter:
    """Return the route at which Twilio says which key was pressed."""
    router = APIRouter()

    @router.post(KEYS, summary="Take an alarm on, by a key in a call")
    async def pressed(request: Request) -> Response:
        form = await forms.read(request)
        if isinstance(form, Response):
            return form
        taking = Taking.of(request.query_params)
        yes, no = _KEYED[taking.language]
        said = no
        if form.get("Digits") == "1":
            try:
                await publish(taking.event("call", form.get("CallSid", ""), datetime.now(UTC)))
                said = yes
            except (Unavailable, ValidationError):
                said = no  # who hears it may call; and the alarm goes on to the next one
        answer = VoiceResponse()
        answer.say(said, language=LOCALE[taking.language])
        answer.hangup()
        return twiml(str(answer))

    return router
