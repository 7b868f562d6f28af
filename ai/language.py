"""French or English, and how sure."""

from __future__ import annotations

import re

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from schemas.vocabulary import Language

SHORT = 40
"""Characters below which the detector is a coin (channels.md: fails on « Panne toner »)."""

_WORDS = {
    Language.FR: frozenset(
        [
            "le",
            "la",
            "les",
            "un",
            "une",
            "des",
            "du",
            "de",
            "et",
            "est",
            "pas",
            "ne",
            "je",
            "vous",
            "nous",
            "bonjour",
            "merci",
            "svp",
            "imprimante",
            "panne",
            "papier",
            "encre",
            "marche",
            "plus",
            "mon",
            "ma",
            "mes",
            "pour",
            "avec",
            "sur",
            "dans",
            "facture",
            "commande",
            "bourrage",
            "scanner",
            "toner",
            "cartouche",
            "ça",
            "ca",
            "cest",
            "c'est",
            "j'ai",
            "jai",
            "au",
            "aux",
            "qui",
            "que",
            "quoi",
            "comment",
            "ou",
            "où",
            "votre",
        ]
    ),
    Language.EN: frozenset(
        [
            "the",
            "a",
            "an",
            "of",
            "and",
            "is",
            "are",
            "not",
            "i",
            "you",
            "we",
            "hello",
            "hi",
            "thanks",
            "please",
            "printer",
            "paper",
            "ink",
            "does",
            "doesn't",
            "my",
            "your",
            "for",
            "with",
            "on",
            "in",
            "invoice",
            "order",
            "jam",
            "toner",
            "cartridge",
            "it",
            "it's",
            "have",
            "has",
            "how",
            "what",
            "where",
            "when",
            "to",
            "from",
            "can",
            "can't",
            "won't",
            "out",
            "broken",
        ]
    ),
}


class LanguageDetector:
    """Decides between French and English: words for short texts, a character model for others."""

    def __init__(self) -> None:
        self._model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        self._model.set_languages([language.value for language in Language])

    def detect(self, text: str) -> tuple[Language, float]:
        """Return the language and a confidence from 0 to 1; French when nothing speaks for one."""
        words = re.findall(r"[\w']+", text.lower())
        votes = {
            language: sum(word in known for word in words) for language, known in _WORDS.items()
        }
        french, english = votes[Language.FR], votes[Language.EN]
        if len(text) < SHORT and french != english:
            share = max(french, english) / (french + english)
            return (Language.FR if french > english else Language.EN), round(0.5 + share / 2.2, 3)
        if len(text) < SHORT:
            return Language.FR, 0.5
        code, probability = self._model.classify(text[:2_000])
        return Language(code), round(float(probability), 3)
