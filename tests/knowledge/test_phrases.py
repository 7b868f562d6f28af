"""What the classifiers learn from."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
import yaml

from knowledge import phrases
from knowledge.articles import InvalidArticle
from schemas.vocabulary import CATEGORY_OF, Category, Intent, Priority

BLOCKS = yaml.safe_load((phrases.FOLDER / "intents.yaml").read_text("utf-8"))


@pytest.mark.parametrize("category", list(Category))
@pytest.mark.parametrize("language", ["fr", "en"])
def test_each_category_has_forty_phrases_in_each_language(category: str, language: str) -> None:
    mine = [text for block in BLOCKS if block["category"] == category for text in block[language]]
    assert len(set(mine)) >= 40


def test_each_intent_and_each_priority_has_phrases() -> None:
    intents = Counter(label for _, label in phrases.intents())
    priorities = Counter(label for _, label in phrases.priorities())
    assert intents.keys() == {intent.value for intent in Intent}
    assert priorities.keys() == {priority.value for priority in Priority}
    assert min(intents.values()) >= 20
    assert min(priorities.values()) >= 20


@pytest.mark.parametrize("read", [phrases.intents, phrases.priorities])
def test_no_phrase_is_there_twice_or_empty(read: object) -> None:
    texts = [text.strip().lower() for text, _ in read()]  # type: ignore[operator]
    assert [text for text, count in Counter(texts).items() if count > 1 or not text] == []


def test_every_intent_has_a_category() -> None:
    assert CATEGORY_OF.keys() == set(Intent)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- {category: billing, intent: fault, fr: [a], en: [b]}", "does not belong to billing"),
        ("- {category: technical, intent: panic, fr: [a], en: [b]}", "intent"),
        ("- {category: technical, intent: fault, fr: [a]}", "en"),
        ("- {category: technical, intent: fault, fr: [a], en: [b], de: [c]}", "de"),
        ("nothing: here", "list"),
        ("- [", "expected"),
    ],
)
def test_a_broken_file_is_refused_by_name(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "intents.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(InvalidArticle, match=said) as caught:
        phrases.intents(path)
    assert str(caught.value).startswith(f"{path}: ")
