"""The words around the articles: greetings, hand-overs, labels. Checked when read."""

from __future__ import annotations

import re
import unicodedata
from functools import cache
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict

from schemas.vocabulary import Language

MAX_COMMAND = 60
"""Characters: what is longer says more than a command."""
FILE = Path(__file__).parent / "wording.yaml"


Command = Literal["stop", "start", "help"]


Said = Literal[
    "greeting", "ask", "again", "refused", "nothing", "hidden", "by_text", "by_call", "failed"
]
"""What a caller hears."""


class Words(BaseModel):
    """One language; each field is a sentence with placeholders."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    greeting: str
    about: str
    about_model: str
    try_: str
    otherwise: str
    reach: str
    question: str
    handed: str
    document: str
    foreign: str
    warranty: dict[Literal["yes", "no"], str]
    asks: dict[str, str]
    machine: str
    machine_handoff: str
    machine_sms: str
    sources: str
    signed: str
    sms: str
    sms_handed: str
    gathered: str
    handoff: dict[str, str]
    voice: dict[Said, str]
    telegram: str
    commands: dict[Command, str]


class Wording(BaseModel):
    """All languages, and the labels of reasons: (French, English)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    fr: Words
    en: Words
    reasons: dict[str, tuple[str, str]]
    commands: dict[Command, dict[Language | Literal["any"], tuple[str, ...]]]

    def of(self, language: Language) -> Words:
        """Return the words of a language."""
        return self.fr if language is Language.FR else self.en

    def command(self, text: str) -> tuple[Command, Language | None] | None:
        """Return the command that a whole text is, and its language where the word has one."""
        said = _bare(text)
        for command, words in self.commands.items():
            for language, known in words.items():
                if said in known:
                    return command, None if language == "any" else language
        return None

    def asks(self, text: str) -> bool:
        """Say whether a text of ours asks something back."""
        return any(ask in text for words in (self.fr, self.en) for ask in words.asks.values())

    def reason(self, code: str, language: Language) -> str:
        """Return the label of a reason; the code itself when there is none."""
        return self.reasons.get(code, (code, code))[language is Language.EN]


def _bare(text: str) -> str:
    """Return words without case, accents and marks."""
    if len(text) > MAX_COMMAND:
        return ""
    letters = unicodedata.normalize("NFKD", text.casefold())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(re.findall(r"[^\W_]+", plain))


@cache
def load_wording(path: Path = FILE) -> Wording:
    """Read the words."""
    data = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
    for language in Language:
        data[language.value]["try_"] = data[language.value].pop("try")
    return Wording.model_validate(data)
