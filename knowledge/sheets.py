"""Maintenance sheets of cold rooms, one for each fault.

A sheet is a YAML file of `knowledge/refrigeration/`, in both languages. What all sheets say alike
(food first, safety) stands once, in `common.yaml` there.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import Field

from knowledge.observations import Both, Sentence, Strict, next_test
from schemas.findings import Passage
from schemas.vocabulary import Fault, Language

__all__ = ["Sheet", "next_test", "sheets_of"]

SHIPPED = Path(__file__).parent / "refrigeration"


class Check(Both):
    """How to make sure, and the minutes that it takes on site."""

    minutes: Annotated[int, Field(ge=1, le=240)]


class Words(Strict):
    """A sheet's own words in one language."""

    title: Annotated[Sentence, Field(max_length=90)]
    what: Sentence
    signs: tuple[Sentence, ...] = Field(min_length=1, max_length=6)
    now: tuple[Sentence, ...] = Field(min_length=1, max_length=5)
    repair: tuple[Sentence, ...] = Field(min_length=1, max_length=5)
    who: Sentence


class Entry(Strict):
    """A file: a fault, its sources, how to make sure, and its words."""

    fault: Fault
    protect: str
    hazards: tuple[str, ...] = ()
    sources: tuple[Sentence, ...] = Field(min_length=1)
    checks: tuple[Check, ...] = Field(min_length=1, max_length=5)
    fr: Words
    en: Words


class Common(Strict):
    """What many sheets say alike, by the names under which they ask for it."""

    protect: dict[str, Both]
    hazards: dict[str, Both]


class Sheet(Strict):
    """One fault in one language: what it is, what one sees, what to do, who does it."""

    fault: Fault
    language: Language
    title: str
    what: str
    signs: tuple[str, ...]
    checks: tuple[tuple[str, int], ...]
    """How to make sure, each with its minutes."""
    now: tuple[str, ...]
    """What to do at once; the food comes first."""
    repair: tuple[str, ...]
    safety: tuple[str, ...]
    who: str
    sources: tuple[str, ...]

    def passage(self, score: float = 1.0) -> Passage:
        """Return the sheet as events carry passages: what to do now, how to make sure, for good."""
        checks = (f"{text} ({minutes} min)" for text, minutes in self.checks)
        return Passage(
            article=f"refrigeration/{self.fault.value}",
            language=self.language,
            title=self.title,
            cause=self.what,
            steps=(*self.now, *checks, *self.repair, *self.safety),
            call_technician=self.who,
            source=" · ".join(self.sources),
            score=score,
        )

    def search_rows(self) -> tuple[str, ...]:
        """Return the short texts by which the sheet is found."""
        return (self.fault.label(self.language), self.title, self.what, *self.signs)


def _read(path: Path) -> Any:
    return yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)


@cache
def _common() -> Common:
    return Common.model_validate(_read(SHIPPED / "common.yaml"))


@cache
def sheets_of(fault: Fault, language: Language) -> Sheet:
    """Return the maintenance sheet of a fault.

    Raises
    ------
    ValueError
        The file that ships is damaged; the text names the field.
    """
    entry, common = Entry.model_validate(_read(SHIPPED / f"{fault.value}.yaml")), _common()
    words = entry.fr if language is Language.FR else entry.en
    return Sheet(
        fault=entry.fault,
        language=language,
        title=words.title,
        what=words.what,
        signs=words.signs,
        checks=tuple((check.said(language), check.minutes) for check in entry.checks),
        now=(common.protect[entry.protect].said(language), *words.now),
        repair=words.repair,
        safety=tuple(common.hazards[name].said(language) for name in entry.hazards),
        who=words.who,
        sources=entry.sources,
    )
