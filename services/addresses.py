"""One spelling for all ways to write an address or a number. Pure."""

from __future__ import annotations

import re
import unicodedata

import phonenumbers

from schemas.vocabulary import Channel

_KINDS = {
    Channel.SMS: "tel",
    Channel.CALL: "tel",
    Channel.EMAIL: "mailto",
    Channel.TELEGRAM: "telegram",
}


def spelling(channel: Channel, address: str) -> str:
    """Return one spelling with its kind, as contacts and consent have it: `tel:+33612345678`."""
    kind = _KINDS.get(channel, "chat")
    return f"{kind}:{plain(channel, address)}"


def plain(channel: Channel, address: str) -> str:
    """Return one spelling without its kind, as suppressions have it."""
    if channel in {Channel.SMS, Channel.CALL}:
        return _number(address)
    # An é may be one character or an e and its accent: they look the same, and are to mean it.
    return unicodedata.normalize("NFC", address.strip().lower())


def line_of(channel: Channel, ours: str, theirs: str) -> tuple[str, str]:
    """Return between which addresses or numbers a message goes, as consent has them."""
    return spelling(channel, ours)[:340], spelling(channel, theirs)[:340]


def _number(address: str) -> str:
    digits = re.sub(r"[^\d+]", "", address)
    try:
        number = phonenumbers.parse(digits, "FR")
    except phonenumbers.NumberParseException:
        return digits
    if not phonenumbers.is_possible_number(number):
        return digits  # short codes have no international form
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
