"""From a record of a file, whatever its columns are called, to the fields of a message."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from gateways.mail import fields_of
from schemas.printer import CHAT, EMAIL, PHONE
from schemas.vocabulary import Channel

ALIASES = {
    "external_id": "id ticket_id external_id message_id reference ref numero",
    "text": "text content body query message description texte contenu corps question",
    "subject": "subject objet sujet title titre",
    "channel": "channel canal source_channel",
    "customer_ref": "client_id customer_id client customer",
    "to": "to",
    "html": "html",
    "received_at": "received_at created_at date timestamp sent_at",
}
"""The columns of each field, the first that is filled wins; case, accents and `_` do not count."""
NAMES = {field: names.replace("_", "").split() for field, names in ALIASES.items()}
ADDRESSES = [
    "from",
    "sender",
    "email",
    "fromemail",
    "expediteur",
    "courriel",
    "phone",
    "telephone",
    "fromnumber",
    "numerotelephone",
]
CHANNELS = {
    word: channel
    for channel, words in {
        Channel.EMAIL: "email mail courriel mel",
        Channel.SMS: "sms texto text",
        Channel.CALL: "call phone telephone tel appel voice voix vocal",
        Channel.CHAT: "chat webchat livechat messagerie",
        Channel.TELEGRAM: "telegram",
    }.items()
    for word in words.split()
}
FITTING = {
    Channel.EMAIL: EMAIL,
    Channel.SMS: PHONE,
    Channel.CALL: PHONE,
    Channel.TELEGRAM: CHAT,
}
KINDS: dict[type, str] = {list: "a list", dict: "an object", bool: "true or false"}
DATES: tuple[Callable[[str], datetime], ...] = (
    datetime.fromisoformat,
    lambda text: datetime.strptime(text, "%d/%m/%Y"),  # noqa: DTZ007 - without zone is UTC
    lambda text: datetime.strptime(text, "%d/%m/%Y %H:%M"),  # noqa: DTZ007
    lambda text: datetime.strptime(text, "%d/%m/%Y %H:%M:%S"),  # noqa: DTZ007
)
EPOCH = re.compile(r"[0-9]{9,13}(\.[0-9]+)?")
WORD = re.compile(r"[^\W\d_][\w-]{0,19}")
FIRST_MILLISECONDS = 1e11
"""From here on an epoch counts milliseconds: as seconds it would be the year 5138."""


class Unusable(ValueError):  # noqa: N818 - it says why
    """A record that is no message; says why."""


def fields_from(record: object, channel: Channel) -> dict[str, Any]:
    """Return the fields that a record tells; `channel` is that of records that name none.

    Raises
    ------
    Unusable
        The record is no message.
    """
    match record:
        case bytes():
            return _mail(record)
        case str():
            return {"channel": channel, "text": record}
        case dict():
            return _columns(record, channel)
        case Unusable():
            raise record
    msg = f"a record is an object or a text, not {KINDS.get(type(record), 'a number or null')}"
    raise Unusable(msg)


def _mail(raw: bytes) -> dict[str, Any]:
    try:
        fields = {key: value for key, value in fields_of(raw).items() if value is not None}
    except Exception as error:  # noqa: BLE001 - a mail that no parser survives is one record
        msg = f"a mail that cannot be parsed ({type(error).__name__})"
        raise Unusable(msg) from None
    return fields | {"channel": Channel.EMAIL}


def _columns(record: Mapping[str, object], default: Channel) -> dict[str, Any]:
    filled: dict[str, object] = {}
    for name, value in record.items():
        if value is not None and not (isinstance(value, str) and not value.strip()):
            filled.setdefault(fold(name), value)
    fields: dict[str, Any] = {
        field: _text(field, found[0])
        for field, names in NAMES.items()
        if (found := [filled[name] for name in names if name in filled])
    }
    fields["subject"] = " ".join(fields.get("subject", "").splitlines())
    fields["channel"] = _channel(fields["channel"]) if "channel" in fields else default
    if "received_at" in fields:
        fields["received_at"] = moment_of(fields["received_at"])
    addresses = [_text("from", filled[name]) for name in ADDRESSES if name in filled]
    fields["sender"] = _sender(addresses, fields["channel"], known="customer_ref" in fields)
    return fields


@lru_cache(1024)
def fold(name: str) -> str:
    """Return a word as words are compared: no case, no accents, letters and digits only."""
    plain = unicodedata.normalize("NFKD", name.lower())
    return "".join(character for character in plain if character.isalnum())


def _text(field: str, value: object) -> str:
    if type(value) in KINDS:
        msg = f"{field}: a text is needed, not {KINDS[type(value)]}"
        raise Unusable(msg)
    return str(value) if field in {"text", "html"} else str(value).strip()


def _channel(word: str) -> Channel:
    if channel := CHANNELS.get(fold(word)):
        return channel
    # In a shifted column it may be a customer's sentence: only a word is told.
    told = repr(word) if WORD.fullmatch(word) else f"of {len(word)} characters"
    msg = f"unknown channel {told}"
    raise Unusable(msg)


def moment_of(text: str) -> datetime:
    """Read a date, whichever way it is written; without a zone it is UTC. Raises `Unusable`."""
    if EPOCH.fullmatch(text):
        count = float(text)
        return datetime.fromtimestamp(count / (1000 if count >= FIRST_MILLISECONDS else 1), UTC)
    for parse in DATES:
        try:
            moment = parse(text)
        except ValueError:
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    msg = "received_at: neither ISO 8601, dd/mm/yyyy hh:mm:ss, nor seconds since 1970"
    raise Unusable(msg)


def _sender(addresses: list[str], channel: Channel, *, known: bool) -> str | None:
    bare = [one.rpartition("<")[2].rstrip("> ") for one in addresses]
    fits = FITTING.get(channel)
    fitting = [one for one in bare if fits is None or fits.fullmatch(one)]
    # An address that does not fit goes on if nothing else tells who writes: the contract
    # says what is wrong with it.
    return next(iter(fitting or ([] if known else bare)), None)


def speaks(columns: Iterable[str]) -> bool:
    """Say whether one of the columns holds what customers write."""
    words = {*NAMES["text"], *NAMES["subject"], *NAMES["html"]}
    return any(fold(column) in words for column in columns)
