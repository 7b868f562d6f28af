"""What a message names: printer, codes, numbers, each with its place in the text. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from rapidfuzz import fuzz, process

from knowledge.catalogue import Catalogue, squeeze
from schemas.findings import Finding
from schemas.printer import MessageClassified, MessageExtracted
from schemas.vocabulary import Language, kind_label

TEXT_CHARACTERS = 20_000
"""Searched for names; whoever writes more says it before."""
ALMOST = 85
"""Similarity (0 to 100) from which a misspelt word counts as a name: « lexmarc », « epsonn »."""
AT_MOST = 100
"""Findings of a message: whoever names more is making a list, or trying to keep us busy."""
SURE, LIKELY, GUESSED = 0.95, 0.85, 0.7

_WORD = re.compile(r"[^\W\d_]{5,}")
_NO_BRANDS = frozenset(("bother", "bothers", "brothers", "canton", "canyon"))
"""Words of their own that look like a misspelt make: « sorry to bother you »."""
_MODEL_LIKE = re.compile(
    r"(?<![\w-])(?=[a-z -]{0,8}\d)[a-z]{1,3}[ -]?[0-9o]{3,4}[a-z]{0,4}(?![\w-])", re.IGNORECASE
)
_CODE_CONTEXT = re.compile(
    r"(code|erreur|error|affiche|message|panneau|[ée]cran|display|shows?|says|d[ée]faut|panne)\W.{0,40}$",
    re.IGNORECASE | re.DOTALL,
)
_MONEY = re.compile(r"^\s*(€|eur|euros?|%|h\b|ht|ttc)", re.IGNORECASE)
_DATE = re.compile(r"\d{1,2}\.(0[1-9]|1[0-2])\.(19|20)\d\d")
_TELLING = re.compile(r"[a-z]", re.IGNORECASE)


def extract(
    event: MessageClassified, catalogue: Catalogue, now: datetime
) -> tuple[MessageExtracted, ...]:
    """Tell what the message names, in the order of the text; spans are of `message.text`."""
    findings = find(event.message.text, catalogue)
    why = (
        ", ".join(f"{kind_label(f.kind, Language.FR)} {f.value}" for f in findings)
        or "rien de reconnu"
    )
    return (MessageExtracted.after(event, now, findings=findings, why=why[:300]),)


def find(text: str, catalogue: Catalogue) -> tuple[Finding, ...]:
    """Return all findings of a text; overlapping ones are told apart by confidence."""
    text = text[:TEXT_CHARACTERS]
    brands = list(_brands(text, catalogue))
    named = {found.value for found in brands}
    candidates = [
        *brands,
        *_models(text, catalogue, named),
        *_numbered(text, catalogue),
        *_codes(text, catalogue, named),
    ]
    kept: list[Finding] = []
    for found in sorted(candidates, key=lambda f: (-f.confidence, f.start - f.end)):
        if not any(found.start < other.end and other.start < found.end for other in kept):
            kept.append(found)
        if len(kept) == AT_MOST:
            break
    kept.extend(_implied_brand(kept, catalogue))
    return tuple(sorted(kept, key=lambda f: (f.start, f.kind)))


def _brands(text: str, catalogue: Catalogue) -> Iterator[Finding]:
    exact = False
    for spelling, brand in catalogue.spellings.items():
        for match in re.finditer(rf"\b{re.escape(spelling)}\b", text, re.IGNORECASE):
            exact = True
            yield Finding(
                kind="brand", value=brand, start=match.start(), end=match.end(), confidence=SURE
            )
    if exact:
        return
    long_names = [name for name in catalogue.spellings if len(name) > 4]  # noqa: PLR2004
    for match in _WORD.finditer(text):
        word = match.group().lower()
        if word in _NO_BRANDS:
            continue
        almost = process.extractOne(word, long_names, scorer=fuzz.ratio, score_cutoff=ALMOST)
        if almost:
            yield Finding(
                kind="brand",
                value=catalogue.spellings[almost[0]],
                start=match.start(),
                end=match.end(),
                confidence=GUESSED,
            )


def _models(text: str, catalogue: Catalogue, named: set[str]) -> Iterator[Finding]:
    for pattern in catalogue.models:
        if named and pattern.brand not in named:
            continue
        for match in pattern.expression.finditer(text):
            known = catalogue.known.get(squeeze(match.group()))
            # A bare « C750 » without a make could be anything; a known one is not.
            sure = SURE if known else LIKELY if named or len(match.group()) > 5 else GUESSED  # noqa: PLR2004
            value = known[1] if known else _tidy(match.group())
            yield Finding(
                kind="model", value=value, start=match.start(), end=match.end(), confidence=sure
            )
    for match in _MODEL_LIKE.finditer(text):
        word = squeeze(match.group())
        word = word[:1] + word[1:].replace("o", "0") if word not in catalogue.known else word
        almost = process.extractOne(word, list(catalogue.known), scorer=fuzz.ratio, score_cutoff=95)
        if almost:
            value = catalogue.known[almost[0]][1]
            yield Finding(
                kind="model", value=value, start=match.start(), end=match.end(), confidence=LIKELY
            )


def _codes(text: str, catalogue: Catalogue, named: set[str]) -> Iterator[Finding]:
    for pattern in catalogue.codes:
        for match in pattern.expression.finditer(text):
            in_context = _CODE_CONTEXT.search(text[max(0, match.start() - 60) : match.start()])
            ours = pattern.brand in named
            # « 49.90 € », « le 12.05 »: figures alone are a code only where one is spoken of.
            if not (in_context or (ours and _TELLING.search(match.group()))):
                continue
            if _MONEY.match(text[match.end() :]) or _DATE.fullmatch(match.group()):
                continue
            yield Finding(
                kind="error_code",
                value=_tidy(match.group()),
                start=match.start(),
                end=match.end(),
                confidence=SURE if ours and in_context else LIKELY,
            )


def _numbered(text: str, catalogue: Catalogue) -> Iterator[Finding]:
    for kind, expression, confidence in catalogue.numbered:
        for match in expression.finditer(text):
            if not _MONEY.match(text[match.end(1) :]):
                yield Finding(
                    kind=kind,
                    value=match.group(1).upper()
                    if "0x" not in match.group(1).lower()
                    else match.group(1),
                    start=match.start(1),
                    end=match.end(1),
                    confidence=confidence,
                )


def _implied_brand(kept: list[Finding], catalogue: Catalogue) -> Iterator[Finding]:
    """Return the make that a known model names."""
    if any(found.kind == "brand" for found in kept):
        return
    for found in kept:
        known = catalogue.known.get(squeeze(found.value)) if found.kind == "model" else None
        if known:
            yield Finding(
                kind="brand", value=known[0], start=found.start, end=found.end, confidence=LIKELY
            )
            return


def _tidy(value: str) -> str:
    return re.sub(r"\s+", " ", value).strip().upper()
