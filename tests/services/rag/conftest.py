"""What ships, as search has it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ai.embeddings import Embedder
from services.library import Library
from storage.database import Database
from tests.knowing import shipped


@pytest.fixture(scope="module")
def library(embedder: Embedder, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Library]:
    """What ships, with a record that holds nothing."""
    folder: Path = tmp_path_factory.mktemp("library")
    database = Database(f"sqlite:///{folder}/record.db")
    yield Library(database, embedder, *shipped(embedder))
    database.close()
