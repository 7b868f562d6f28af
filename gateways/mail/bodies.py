"""The text of a mail: which of its parts are read, and how."""

from __future__ import annotations

from gateways.html import text_of
from gateways.mail import marks
from gateways.mail.charsets import decoded
from gateways.mail.parts import Part
from gateways.mail.reply import split
from schemas.printer import InboundMessage
from schemas.vocabulary import Channel

MAX_BYTES = 4 * 2**20
MAX_TEXT = 2 * 2**20
"""Characters of a part that are read; longer ones hold images within, or the text of a book."""
STUB = 5
"""A plain part with so many times fewer words than the HTML one only says that there is one."""
MIN_WORDS = 30


def body_of(parts: list[Part]) -> str:
    """Return the text of a mail.

    Some programs cut a text at each image: all plain parts are joined. The HTML part is taken
    where there is no plain one, where that only says so, or where a quotation is marked in HTML
    alone.
    """
    shown = [part for part in parts if not part.attached]
    plain = _all(shown, "text/plain")
    pages = [part for part in shown if part.kind == "text/html"]
    rich = "\n".join(filter(None, (_page(part) for part in pages)))
    if rich.strip() and (not plain.strip() or _says_more(rich, plain)):
        return rich
    # Last, what is neither: a torn mail, whose text is kept.
    others = (_text(part) for part in shown if part.kind not in {"text/plain", "text/html"})
    return plain if plain.strip() else next((text for text in others if text.strip()), plain)


def written_now(message: InboundMessage) -> str:
    """Return what the author of a message wrote now; of a mail, without what it quotes.

    What a mail forwards was sent to be read, and stays.
    """
    text = message.text if _is_seen(message.text) else text_of(message.html)
    if message.channel is not Channel.EMAIL:
        return text
    return split(text, forwarded=_forwards(message.subject, text), desk=message.to or "").reply


def _forwards(subject: str, text: str) -> bool:
    """Say whether a mail hands on another's: by its subject, or by what stands above it."""
    if marks.FORWARDED.match(subject):
        return True
    return not marks.REPLIED.match(subject) and bool(marks.FORWARDING.search(text))


def _is_seen(text: str) -> bool:
    return any(sign.isprintable() and not sign.isspace() for sign in text)


def _all(parts: list[Part], kind: str) -> str:
    texts = (_text(part) for part in parts if part.kind == kind)
    return "\n".join(text for text in texts if text.strip())


def _says_more(rich: str, plain: str) -> bool:
    words, shown = len(plain.split()), len(rich.split())
    if shown > MIN_WORDS and words * STUB < shown:
        return True
    return not split(plain).quoted and bool(split(rich).quoted) and words <= shown * 2


def _text(part: Part) -> str:
    text = decoded(part.payload[:MAX_BYTES], part.charset)[:MAX_TEXT].replace("\r\n", "\n")
    if part.kind != "text/plain" or part.parameter("format") != "flowed":
        return text
    return unflowed(text, joined=part.parameter("delsp") == "yes")


def _page(part: Part) -> str:
    return text_of(_text(part))


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
