"""Training phrases: what customers write, and what they mean by it."""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from knowledge.articles import InvalidArticle
from schemas.vocabulary import CATEGORY_OF, Category, Intent, Priority

FOLDER = Path(__file__).parent / "phrases"


class _Block(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    fr: tuple[str, ...]
    en: tuple[str, ...]


class IntentPhrases(_Block):
    """Phrases of one intent."""

    category: Category
    intent: Intent


class PriorityPhrases(_Block):
    """Phrases of one priority."""

    priority: Priority


B = TypeVar("B", bound="_Block")

Labelled = list[tuple[str, str]]
"""(text, label) pairs."""


def intents(*paths: Path) -> Labelled:
    """Return the phrases with their intents, of all files that ship or of these.

    Raises `InvalidArticle` with the file's name.
    """
    shape = TypeAdapter(list[IntentPhrases])
    found: Labelled = []
    for path in paths or sorted(FOLDER.glob("intents*.yaml")):
        for block in _read(path, shape):
            if CATEGORY_OF[block.intent] is not block.category:
                msg = f"{path}: {block.intent} does not belong to {block.category}"
                raise InvalidArticle(msg)
            found += [(text, block.intent.value) for text in block.fr + block.en]
    return found


def priorities(path: Path = FOLDER / "priorities.yaml") -> Labelled:
    """Return the phrases with their priorities. Raises as `intents`."""
    blocks = _read(path, TypeAdapter(list[PriorityPhrases]))
    return [(text, block.priority.value) for block in blocks for text in block.fr + block.en]


def _read(path: Path, shape: TypeAdapter[list[B]]) -> list[B]:
    try:
        return shape.validate_python(yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader))
    except (yaml.YAMLError, ValidationError) as error:
        msg = f"{path}: {error}"
        raise InvalidArticle(msg) from None
