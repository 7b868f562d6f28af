"""From the bytes of a mail (RFC 5322) to the fields of an inbound message. Nothing is fetched."""

from __future__ import annotations

import codecs
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import EmailPolicy
from email.utils import parsedate_to_datetime
from hashlib import sha256
from itertools import islice
from typing import Any, TypeVar, cast

from gateways.attachments import Keep
from gateways.html import text_of
from schemas.printer import EMAIL, Attachment

AUTOMATIC = frozenset(
    [
        "auto-submitted",
        "precedence",
        "x-auto-response-suppress",
        "list-id",
        "list-unsubscribe",
        "return-path",
        "x-autoreply",
        "x-autorespond",
        "x-loop",
    ]
)
"""The headers that tell automatic mail; so does the content type of a report (RFC 3834, 6522)."""

MAX_LINE = 998
MAX_HEADER = 8_192
"""Read of one header: the standard parser needs minutes for one of a megabyte."""
MAX_IDENTIFIER = 255
MAX_PART_HEADER = 1_000
MAX_PARTS = 500
MAX_ATTACHMENTS = 50
MAX_REFERENCES = 200
RANK = {"text/plain": 0, "text/html": 1}
MESSAGE_ID = re.compile(r"<[^<>\s]{1,996}>")
WINDOWS_1252 = "astreinte.windows-1252"
NO_CHARSETS = frozenset({"idna", "punycode", "unicode_escape", "raw_unicode_escape"})
"""Python's codecs for other things than mail; one needs seconds for half a megabyte."""
T = TypeVar("T")


class _Bounded(EmailPolicy):
    """The standard policy, which reads so much of a header and no more."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        of_part = name.lower().startswith("content-")
        return name, value[: MAX_PART_HEADER if of_part else MAX_HEADER]


def fields_of(raw: bytes, keep: Keep | None = None) -> dict[str, Any]:
    """Read a mail, for all that can be read of it, whatever its sender may have written.

    Parameters
    ----------
    raw
        The mail as it came: head, empty line, body.
    keep
        What to do with the files that came along; without it they are only named.

    Returns
    -------
    The fields of `InboundMessage` save `channel`; the value of what the mail does not tell is
    None, such as `received_at` of a mail without a date of this century.

    Raises
    ------
    RecursionError
        Mails within mails, hundreds deep.
    """
    mail = cast("EmailMessage", BytesParser(EmailMessage, policy=_Bounded()).parsebytes(raw))
    digest = sha256(raw).hexdigest()
    parts = list(islice(_leaves(mail), MAX_PARTS))
    own_id = _line(_header(mail, "message-id"))
    answered = MESSAGE_ID.search(_raw(mail, "in-reply-to"))
    return {
        "external_id": own_id if 0 < len(own_id) <= MAX_IDENTIFIER else digest,
        "sender": _address(mail, "from"),
        "to": _address(mail, "to"),
        "subject": _line(_header(mail, "subject")),
        "text": _body(parts),
        "attachments": tuple(islice(_attachments(parts, f"eml:{digest}", keep), MAX_ATTACHMENTS)),
        "in_reply_to": answered[0] if answered else None,
        "references": tuple(MESSAGE_ID.findall(_raw(mail, "references")))[-MAX_REFERENCES:],
        "headers": dict(_telling(mail)),
        "received_at": _date(_header(mail, "date")),
    }


def _safely(read: Callable[[], T], default: T) -> T:
    # The standard parser still raises on some malformed heads: IndexError, AttributeError …
    try:
        return read()
    except Exception:  # noqa: BLE001
        return default


def as_windows_1252(error: UnicodeError) -> tuple[str, int]:
    """Read the bytes that are no UTF-8 as Windows-1252: a handler for `codecs.register_error`.

    One bad byte does not spoil the rest, and an old export is read whole.
    """
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return error.object[error.start : error.end].decode("cp1252"), error.end


codecs.register_error(WINDOWS_1252, as_windows_1252)


def _decode(data: bytes, charset: str = "utf-8") -> str:
    if charset.lower().replace("-", "_") in NO_CHARSETS:
        charset = "utf-8"
    for known, errors in ((charset, "strict"), ("utf-8", WINDOWS_1252)):
        try:
            return _whole(data.decode(known, errors))
        except (LookupError, ValueError):
            continue
    return data.decode("utf-8", "replace")


def _whole(text: str) -> str:
    # Half a surrogate pair is no text: neither a database nor JSON takes it.
    return text.encode("utf-8", "replace").decode()


def _raw(mail: EmailMessage, name: str) -> str:
    found = next((value for key, value in mail.raw_items() if key.lower() == name), "")
    return _decode(str(found).encode("utf-8", "surrogateescape"))


def _header(mail: EmailMessage, name: str) -> str:
    raw = _raw(mail, name)
    return _safely(lambda: _whole(str(mail.policy.header_fetch_parse(name, raw))), raw)


def _line(text: str) -> str:
    return re.sub(r"[\x00\r\n]+", " ", text).strip()[:MAX_LINE]


def _address(mail: EmailMessage, name: str) -> str | None:
    raw = _raw(mail, name)
    parsed: Any = _safely(lambda: mail.policy.header_fetch_parse(name, raw), None)
    found: list[str] = _safely(lambda: [each.addr_spec for each in parsed.addresses], [])
    valid = (address for address in found if EMAIL.fullmatch(address))
    written = EMAIL.search(raw[:MAX_LINE])
    # What is no address goes on as it is: the contract says what is wrong with it.
    return _line(next(valid, written[0] if written else _whole(raw))) or None


def _date(text: str) -> datetime | None:
    said = _safely(lambda: parsedate_to_datetime(text), None)
    if said is None:
        return None
    moment = said if said.tzinfo else said.replace(tzinfo=UTC)
    utc = _safely(lambda: moment.astimezone(UTC), None)
    return utc if utc and 2000 <= utc.year < 2100 else None  # noqa: PLR2004 - as the contract


def _telling(mail: EmailMessage) -> Iterator[tuple[str, str]]:
    names = {name.lower() for name in mail.keys()} & AUTOMATIC  # noqa: SIM118 - not a dict
    for name in sorted(names):
        yield name, _line(_header(mail, name))[:500]
    if _safely(mail.get_content_type, "") == "multipart/report":
        yield "content-type", _line(_raw(mail, "content-type"))[:500]


def _leaves(mail: EmailMessage) -> Iterator[EmailMessage]:
    # Down to a forwarded mail, not into it: its text is another's.
    waiting: list[Any] = [mail]
    while waiting:
        part = waiting.pop()
        if part.is_multipart() and _kind(part).startswith("multipart/"):
            waiting.extend(reversed(part.get_payload()))
        else:
            yield part


def _kind(part: EmailMessage) -> str:
    return _safely(part.get_content_type, "text/plain")


def _attached(part: EmailMessage) -> bool:
    by_name = _safely(part.is_attachment, False) or _safely(part.get_filename, None)  # noqa: FBT003
    return bool(by_name) or not _kind(part).startswith(("text/", "multipart/"))


def _payload(part: EmailMessage) -> bytes:
    data = _safely(lambda: part.get_payload(decode=True), None)
    return data if isinstance(data, bytes) else _safely(part.as_bytes, b"")


def _text(part: EmailMessage) -> str:
    charset = _safely(lambda: part.get_content_charset("utf-8"), "utf-8")
    text = _decode(_payload(part), charset).replace("\r\n", "\n")
    return text_of(text) if _kind(part) == "text/html" else text


def _body(parts: list[EmailMessage]) -> str:
    shown = [part for part in parts if not _attached(part)]
    # Last, a `multipart/…` without a single part: a torn mail, whose text is kept.
    ranked = sorted(shown, key=lambda part: RANK.get(_kind(part), len(RANK)))
    return next((text for part in ranked if (text := _text(part)).strip()), "")


def _attachments(
    parts: list[EmailMessage], reference: str, keep: Keep | None
) -> Iterator[Attachment]:
    for number, part in enumerate(filter(_attached, parts), 1):
        name = _whole(str(_safely(part.get_filename, None) or f"attachment-{number}"))
        data = _payload(part)
        found = Attachment(
            name=_line(name),
            content_type=_line(_kind(part)),
            size_bytes=len(data),
            reference=reference,
        )
        yield keep(found, data) if keep else found
