"""A whole desk in this process, started in a second: what every desk learns is learned once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

import astreinte.desk
import services.classify.app
import services.rag.app
from ai.index import ArticleIndex
from knowledge.articles import Article
from services.neighbours import Neighbours
from tests.conftest import CACHE, QuickKafka, Trained


@pytest.fixture(scope="module")
def quick(trained: Trained) -> Iterator[None]:
    """Have desks take over classifiers and index, and let their groups be joined at once."""
    make_index = services.rag.app.make_index
    made: list[ArticleIndex] = []

    def once(near: Neighbours, articles: Sequence[Article]) -> ArticleIndex:
        if not made:
            made.append(make_index(near, articles))
        return made[0]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(astreinte.desk, "EmbeddedKafka", QuickKafka)
        patch.setattr(services.classify.app, "train", lambda _near: trained)
        patch.setattr(services.rag.app, "make_index", once)
        yield


def settle_in(folder: Path) -> None:
    """Make a folder that a desk may run in, with the cache of vectors."""
    (folder / "data").mkdir()
    (folder / "data" / "cache").symlink_to(CACHE)
