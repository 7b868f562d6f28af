"""The edge of extract: one read of the record for a batch, and nothing without it."""

from __future__ import annotations

import pytest
from sqlalchemy import event

from knowledge.catalogue import load_catalogue
from schemas.errors import Unavailable
from schemas.printer import MessageExtracted
from services.extract.handlers import classified_messages
from storage.database import Database
from tests.events import classified

CATALOGUE = load_catalogue()


async def test_a_batch_asks_the_record_three_things_however_large_it_is(database: Database) -> None:
    asked: list[str] = []
    event.listen(
        database.engine, "before_cursor_execute", lambda _c, _r, query, *_: asked.append(query)
    )
    batch = [classified("ma Lexmark C750 bourre", external_id=f"m{n}") for n in range(50)]
    told = await classified_messages(CATALOGUE, database)(batch)
    assert len([query for query in asked if query.startswith("SELECT")]) == 3
    assert len(told) == 50
    for (one,) in told:
        assert isinstance(one, MessageExtracted)
        assert (one.first("model"), one.device) == ("C750", None)


async def test_without_the_record_messages_wait() -> None:
    nowhere = Database("mysql+pymysql://nobody@127.0.0.1:9/nothing")
    with pytest.raises(Unavailable):
        await classified_messages(CATALOGUE, nowhere)([classified("ma Lexmark C750")])
    nowhere.close()
