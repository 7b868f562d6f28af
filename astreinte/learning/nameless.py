"""What was said to one customer, without anything by which that customer is known. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ai.masking import PLACEHOLDER, Mask

HIDDEN = "[…]"

_GREETING = re.compile(
    r"^\W*(bonjour|bonsoir|salut|ch[eè]re?s?|madame|monsieur|hello|hi|dear|good morning"
    r"|good afternoon)\b[^\n.!?]{0,60}?(?:[,!.:]|$)\s*",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"^\W*((bien |très )?(cordialement|amicalement)|bien à vous|sinc[eè]res? salutations|cdlt|"
    r"(best|kind|warm)? ?regards|sincerely|yours|je vous prie d.agréer|-- ?$|__+)",
    re.IGNORECASE | re.MULTILINE,
)
_TITLED = re.compile(
    r"\b(?:M\.|MM\.|Mme|Mmes|Mlle|Monsieur|Madame|Mademoiselle|Mr\.?|Mrs\.?|Ms\.?|Dr\.?|Me"
    r"|[Jj]e suis|[Jj]e m.appelle|[Mm]y name is|I am|I'm)(?:\s+[A-ZÀ-Þ][\w'’-]+){1,3}"
)
_LINK = re.compile(r"\b(?:https?://|www\.)\S+", re.IGNORECASE)
_REFERENCE = re.compile(r"\b(?=[\w/-]*\d)[A-Za-z0-9][\w/-]*\d[\w/-]{4,}\b")
_LONG = 6
"""Digits of a number that is somebody's: an order, a serial number; a model has fewer."""


def nameless(text: str, names: Sequence[str]) -> str:
    """Return a text without names, addresses, numbers and links, greeting and signature.

    Parameters
    ----------
    text
        What a customer or a person of the desk wrote.
    names
        The customer's, as the record has them: of the person and of the company.
    """
    closing = _CLOSING.search(text)
    body = text[: closing.start()] if closing else text
    parts = [part for name in names for part in (name, *name.split()) if len(part) > 2]  # noqa: PLR2004
    masked = PLACEHOLDER.sub(HIDDEN, Mask(parts).hide(_GREETING.sub("", body.strip())))
    for pattern in (_LINK, _TITLED):
        masked = pattern.sub(HIDDEN, masked)
    masked = _REFERENCE.sub(_somebodys, masked)
    return re.sub(rf"(?:{re.escape(HIDDEN)}\s*){{2,}}", f"{HIDDEN} ", masked).strip()


def _somebodys(match: re.Match[str]) -> str:
    digits = sum(map(str.isdigit, match[0]))
    return HIDDEN if digits >= _LONG else match[0]
