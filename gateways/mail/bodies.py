"""The text of a mail: which of its parts are read, and how."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from email.message import EmailMessage
from typing import Any, TypeVar

from gateways.html import text_of
from gateways.mail.charsets import decoded
from gateways.mail.reply import split
from schemas.printer import InboundMessage
from schemas.vocabulary import Channel

MAX_PARTS = 500
MAX_HTML = 2 * 2**20
"""Characters of an HTML part that are read; longer ones hold their images within."""
MAX_TEXT = 2 * 2**20
STUB = 5
"""A plain part with so many times fewer words than the HTML one only says that there is one."""
MIN_WORDS = 30
T = TypeVar("T")


def safely(read: Callable[[], T], default: T) -> T:
    """Return what the standard parser reads, or the default where it still raises."""
    try:
        return read()
    except Exception:  # noqa: BLE001 - IndexError, AttributeError … on malformed heads
        return default


def leaves(mail: EmailMessage) -> Iterator[EmailMessage]:
    """Return the parts of a mail, down to a forwarded mail, not into it: its text is another's."""
    waiting: list[Any] = [mail]
    while waiting:
        part = waiting.pop()
        if part.is_multipart() and kind_of(part).startswith("multipart/"):
            waiting.extend(reversed(part.get_payload()))
        else:
            yield part


def kind_of(part: EmailMessage) -> str:
    """Return the content type that a part says it has."""
    return safely(part.get_content_type, "text/plain")


def param_of(part: EmailMessage, name: str) -> str:
    """Return a parameter of a part's content type, in small letters."""
    return safely(lambda: str(part.get_param(name) or ""), "").lower()


def is_attached(part: EmailMessage) -> bool:
    """Say whether a part is a file rather than text to read."""
    by_name = safely(part.is_attachment, False) or safely(part.get_filename, None)  # noqa: FBT003
    return bool(by_name) or not kind_of(part).startswith(("text/", "multipart/"))


def payload_of(part: EmailMessage) -> bytes:
    """Return a part's bytes, its transfer encoding undone."""
    data = safely(lambda: part.get_payload(decode=True), None)
    return data if isinstance(data, bytes) else safely(part.as_bytes, b"")


def body_of(parts: list[EmailMessage]) -> str:
    """Return the text of a mail.

    Some programs cut a text at each image: all plain parts are joined. The HTML part is taken
    where there is no plain one, where that only says so, or where a quotation is marked in HTML
    alone.
    """
    shown = [part for part in parts if not is_attached(part)]
    plain = _all(shown, "text/plain")
    pages = [part for part in shown if kind_of(part) == "text/html"]
    rich = "\n".join(filter(None, (_page(part) for part in pages)))
    if rich.strip() and (not plain.strip() or _says_more(rich, plain)):
        return rich
    # Last, what is neither: a torn mail, whose text is kept.
    others = (_text(part) for part in shown if kind_of(part) not in {"text/plain", "text/html"})
    return plain if plain.strip() else next((text for text in others if text.strip()), plain)


def written_now(message: InboundMessage) -> str:
    """Return what the author of a message wrote now; of a mail, without what it quotes."""
    text = message.text if _is_seen(message.text) else text_of(message.html)
    return split(text).reply if message.channel is Channel.EMAIL else text


def _is_seen(text: str) -> bool:
    return any(sign.isprintable() and not sign.isspace() for sign in text)


def _all(parts: list[EmailMessage], kind: str) -> str:
    texts = (_text(part) for part in parts if kind_of(part) == kind)
    return "\n".join(text for text in texts if text.strip())


def _says_more(rich: str, plain: str) -> bool:
    words, shown = len(plain.split()), len(rich.split())
    if shown > MIN_WORDS and words * STUB < shown:
        return True
    return not split(plain).quoted and bool(split(rich).quoted) and words <= shown * 2


def _text(part: EmailMessage) -> str:
    charset = safely(lambda: part.get_content_charset("utf-8"), "utf-8")
    text = decoded(payload_of(part), charset)[:MAX_TEXT].replace("\r\n", "\n")
    if kind_of(part) != "text/plain" or param_of(part, "format") != "flowed":
        return text
    return unflowed(text, joined=param_of(part, "delsp") == "yes")


def _page(part: EmailMessage) -> str:
    return text_of(_text(part)[:MAX_HTML])


def unflowed(text: str, *, joined: bool) -> str:
    """Return the paragraphs of a flowed text (RFC 3676); `joined`: without the blank (DelSp)."""
    paragraphs: list[str] = []
    open_depth: int | None = None
    for line in text.split("\n"):
        bare = line.lstrip(">")
        depth = len(line) - len(bare)
        bare = bare.removeprefix(" ")  # space-stuffing
        flows = bare.endswith(" ") and bare != "-- "
        words = bare[:-1] if flows and joined else bare
        if depth == open_depth and bare != "-- ":
            paragraphs.append(words)
        else:
            start = f"{'>' * depth} " if depth else ""
            paragraphs.append(f"\n{start}{words}")
        open_depth = depth if flows else None
    return "".join(paragraphs).removeprefix("\n")
