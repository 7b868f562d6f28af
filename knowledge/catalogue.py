"""The catalogue: makes, how their models and codes look, and numbers that follow a word."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from knowledge.articles import InvalidArticle

SHIPPED = Path(__file__).parent / "catalogue.yaml"


class Brand(BaseModel):
    """A make: spellings, model families and codes as patterns, and models known by name."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    spellings: tuple[str, ...]
    models: tuple[str, ...]
    known: tuple[str, ...]
    codes: tuple[str, ...]


class Numbered(BaseModel):
    """A number that a word before it makes into something; group 1 is the value."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: str
    pattern: str
    confidence: float = Field(ge=0, le=1)


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    brands: tuple[Brand, ...]
    numbered: tuple[Numbered, ...]


@dataclass(frozen=True)
class Pattern:
    """A compiled pattern and whose it is."""

    brand: str
    expression: re.Pattern[str]


@dataclass(frozen=True)
class Catalogue:
    """Everything compiled; `spellings` and `known` map lower-case words to our spelling."""

    spellings: dict[str, str]
    models: tuple[Pattern, ...]
    codes: tuple[Pattern, ...]
    known: dict[str, tuple[str, str]]
    numbered: tuple[tuple[str, re.Pattern[str], float], ...]


def load_catalogue(path: Path = SHIPPED) -> Catalogue:
    """Read and compile the catalogue. Raises `InvalidArticle` with the file's name."""
    try:
        data = _File.model_validate(yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader))
        return Catalogue(
            spellings={word: brand.name for brand in data.brands for word in brand.spellings},
            models=tuple(
                Pattern(brand.name, _whole(text)) for brand in data.brands for text in brand.models
            ),
            codes=tuple(
                Pattern(brand.name, _whole(text)) for brand in data.brands for text in brand.codes
            ),
            known={
                squeeze(model): (brand.name, model)
                for brand in data.brands
                for model in brand.known
            },
            numbered=tuple(
                (entry.kind, re.compile(entry.pattern, re.IGNORECASE), entry.confidence)
                for entry in data.numbered
            ),
        )
    except (yaml.YAMLError, ValidationError, re.error) as error:
        msg = f"{path}: {error}"
        raise InvalidArticle(msg) from None


def squeeze(name: str) -> str:
    """Return a model name without blanks and dashes, in lower case: how names are compared."""
    return re.sub(r"[\s_-]+", "", name).lower()


def _whole(text: str) -> re.Pattern[str]:
    """Compile a pattern that must not begin or end inside a word or a number."""
    return re.compile(rf"(?<![\w.-])(?:{text})(?![\w-])(?!\.\d)", re.IGNORECASE)
