"""All that a text names, each in its place."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from itertools import chain

from knowledge.catalogue import Catalogue
from knowledge.extraction.brands import brands, implied_brand
from knowledge.extraction.codes import codes
from knowledge.extraction.dictated import written
from knowledge.extraction.models import models
from knowledge.extraction.numbers import numbered, page_counts, phones
from knowledge.extraction.serials import serials
from knowledge.extraction.supplies import quantities, supplies, urgencies
from knowledge.extraction.traps import hide_quotes, hide_traps
from knowledge.extraction.words import Reading
from schemas.findings import Finding

TEXT_CHARACTERS = 20_000
"""Searched for names; whoever writes more says it before."""
AT_MOST = 100
"""Findings of a message: whoever names more is making a list, or trying to keep us busy."""


def find(text: str, catalogue: Catalogue) -> tuple[Finding, ...]:
    """Return all findings of a text; overlapping ones are told apart by confidence."""
    text = text[:TEXT_CHARACTERS]
    said, places = written(text)
    found = _find(Reading(said), catalogue)
    if said == text:
        return found
    return tuple(
        each.model_copy(update={"start": places[each.start], "end": places[each.end - 1] + 1})
        for each in found
    )


def _find(reading: Reading, catalogue: Catalogue) -> tuple[Finding, ...]:
    hide_quotes(reading)
    makes = _visible(reading, brands(reading, catalogue))
    named = {found.value for found in makes}
    plain = _visible(
        reading,
        supplies(reading),
        numbered(reading),
        phones(reading),
        serials(reading, catalogue, named),
        page_counts(reading),
    )
    for found in plain:
        reading.hide(found.start, found.end)
    hide_traps(reading)
    things = [*makes, *plain, *models(reading, catalogue, makes)]
    named |= {found.value for found in implied_brand(things, catalogue)}
    kept = without_overlaps(
        (
            *things,
            *codes(reading, catalogue, named),
            *quantities(reading, things),
            *urgencies(reading),
        )
    )
    kept.extend(implied_brand(kept, catalogue))
    return tuple(sorted(kept, key=lambda f: (f.start, f.kind)))


def _visible(reading: Reading, *found: Iterable[Finding]) -> list[Finding]:
    """Return what is not in a quoted thread."""
    every = chain.from_iterable(found)
    return [each for each in every if not reading.is_hidden(each.start, each.end)]


def without_overlaps(candidates: Iterable[Finding]) -> list[Finding]:
    """Keep the surest of those that overlap, and of the surest the longest."""
    kept: list[Finding] = []
    for found in sorted(candidates, key=lambda f: (-f.confidence, f.start - f.end)):
        if not _overlaps(found, kept):
            kept.append(found)
        if len(kept) == AT_MOST:
            break
    return kept


def _overlaps(found: Finding, kept: Collection[Finding]) -> bool:
    return any(found.start < other.end and other.start < found.end for other in kept)
