"""What people said of findings, and what follows for later messages. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from knowledge.catalogue import squeeze
from knowledge.extraction.words import SURE, plain
from schemas.findings import Finding
from schemas.vocabulary import FindingKind

BY, EARLIER = "agent", "earlier"
"""How a finding was told: by a person, or in an earlier message, over which the person's goes."""
OF_A_PRINTER = (FindingKind.BRAND, FindingKind.MODEL, FindingKind.SERIAL_NUMBER)
"""What holds for a customer and not for one conversation only."""
INHERITED = (*OF_A_PRINTER, FindingKind.ERROR_CODE)
"""What a conversation goes on to be about, whether its next message says it again or not."""


class Correction(NamedTuple):
    """A person's word on a finding: in this conversation of this customer, `old` is `value`.

    An empty `old` adds something, an empty `value` says that there is nothing. `words`: how the
    customer calls it, « notre grosse Lexmark du 2e ».
    """

    conversation_id: str
    kind: str
    old: str
    value: str
    words: str = ""


def corrected(
    text: str, found: Sequence[Finding], conversation_id: str, said: Sequence[Correction]
) -> tuple[Finding, ...]:
    """Return the findings of a text after what people said; `said` is in order, oldest first."""
    for correction in said:
        here = correction.conversation_id == conversation_id
        if here or correction.kind in OF_A_PRINTER:
            found = tuple(_applied(correction, found))
        if correction.value and correction.words:
            found = _called(text, correction, found)
    inherited = tuple(_inherited(found, conversation_id, said))
    kinds = {each.kind for each in inherited}
    return (*(each for each in found if each.kind not in kinds), *inherited)


def _applied(correction: Correction, found: Iterable[Finding]) -> Iterator[Finding]:
    """Yield the findings with this one replaced, confirmed, or taken away."""
    meant = {squeeze(word) for word in (correction.old, correction.value) if word}
    for each in found:
        if each.kind != correction.kind or squeeze(each.value) not in meant:
            yield each
        elif correction.value:
            changes = {"value": correction.value, "confidence": SURE, "by": BY}
            yield each.model_copy(update=changes)


def _called(
    text: str, correction: Correction, found: tuple[Finding, ...] | Sequence[Finding]
) -> tuple[Finding, ...]:
    """Add what is meant where a text has the customer's own words for it."""
    if any(each.kind == correction.kind for each in found):
        return tuple(found)  # it is named by its name
    words = r"\s+".join(map(re.escape, plain(correction.words).split()))
    match = re.search(rf"(?<!\w){words}(?!\w)", plain(text)) if words else None
    if match is None:
        return tuple(found)
    meant = Finding(
        kind=correction.kind, value=correction.value, start=match.start(), end=match.end(),
        confidence=SURE, by=BY,
    )  # fmt: skip
    return (*found, meant)


def _inherited(
    found: Sequence[Finding], conversation_id: str, said: Sequence[Correction]
) -> Iterator[Finding]:
    """Yield what people said of this conversation and its message does not say otherwise."""
    told = {each.kind for each in found if each.by != EARLIER}
    newest = {each.kind: each.value for each in said if each.conversation_id == conversation_id}
    for kind in INHERITED:
        if newest.get(kind) and kind not in told:
            yield Finding(kind=kind, value=newest[kind], start=0, end=0, confidence=SURE, by=BY)
