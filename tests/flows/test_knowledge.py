"""What is imported while desks run is found in all of them, at once."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest

from astreinte.learning.outcomes import Given, Outcome, Steps
from astreinte.learning.taking import Taking
from astreinte.learning.telling import Crier, telling
from astreinte.running import Running
from services.library import Library
from services.neighbours import Neighbours
from services.rag.app import follow, shelve
from services.settings import KafkaSettings, Settings
from storage import documents
from tests.flows.conftest import beside
from tests.knowing import FILTER, OZONE

WITHIN_S = 2.0
GUIDE = "# Guide d'entretien\n\n{words}\n"
BADGE = "Si le lecteur de badges clignote en rouge, débranchez-le dix secondes."


@asynccontextmanager
async def replica(kafka: str, settings: Settings) -> AsyncIterator[tuple[Neighbours, Library]]:
    """What a process of rag has for search, with a connection of its own."""
    async with beside(kafka, settings) as near:
        await near.connect()
        await near.database.prepare()
        library = await asyncio.to_thread(shelve, near)
        await follow(near, library)
        library.start()
        try:
            yield near, library
        finally:
            await library.stop()
            await near.broker.stop()


async def best(near: Neighbours, library: Library) -> str:
    ((first, *_),) = library.index.search_many([OZONE], await near.embedder.embed([OZONE]), 3)
    return first.name


async def until(found: bool, name: str, *replicas: tuple[Neighbours, Library]) -> None:
    async with asyncio.timeout(20):
        for one in replicas:
            while (await best(*one)).startswith(name) is not found:  # noqa: ASYNC110
                await asyncio.sleep(0.01)


async def take(near: Neighbours, crier: Crier, file: Path) -> Outcome:
    return await Taking(near.database, near.embedder, crier, Given()).take(str(file), Steps())


async def test_what_is_imported_changed_and_removed_is_known_to_two_replicas_within_two_seconds(
    kafka: str, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.library.EVERY_S", 600.0)  # what is not heard is not found
    guide = tmp_path / "guide.md"
    took = []
    embedded = kafka != os.environ.get("ASTREINTE_KAFKA")
    desk = Running("", kafka, settings.database.url, os.getpid(), embedded)
    async with (
        replica(kafka, settings) as one,
        replica(kafka, settings) as other,
        telling(settings, desk) as crier,
    ):
        other_file = tmp_path / "badges.md"
        other_file.write_text(BADGE, "utf-8")
        await take(one[0], crier, other_file)  # loads what tells languages and makes
        for number, words in enumerate((FILTER, BADGE, FILTER)):
            guide.write_text(GUIDE.format(words=words), "utf-8")
            began = time.perf_counter()  # with what it takes to read and to embed it
            done = await take(one[0], crier, guide)
            await until(words == FILTER, done.name, one, other)
            took.append(time.perf_counter() - began)
            assert (done.outcome, done.passages) == ("updated" if number else "new", 1)
        gone = await one[0].database.write(documents.remove, done.name, datetime.now(UTC))
        assert gone
        began = time.perf_counter()
        await crier.tell([gone])
        await until(False, done.name, one, other)
        took.append(time.perf_counter() - began)
        assert not crier.failed
    assert max(took) < WITHIN_S, took


async def test_what_was_imported_while_nobody_listened_is_there_at_the_next_start(
    kafka: str, settings: Settings, tmp_path: Path
) -> None:
    guide = tmp_path / "guide.md"
    guide.write_text(GUIDE.format(words=FILTER), "utf-8")
    async with beside(kafka, settings) as near:
        await near.database.prepare()
        done = await take(near, Crier(None), guide)
    async with replica(kafka, settings) as (near, library):
        assert (await best(near, library)).startswith(done.name)


async def test_a_kafka_that_is_gone_costs_seconds_and_no_knowledge(
    kafka: str, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.library.EVERY_S", 0.2)
    guide = tmp_path / "guide.md"
    guide.write_text(GUIDE.format(words=FILTER), "utf-8")
    nowhere = settings.model_copy(update={"kafka": KafkaSettings(servers="127.0.0.1:9")})
    async with replica(kafka, settings) as (near, library):
        async with telling(nowhere, None) as crier:
            done = await take(near, crier, guide)
            assert crier.failed
        await until(True, done.name, (near, library))
