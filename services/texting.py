"""Replies as text messages: in the cheaper alphabet, counted; who calls and gets one. Pure."""

from __future__ import annotations

from typing import Any

import phonenumbers
from phonenumbers import PhoneNumberType

from knowledge.segments import in_plain_letters, segments
from schemas.vocabulary import Action, Channel, SendStatus

BY_TEXT = (Channel.SMS, Channel.CALL)
"""Channels that are answered by text message: whoever calls a machine is not called back by one."""

FRANCE = 33


def fitted(row: dict[str, Any], text_door: str = "twilio") -> dict[str, Any]:
    """Return the outbox row of a reply as a text message, where it is one.

    Whoever calls is answered by text when a text reaches the telephone; else a person calls back.
    """
    by_phone = row["channel"] == Channel.CALL.value
    leaves = row["status"] == SendStatus.QUEUED.value and row["outbound"] == text_door
    if by_phone and leaves and not takes_texts(row["address"]):
        called_back = {"action": Action.HANDOFF.value, "reason": "call_back", "outbound": ""}
        return row | called_back | {"status": SendStatus.NONE.value}
    if row["channel"] != Channel.SMS.value and not (by_phone and leaves):
        return row
    text = in_plain_letters(row["text"])
    return row | {"text": text, "segments": segments(text).count}


def takes_texts(number: str) -> bool:
    """Say whether a number may be a mobile: in North America they look like any other."""
    try:
        found = phonenumbers.parse(number, "FR")
    except phonenumbers.NumberParseException:
        return False
    # French plan: 06 and 07, blocks that are not given out yet or never (for films) included.
    french = found.country_code == FRANCE and str(found.national_number)[0] in "67"
    kinds = {PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE}
    return french or phonenumbers.number_type(found) in kinds
