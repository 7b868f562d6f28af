"""The edge's routes for texts and calls, put together from settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter

from knowledge.wording import load_wording
from schemas.printer import InboundMessage
from schemas.vocabulary import Language
from services import tracing
from services.neighbours import Neighbours
from services.settings import Settings
from services.settings_channels import TwilioSettings
from services.text_doors import account_of
from services.texting import takes_texts

if TYPE_CHECKING:  # loading the vendor's library takes a while, and most desks have none
    from gateways.recordings import Recordings
    from gateways.twilio_forms import SignedForms


def forms_of(twilio: TwilioSettings) -> SignedForms:
    """Return what reads Twilio's forms."""
    from gateways.twilio_forms import SignedForms  # noqa: PLC0415

    secret = twilio.signing_secret.get_secret_value()
    return SignedForms(twilio.public_url, twilio.token.get_secret_value(), secret)


def telephone_routes(
    settings: Settings, publish: Any, accept: Any, answer: Any = None
) -> list[APIRouter]:
    """Return the routes at which Twilio posts; none where it is not set."""
    if not settings.twilio.sid:
        return []
    from gateways.sms import text_reports, texts  # noqa: PLC0415 - loaded where Twilio is set
    from gateways.voice import Telephone, calls  # noqa: PLC0415

    forms, voice = forms_of(settings.twilio), settings.voice
    telephone = Telephone(spoken(settings), voice.in_english, bool(voice.model), takes_texts)
    return [
        texts(forms, publish, accept, answer),
        text_reports(forms, publish),
        calls(forms, telephone, publish, accept),
    ]


def spoken(settings: Settings) -> dict[Language, dict[str, str]]:
    """Return what callers hear, by language and name."""
    own = settings.dispatch
    contact = f" ({own.contact})" if own.contact else ""
    return {
        language: {
            name: sentence.format(signature=own.signature, contact=contact)
            for name, sentence in load_wording().of(language).voice.items()
        }
        for language in Language
    }


def recordings_of(near: Neighbours) -> Recordings | None:
    """Return what hears the recordings of calls; nothing where Twilio listens itself.

    Raises
    ------
    Unavailable
        The folder holds no model.
    """
    voice, twilio = near.settings.voice, near.settings.twilio
    if voice.model is None:
        return None
    from ai.speech import Listener  # noqa: PLC0415 - where a model is set
    from gateways.heard import Heard  # noqa: PLC0415
    from gateways.recordings import Recordings  # noqa: PLC0415

    listener = Listener(voice.model, voice.threads)

    async def hear(audio: bytes) -> Heard:
        heard = await listener.hear(audio)
        return Heard(heard.text, heard.confidence, "recorded")

    async def publish(message: InboundMessage) -> None:
        await near.teller.tell([message], "bridge")
        tracing.told("bridge", [message])

    return Recordings(account_of(twilio), twilio.ours, hear, publish)
