"""Whether a sentence says the opposite of its evidence, by words that turn a meaning round. Pure.

It compares what is denied, which of two opposites is named, and in which order they come.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from knowledge.checks import Opposites, load_checks
from schemas.vocabulary import Language
from services.sentences import content, fold

_IDIOMS = re.compile(
    r"\bsans (?:doute|fil|souci|probleme)\b|\bpas a pas\b|\bn['’ ]?hesitez pas\b|"
    r"\bnon seulement\b|\bnot only\b|\bno (?:problem|doubt)\b"
)
"""They deny nothing."""
_VERB = r"\bn(?:e\b|['’])(?P<between>(?:\W*[a-z]+){0,4}?)\W+(?:pas|jamais|plus|guere)\b"
_ALL = r"\b(?P<all>aucune?|rien|ni|no|none|nothing|neither|nor)\b"
_NEXT = (
    r"\b(?:pas|jamais|sans|non|evite[rz]|inutile|interdit|not|never|without|avoid|cannot|forbidden)"
    r"\b|n['’]t\b"
)
_DENIES = re.compile(f"{_VERB}|{_ALL}|{_NEXT}")
_CLAUSE_END = re.compile("[,;:.]|$")


_BIDDING = re.compile(r"\b\w{3,}ez\b")
_BIDDEN = re.compile(r"\b\w{3,}e[zr]\b")
"""What a French sentence tells its reader to do; and how the evidence may say it."""


def flipped(
    said: str, near: str, sentences: Sequence[tuple[str, frozenset[str]]], language: Language
) -> bool:
    """Say whether a sentence turns round what its evidence says.

    Parameters
    ----------
    said
        The sentence.
    near
        The sentence of the evidence that holds most of its words.
    sentences
        All of them, each with its content stems.
    language
        Of all of these.
    """
    mine, theirs = _affirmed_denied(said, language), _affirmed_denied(near, language)
    whole = _affirmed_denied(". ".join(text for text, _ in sentences), language)
    if mine[1] - whole[1]:
        return True  # nobody forbade that
    if mine[1] & theirs[0] - theirs[1] or mine[0] & theirs[1] - theirs[0] - mine[1]:
        return True
    opposites = load_checks().opposites
    if any(_bidden(fold(said), pair, sentences) for pair in opposites):
        return True
    return any(_turned(fold(said), pair, sentences, language) for pair in opposites)


def _bidden(said: str, pair: Opposites, sentences: Sequence[tuple[str, frozenset[str]]]) -> bool:
    """Say whether a French sentence bids one of two opposites where the evidence bids the other."""
    orders = _BIDDEN.findall(fold(" ".join(text for text, _ in sentences)))
    for word in _BIDDING.findall(said):
        for same, other in ((pair.one, pair.other), (pair.other, pair.one)):
            if same.match(word) and not any(same.match(order) for order in orders):
                return any(other.match(order) for order in orders)
    return False


def _affirmed_denied(text: str, language: Language) -> tuple[frozenset[str], frozenset[str]]:
    """Return the content stems that a text affirms and those that it denies.

    Denied is the verb within « ne … pas »; after « aucun », "nothing" … the rest of the clause;
    otherwise, and where that verb is but a small word, the next word that means something.
    """
    folded, rest, denied, at = _IDIOMS.sub(" ", fold(text)), "", frozenset[str](), 0
    for found in _DENIES.finditer(folded):
        if found.start() < at:
            continue
        rest += folded[at : found.start()] + " "
        at = found.end()
        if found["all"]:
            end = _CLAUSE_END.search(folded, at)
            at, stems = (
                (end.start() if end else at),
                content(folded[at : end and end.start()], language),
            )
        else:
            stems = content(found["between"] or "", language)
        if not stems:
            stems, at = _next_of(folded, at, language)
        denied |= stems
    return content(rest + folded[at:], language), denied


def _next_of(folded: str, at: int, language: Language) -> tuple[frozenset[str], int]:
    """Return the stem of the next word that means something, and where it ends."""
    for word in re.finditer(r"[a-z]+|[,;:.]", folded[at:]):
        if not word[0].isalpha():
            break
        if stems := content(word[0], language):
            return stems, at + word.end()
    return frozenset(), at


def _turned(
    said: str,
    pair: Opposites,
    sentences: Sequence[tuple[str, frozenset[str]]],
    language: Language,
) -> bool:
    """Say whether the sentence names one of two opposites where the evidence names the other."""
    mine = _order(said, pair)
    if not mine:
        return False
    stems = content(pair.other.sub(" ", pair.one.sub(" ", said)), language)
    shared = max((len(stems & known) for _, known in sentences), default=0)
    if shared * 2 < max(len(stems), 1):
        return False
    theirs = [_order(fold(text), pair) for text, known in sentences if len(stems & known) == shared]
    agrees = any(set(order) & set(mine) for order in theirs)
    return not agrees and any(theirs)


def _order(text: str, pair: Opposites) -> str:
    """Return which of two opposites a text names, in its order: `a`, `b`, `ab` or `ba`."""
    found = sorted(
        [(m.start(), "a") for m in pair.one.finditer(text)]
        + [(m.start(), "b") for m in pair.other.finditer(text)]
    )
    return "".join(dict.fromkeys(letter for _, letter in found))
