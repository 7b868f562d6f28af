"""A record of one's own, filled by the stages' own rules and by the record's own reader."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from aiokafka import ConsumerRecord

from knowledge.catalogue import load_catalogue
from knowledge.wording import load_wording
from schemas.event import Event
from schemas.findings import Passage
from schemas.printer import (
    InboundMessage,
    MessageClassified,
    MessageExtracted,
    MessageGrounded,
    MessageReceived,
    ReplyDrafted,
)
from schemas.topics import STAGES
from services import wire
from services.dispatch.printer import plan, sent
from services.extract.printer import extract
from services.ingest.handlers import inbound_messages
from services.record import every_step
from services.respond.printer import Sender, draft
from services.steps import read_step
from storage import outbox
from storage.database import Database
from tests.conftest import record_in
from tests.events import NOW, judged

Raw = ConsumerRecord[bytes, bytes]


@asynccontextmanager
async def database_in(folder: Path) -> AsyncIterator[Database]:
    database = Database(record_in(folder))
    await database.prepare()
    yield database
    database.close()


async def walk(
    database: Database, message: InboundMessage, passages: tuple[Passage, ...] = ()
) -> list[Event]:
    """Walk a message's whole road, without a broker, and record each step."""
    ((received,),) = await inbound_messages(database)([message])
    assert isinstance(received, MessageReceived)
    classified = MessageClassified.after(received, NOW, classification=judged(), why="technique")
    (extracted,) = extract(classified, load_catalogue(), NOW)
    grounded = MessageGrounded.after(extracted, NOW, passages=passages)
    drafted = draft(grounded, load_wording(), Sender(), NOW)
    told = await _send(database, drafted)
    road = [message, received, classified, extracted, grounded, drafted, told]
    await record(database, [raw(event, place) for place, event in enumerate(road)])
    return road


async def halfway(database: Database, message: InboundMessage) -> MessageExtracted:
    """Walk no further than extract."""
    ((received,),) = await inbound_messages(database)([message])
    assert isinstance(received, MessageReceived)
    classified = MessageClassified.after(received, NOW, classification=judged())
    (extracted,) = extract(classified, load_catalogue(), NOW)
    road = [message, received, classified, extracted]
    await record(database, [raw(event, place) for place, event in enumerate(road)])
    return extracted


async def _send(database: Database, drafted: ReplyDrafted) -> Event:
    await database.write(outbox.record, [plan(drafted, "file", datetime.now(UTC))])
    rows = await database.write(outbox.claim, "me", datetime.now(UTC), 100)
    for row in rows:
        row.status = "sent" if row.status == "sending" else row.status
    await database.write(outbox.mark, rows, datetime.now(UTC))
    await database.write(outbox.mark_told, rows, datetime.now(UTC))
    return next(
        sent(row, datetime.now(UTC)) for row in rows if row.reply_id == str(drafted.event_id)
    )


def raw(event: Event, place: int) -> Raw:
    """Return the record of an event, as Kafka would give it."""
    source = ("gateway", *STAGES)[place]
    return raw_bytes(event.topic, wire.body_of(event), place, wire.headers_of(event, source, 1.5))


def raw_bytes(topic: str, body: bytes, place: int = 0, headers: wire.Headers | None = None) -> Raw:
    """Return any record of any topic; `place` is its offset, and its millisecond."""
    pairs = [(name, value.encode()) for name, value in (headers or {}).items()]
    at = int(NOW.timestamp() * 1000) + place
    return Raw(topic, 0, place, at, 0, b"c1", body, None, 2, len(body), pairs)


async def record(database: Database, records: Sequence[Raw]) -> None:
    """Write records down as the record's own consumer does."""
    await every_step(database)([read_step(found) for found in records])
