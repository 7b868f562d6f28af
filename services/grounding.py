"""Whether a text says only what its evidence says: no model is asked, nothing is guessed. Pure.

A sentence counts as said by the evidence when enough of its content stems stand in it, all of its
numbers, codes, links and telephone numbers do, and nothing that the evidence affirms is denied or
the other way round. Embeddings cannot tell "switch on" from "switch off" (measured: an AUROC of
0.52 against 0.93 for stems with these guards; docs/decisions/0019), words can.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from itertools import chain

from knowledge.articles import SHIPPED, Version, load_articles
from knowledge.checks import load_checks
from schemas.vocabulary import Language
from services.figures import Figures, figures_of
from services.polarity import flipped
from services.promises import promise
from services.sentences import Piece, content, fold, language_seems, pieces, words

NEEDED = 0.7
"""Share of a sentence's content stems that must stand in its evidence (evaluation/grounding.py).
The others must be words of our articles: what is in none of them is no way to say it, either."""
NEEDED_NEAR = 0.4
"""The same within two sentences of the evidence that follow one another: words from all over an
article do not make a statement of it."""
FEW = 3
"""Content stems up to which all must stand there: an attacker's word among two true ones."""


_CLAUSE = re.compile(r"[,;:()]")


@dataclass(frozen=True)
class Objection:
    """What is wrong with a sentence. `reason` is a word for machines and holds none of the text."""

    reason: str
    sentence: str


class Evidence:
    """A text that statements may rest on, read once.

    Parameters
    ----------
    text
        Its sentences: title, cause, steps, what the record says …
    language
        Of text and answer.
    own
        We wrote it: what it says word for word is no promise that a model made up.
    """

    def __init__(self, text: str, language: Language, *, own: bool = True) -> None:
        self.language = language
        self.sentences = [(piece.text, content(piece.text, language)) for piece in pieces(text)]
        self.whole = {" ".join(words(piece.text)) for piece in pieces(text)} if own else set()
        self.stems = frozenset(chain.from_iterable(stems for _, stems in self.sentences))
        self.figures = figures_of(text)
        self.risks = _risks(text)

    def says(self, sentence: str) -> bool:
        """Say whether a text of ours has a sentence, word for word."""
        return " ".join(words(sentence)) in self.whole

    def nearest(self, stems: frozenset[str]) -> tuple[float, str]:
        """Return the largest share of stems in two neighbouring sentences, and the best of all."""
        known = [one for _, one in self.sentences]
        pairs = zip(known, [*known, frozenset[str]()][1:], strict=True)
        share = max((len(stems & (one | after)) for one, after in pairs), default=0) / len(stems)
        best = max(self.sentences, key=lambda one: len(stems & one[1]), default=("", frozenset()))
        return share, best[0]


def objections(text: str, evidence: Evidence, also: Iterable[str] = ()) -> tuple[Objection, ...]:
    """Return what a text says without ground, sentence by sentence; nothing: it may be sent.

    `also` are links, numbers and names that may stand in any text of ours.
    """
    allowed = evidence.figures | figures_of(" ".join(also))
    found = [
        Objection(reason, piece.text)
        for piece in pieces(text)
        if (reason := _objection(piece, evidence, allowed))
    ]
    other = language_seems(text)
    if not found and other and other is not evidence.language:
        found.append(Objection("language", text))
    return tuple(found)


def _objection(piece: Piece, evidence: Evidence, allowed: Figures) -> str:
    """Return a word for what is wrong with a sentence, or an empty one."""
    if strange := figures_of(piece.text).strange(allowed):
        return strange
    if evidence.says(piece.text):
        return ""
    if promise(piece.text):
        return "promise"
    if language_seems(piece.text) not in {None, evidence.language}:
        return "language"
    stems = content(piece.text, evidence.language)
    return _unsaid(piece.text, stems, evidence) if stems else ""


def _unsaid(sentence: str, stems: frozenset[str], evidence: Evidence) -> str:
    share, near = evidence.nearest(stems)
    if share < NEEDED_NEAR or stems - evidence.stems - vocabulary(evidence.language):
        return "unsupported"
    clauses = (content(clause, evidence.language) for clause in _CLAUSE.split(sentence))
    if any(_strange(some, evidence) for some in [stems, *clauses]):
        return "unsupported"
    if _risks(sentence) - evidence.risks:
        return "risky"
    turned = flipped(sentence, near, evidence.sentences, evidence.language)
    return "polarity" if turned else ""


def _risks(text: str) -> frozenset[int]:
    """Return which of the risky things a text speaks of."""
    said = fold(text)
    return frozenset(n for n, risk in enumerate(load_checks().risky) if risk.search(said))


def _strange(stems: frozenset[str], evidence: Evidence) -> bool:
    known = len(stems & evidence.stems)
    return known < (NEEDED if len(stems) > FEW else 1) * len(stems)


@cache
def vocabulary(language: Language) -> frozenset[str]:
    """Return the stems of all that our own articles say."""
    versions = (article.version(language) for article in load_articles(SHIPPED))
    return frozenset(chain.from_iterable(content(_told(one), language) for one in versions))


def _told(version: Version) -> str:
    stated = (version.title, *version.symptoms, version.cause, *version.steps)
    return "\n".join([*stated, version.call_technician])
