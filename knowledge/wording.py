"""The words around the articles: greetings, hand-overs, labels. Checked when read."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from schemas.vocabulary import Language

FILE = Path(__file__).parent / "wording.yaml"


class Words(BaseModel):
    """One language; each field is a sentence with placeholders."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    greeting: str
    about: str
    about_model: str
    cause: str
    try_: str
    otherwise: str
    reach: str
    machine: str
    sources: str
    signed: str
    sms: str
    gathered: str
    handoff: dict[str, str]


class Wording(BaseModel):
    """All languages, and the labels of reasons: (French, English)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fr: Words
    en: Words
    reasons: dict[str, tuple[str, str]]

    def of(self, language: Language) -> Words:
        """Return the words of a language."""
        return self.fr if language is Language.FR else self.en

    def reason(self, code: str, language: Language) -> str:
        """Return the label of a reason; the code itself when there is none."""
        return self.reasons.get(code, (code, code))[language is Language.EN]


@cache
def load_wording(path: Path = FILE) -> Wording:
    """Read the words."""
    data = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
    for language in Language:
        data[language.value]["try_"] = data[language.value].pop("try")
    return Wording.model_validate(data)
