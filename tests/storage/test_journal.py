"""The edge's journal."""

from __future__ import annotations

from datetime import timedelta

import pytest

from schemas.errors import Unavailable
from storage import journal
from storage.database import Database
from tests.events import NOW


async def test_what_is_accepted_is_unfinished_until_it_is_finished(database: Database) -> None:
    assert await database.write(journal.accept, "e1", '{"n": 1}', NOW)
    assert await database.read(journal.unfinished) == ['{"n": 1}']
    await database.write(journal.finish, ["e1"], NOW)
    assert await database.read(journal.unfinished) == []


async def test_a_repeated_message_goes_on_its_road_again_until_that_is_finished(
    database: Database,
) -> None:
    assert await database.write(journal.accept, "e1", "one", NOW)
    assert await database.write(journal.accept, "e1", "other", NOW)
    assert await database.read(journal.unfinished) == ["one"]
    await database.write(journal.finish, ["e1"], NOW)
    assert not await database.write(journal.accept, "e1", "one", NOW)


async def test_the_oldest_comes_first(database: Database) -> None:
    for number in (3, 1, 2):
        at = NOW + timedelta(microseconds=number)
        await database.write(journal.accept, f"e{number}", str(number), at)
    assert await database.read(journal.unfinished) == ["1", "2", "3"]


async def test_finishing_twice_or_what_never_was_is_no_error(database: Database) -> None:
    await database.write(journal.accept, "e1", "one", NOW)
    for _ in range(2):
        await database.write(journal.finish, ["e1", "e2"], NOW)
    await database.write(journal.finish, [], NOW)
    assert await database.read(journal.unfinished) == []


async def test_no_more_is_accepted_than_the_embedded_broker_keeps(database: Database) -> None:
    long = "é" * 120_000
    taken = 0
    with pytest.raises(Unavailable, match="under way"):
        for number in range(100):
            assert await database.write(journal.accept, f"e{number}", long, NOW)
            taken += 1
    assert taken == 18  # of 2 x 240,000 + 6,000 bytes; the last one starts below 8 MiB
    await database.write(journal.finish, [f"e{number}" for number in range(taken)], NOW)
    assert await database.write(journal.accept, "later", "one", NOW)
