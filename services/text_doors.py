"""The door by which text messages leave, put together from settings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gateways.outbound import Letter
from services.settings_channels import TwilioSettings
from services.verdicts import JudgedOutbound
from storage import provider_errors
from storage.database import Database

if TYPE_CHECKING:  # loading the vendor's client takes a while, and most desks have none
    from gateways.twilio import Account, Sought


def account_of(twilio: TwilioSettings) -> Account:
    """Return who we are at Twilio."""
    from gateways.twilio import Account  # noqa: PLC0415

    return Account(
        twilio.sid,
        twilio.token.get_secret_value(),
        twilio.key,
        twilio.key_secret.get_secret_value(),
        twilio.url,
        twilio.timeout_s,
    )


def text_door(twilio: TwilioSettings, database: Database) -> JudgedOutbound | None:
    """Return the door for texts, or nothing where Twilio is not set."""
    if not twilio.sid:
        return None
    from gateways.sms import REPORTS  # noqa: PLC0415 - loaded where Twilio is set
    from gateways.twilio import From, Sought, TwilioOutbound  # noqa: PLC0415

    async def seek(reply_id: str) -> Sought | None:
        found = await database.read(provider_errors.seek, reply_id)
        if found is None:
            return None
        row, others = found
        letter = Letter(row.reply_id, row.channel, row.address, "", row.text, ours=row.ours)
        return Sought(letter, row.claimed_at or row.created_at, others)

    door = TwilioOutbound(
        account_of(twilio),
        From(twilio.ours, twilio.service, twilio.sender),
        twilio.public_url.rstrip("/") + REPORTS,
        seek,
        per_s=twilio.per_s,
        valid_s=twilio.valid_s,
    )
    return JudgedOutbound(door, database)
