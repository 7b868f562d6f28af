"""The edge's routes for texts and calls, put together from settings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastapi import APIRouter

from services.settings import Settings
from services.settings_channels import TwilioSettings

if TYPE_CHECKING:  # loading the vendor's library takes a while, and most desks have none
    from gateways.twilio_forms import SignedForms


def forms_of(twilio: TwilioSettings) -> SignedForms:
    """Return what reads Twilio's forms."""
    from gateways.twilio_forms import SignedForms  # noqa: PLC0415

    secret = twilio.signing_secret.get_secret_value()
    return SignedForms(twilio.public_url, twilio.token.get_secret_value(), secret)


def telephone_routes(settings: Settings, publish: Any, accept: Any) -> list[APIRouter]:
    """Return the routes at which Twilio posts; none where it is not set."""
    if not settings.twilio.sid:
        return []
    from gateways.sms import text_reports, texts  # noqa: PLC0415 - loaded where Twilio is set

    forms = forms_of(settings.twilio)
    return [texts(forms, publish, accept), text_reports(forms, publish)]
