"""The parts of a mail (RFC 2045, 2046), found in a time and memory that its length bounds.

The standard parser reads the heads. It is not asked for the whole: a thousand parts within one
another cost it the recursion limit, ten thousand beside one another seconds.
"""

from __future__ import annotations

import binascii
import re
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import EmailPolicy
from itertools import islice
from typing import TypeVar, cast

MAX_PARTS = 500
MAX_DEPTH = 30
MAX_HEAD = 2**18
MAX_HEADER = 8_192
"""Read of one header: the standard parser needs minutes for one of a megabyte."""
MAX_PART_HEAD = 2**13
MAX_PART_HEADER = 1_000
_NO_SIGNS = bytes(set(range(256)) - set(string.ascii_letters.encode() + b"0123456789+/"))
_EMPTY_LINE = re.compile(rb"\r?\n\r?\n")
T = TypeVar("T")


class _Bounded(EmailPolicy):
    """The standard policy, which reads so much of a header and no more."""

    def header_source_parse(self, sourcelines: list[str]) -> tuple[str, str]:
        name, value = super().header_source_parse(sourcelines)
        of_part = name.lower().startswith("content-")
        return name, value[: MAX_PART_HEADER if of_part else MAX_HEADER]


def safely(read: Callable[[], T], default: T) -> T:
    """Return what the standard parser reads, or the default where it still raises."""
    try:
        return read()
    except Exception:  # noqa: BLE001 - IndexError, AttributeError … on malformed heads
        return default


@dataclass(frozen=True)
class Part:
    """A head, and the bytes below it as they came; a mail is one, too."""

    head: EmailMessage
    body: memoryview

    @property
    def kind(self) -> str:
        """The content type that it says it has."""
        return safely(self.head.get_content_type, "text/plain")

    @property
    def name(self) -> str | None:
        """The name of the file that it is."""
        return safely(self.head.get_filename, None)

    @property
    def charset(self) -> str:
        """The charset that it says it has."""
        return safely(lambda: str(self.head.get_content_charset("utf-8")), "utf-8")

    @property
    def attached(self) -> bool:
        """Whether it is a file rather than text to read."""
        by_name = safely(self.head.is_attachment, False) or self.name  # noqa: FBT003
        return bool(by_name) or not self.kind.startswith(("text/", "multipart/"))

    @property
    def payload(self) -> bytes:
        """Its bytes, the transfer encoding undone as far as it holds."""
        encoding = safely(lambda: str(self.head.get("content-transfer-encoding", "")), "")
        undo = _ENCODINGS.get(encoding.strip().lower(), bytes)
        return safely(lambda: undo(self.body), bytes(self.body))

    def parameter(self, name: str) -> str:
        """Return a parameter of its content type, in small letters."""
        return safely(lambda: str(self.head.get_param(name) or ""), "").lower()


def _unbase64(body: memoryview) -> bytes:
    # Some cut the last group short, or let text follow: what is whole is read.
    signs = bytes(body).translate(None, _NO_SIGNS)
    return binascii.a2b_base64(signs[: len(signs) - (len(signs) % 4 == 1)] + b"==")


_ENCODINGS: dict[str, Callable[[memoryview], bytes]] = {
    "base64": _unbase64,
    "quoted-printable": binascii.a2b_qp,
}


def mail_of(raw: bytes) -> Part:
    """Return a mail's head and body."""
    return _part(memoryview(raw), MAX_HEAD)


def leaves(mail: Part) -> Iterator[Part]:
    """Return the parts of a mail, down to a forwarded mail, not into it: its text is another's."""
    return islice(_leaves(mail), MAX_PARTS)


def _leaves(mail: Part) -> Iterator[Part]:
    waiting = [(mail, 0)]
    while waiting:
        part, depth = waiting.pop()
        inside = _inside(part) if part.kind.startswith("multipart/") and depth < MAX_DEPTH else []
        if inside:
            waiting.extend((each, depth + 1) for each in reversed(inside))
        else:
            yield part  # also a `multipart/…` without a single part: a torn mail


def _part(raw: memoryview, max_head: int) -> Part:
    start = bytes(raw[:2])
    if start[:1] == b"\n" or start == b"\r\n":
        return Part(EmailMessage(_Bounded()), raw[start.index(b"\n") + 1 :])
    found = _EMPTY_LINE.search(raw)
    end = found.start() if found else len(raw)
    parser = BytesParser(EmailMessage, policy=_Bounded())
    head = cast(
        "EmailMessage", parser.parsebytes(bytes(raw[: min(end, max_head)]), headersonly=True)
    )
    rest = safely(lambda: str(head.get_payload()), "").encode("utf-8", "surrogateescape")
    body = raw[found.end() if found else end :]
    # A line that is no header ends the head: it belongs to the text.
    return Part(head, memoryview(rest + b"\n\n" + bytes(body)) if rest.strip() else body)


def _inside(part: Part) -> list[Part]:
    """Return the parts between a part's boundaries."""
    boundary = safely(lambda: str(part.head.get_boundary() or ""), "").strip()
    if not boundary:
        return []
    mark = re.escape(boundary.encode("utf-8", "surrogateescape"))
    line = rb"--" + mark + rb"(--)?[ \t]*\r?(?:\n|\Z)"
    first = re.compile(line).match(part.body)
    found = [first] if first else []
    found += islice(
        re.compile(rb"\n" + line).finditer(part.body, first.end() - 1 if first else 0), MAX_PARTS
    )
    parts = []
    for number, one in enumerate(found):
        if one[1]:
            break
        end = found[number + 1].start() if number + 1 < len(found) else len(part.body)
        text = part.body[one.end() : max(end, one.end())]
        # The line break before a boundary belongs to it.
        parts.append(_part(text[:-1] if bytes(text[-1:]) == b"\r" else text, MAX_PART_HEAD))
    return parts
