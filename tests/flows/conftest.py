"""A whole desk in this process, started in a second: what every desk learns is learned once."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

import astreinte.desk
import services.classify.app
from schemas.topics import STAGES
from services.neighbours import Neighbours
from services.serve import running
from services.settings import Settings
from tests.conftest import (
    BROKERS,
    CACHE,
    TOGETHER_MS,
    QuickKafka,
    Trained,
    broker_of,
    settings_in,
)


@pytest.fixture(scope="module")
def quick(trained: Trained) -> Iterator[None]:
    """Have desks take over classifiers, and let their groups be joined at once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(astreinte.desk, "EmbeddedKafka", QuickKafka)
        patch.setattr(services.classify.app, "train", lambda _near: trained)
        yield


def settle_in(folder: Path) -> None:
    """Make a folder that a desk may run in, with the cache of vectors."""
    (folder / "data").mkdir()
    (folder / "data" / "cache").symlink_to(CACHE)


@pytest.fixture(params=BROKERS)
async def kafka(request: pytest.FixtureRequest) -> AsyncIterator[str]:
    """The address of a broker for a desk of its own."""
    async with broker_of(request.param, TOGETHER_MS) as address:
        yield address


@pytest.fixture
async def near(kafka: str, settings: Settings) -> AsyncIterator[Neighbours]:
    """Neighbours on that broker, with the vectors of the shipped knowledge at hand."""
    async with beside(kafka, settings) as made:
        yield made


@asynccontextmanager
async def beside(kafka: str, settings: Settings) -> AsyncIterator[Neighbours]:
    """Make such neighbours."""
    embedded = kafka != os.environ.get("ASTREINTE_KAFKA")
    async with Neighbours(settings, kafka, embedded=embedded) as made:
        made.cache = CACHE
        yield made


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=BROKERS)
async def road(
    quick: None, request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Neighbours]:
    """Six stages and the record, for all tests of a file."""
    settings = settings_in(tmp_path_factory.mktemp("road"))
    async with (
        broker_of(request.param, TOGETHER_MS) as address,
        beside(address, settings) as near,
        running(near, [*STAGES, "record"]),
    ):
        yield near
