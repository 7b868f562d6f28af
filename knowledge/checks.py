"""Words by which the check of answers reads a text. Read once, checked when read."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, field_validator

from schemas.vocabulary import Language

FILE = Path(__file__).parent / "checks.yaml"

Bag = dict[Language, frozenset[str]]


class Opposites(BaseModel):
    """Two patterns, of which a text that means the same never has the other."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    one: re.Pattern[str]
    other: re.Pattern[str]

    @field_validator("one", "other", mode="before")
    @classmethod
    def _at_the_beginning_of_a_word(cls, given: str) -> str:
        return rf"\b(?:{given})"


class Checks(BaseModel):
    """What `checks.yaml` holds; `same` gives each word the first of its group."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    stop: Bag
    courtesy: Bag
    only: Bag
    same: dict[str, str]
    opposites: tuple[Opposites, ...]
    risky: tuple[re.Pattern[str], ...]
    promises: re.Pattern[str]
    orders: re.Pattern[str]
    ours: re.Pattern[str]
    courtesy_of_ours: re.Pattern[str]

    @field_validator("stop", "courtesy", "only", mode="before")
    @classmethod
    def _apart(cls, given: dict[str, str]) -> dict[str, list[str]]:
        return {language: words.split() for language, words in given.items()}

    @field_validator("same", mode="before")
    @classmethod
    def _by_word(cls, given: list[str]) -> dict[str, str]:
        return {word: group.split()[0] for group in given for word in group.split()}


@cache
def load_checks(path: Path = FILE) -> Checks:
    """Read the words."""
    data = yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
    parts = data.pop("parts")
    patterns = data.pop("promises")
    for name, part in parts.items():
        patterns = [pattern.replace(f"{{{name}}}", part) for pattern in patterns]
    data["promises"] = "|".join(f"(?:{pattern})" for pattern in patterns)
    return Checks.model_validate(data)
