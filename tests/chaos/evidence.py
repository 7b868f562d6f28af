"""What is left after a run, read from the topics, the database and the provider's ledger."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from aiokafka import AIOKafkaConsumer, ConsumerRecord
from sqlalchemy import create_engine, text

from schemas.printer import ReplySent
from schemas.topics import PRINTER, TOPICS
from tests.chaos.readings import Reading
from tests.chaos.rooms import Room

Line = dict[str, Any]


@dataclass(frozen=True)
class Seen:
    """A record in a topic. `detail`: the status that an outcome tells, or a letter's cause."""

    place: str
    at: float
    event_id: str
    detail: str = ""


@dataclass(frozen=True)
class DeadLetter:
    """A dead letter; `origin` is where its record lay."""

    stage: str
    origin: str
    key: str
    reason: str
    trace_id: str


@dataclass
class Topics:
    """All records: by trace and topic, and the dead letters."""

    roads: dict[str, dict[str, list[Seen]]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(list))
    )
    dead: list[DeadLetter] = field(default_factory=list)
    records: int = 0


@dataclass
class Tables:
    """What the database says: of messages by their id, of traces by topic, of conversations."""

    messages: dict[str, Line] = field(default_factory=dict)
    outgoing: dict[str, Line] = field(default_factory=dict)
    attempts: dict[tuple[str, str], int] = field(default_factory=dict)
    recorded: dict[str, dict[str, int]] = field(default_factory=lambda: defaultdict(dict))
    on_the_road: list[str] = field(default_factory=list)


@dataclass
class Ledger:
    """What the provider took, and every call it had."""

    taken: list[Line] = field(default_factory=list)
    calls: list[Line] = field(default_factory=list)


async def read_topics(address: str) -> Topics:
    """Read every topic from its beginning to its end, without a group."""
    found = Topics()
    consumer = AIOKafkaConsumer(
        *(topic.name for topic in TOPICS),
        bootstrap_servers=address,
        auto_offset_reset="earliest",
        max_partition_fetch_bytes=8 << 20,
    )
    await consumer.start()
    try:
        ends = await consumer.end_offsets(consumer.assignment())
        left = {place for place, end in ends.items() if end}
        while left:
            for place, records in (await consumer.getmany(timeout_ms=2_000)).items():
                for record in records:
                    _note(found, record)
                if records[-1].offset + 1 >= ends[place]:
                    left.discard(place)
    finally:
        await consumer.stop()
    return found


def _note(found: Topics, record: ConsumerRecord[bytes, bytes]) -> None:
    found.records += 1
    headers = {name: (value or b"").decode("utf-8", "replace") for name, value in record.headers}
    trace = headers.get("traceparent", "")[3:35]
    place = f"{record.partition}/{record.offset}"
    detail = ""
    if record.topic.startswith("dead."):
        origin = "/".join(headers.get(f"dead_{n}", "?") for n in ("topic", "partition", "offset"))
        detail = f"{origin}: {headers.get('dead_error')}: {headers.get('dead_reason')}"
        key = (record.key or b"").decode("utf-8", "replace")
        found.dead.append(DeadLetter(record.topic, origin, key, detail, trace))
    elif record.topic == ReplySent.topic and record.value:
        detail = json.loads(record.value)["status"]
    seen = Seen(place, record.timestamp / 1000, headers.get("ce_id", ""), detail)
    found.roads[trace][record.topic].append(seen)


def read_tables(url: str) -> Tables:
    """Read what the database says."""
    found = Tables()
    engine = create_engine(url)
    with engine.connect() as connection:

        def rows(query: str) -> Iterator[Line]:
            return (dict(row) for row in connection.execute(text(query)).mappings())

        columns = "message_id, conversation_id, channel, external_id, outcome, stored_at"
        for row in rows(f"SELECT {columns} FROM message"):
            found.messages[row["message_id"]] = row
        columns = (
            "reply_id, message_id, conversation_id, action, reason, status, provider_id, owner,"
            " attempts, created_at, claimed_at, sent_at, told_at, next_attempt_at, last_error"
        )
        for row in rows(f"SELECT {columns} FROM outgoing"):
            found.outgoing[row["message_id"]] = row
        for row in rows(
            "SELECT outbound, outcome, COUNT(*) AS number FROM attempt GROUP BY outbound, outcome"
        ):
            found.attempts[row["outbound"], row["outcome"]] = row["number"]
        for row in rows(
            "SELECT trace_id, topic, COUNT(*) AS number FROM event GROUP BY trace_id, topic"
        ):
            found.recorded[row["trace_id"]][row["topic"]] = row["number"]
        query = "SELECT conversation_id FROM conversation WHERE state = 'on_the_road'"
        found.on_the_road = [row["conversation_id"] for row in rows(query)]
    engine.dispose()
    return found


@dataclass
class Kept:
    """What the database says of cold rooms: episodes, their messages, each unit's newest reading."""

    episodes: list[Line] = field(default_factory=list)
    alerts: list[Line] = field(default_factory=list)
    read_at: dict[str, float] = field(default_factory=dict)


def read_kept(url: str) -> Kept:
    """Read what the database says of cold rooms."""
    found = Kept()
    engine = create_engine(url)
    with engine.connect() as connection:

        def rows(query: str) -> list[Line]:
            return [
                {name: _aware(value) for name, value in row.items()}
                for row in connection.execute(text(query)).mappings()
            ]

        columns = "episode_id, unit_id, fault, began_at, ended_at, acknowledged_by, announced_at"
        found.episodes = rows(f"SELECT {columns} FROM episode")
        columns = (
            "alert_id, episode_id, unit_id, kind, address, status, reference, attempts, owner,"
            " created_at, claimed_at, sent_at, told_at, last_error"
        )
        found.alerts = rows(f"SELECT {columns} FROM alert ORDER BY created_at")
        for row in rows("SELECT unit_id, read_at FROM unit WHERE read_at IS NOT NULL"):
            found.read_at[row["unit_id"]] = row["read_at"].timestamp()
    engine.dispose()
    return found


def _aware(value: Any) -> Any:
    return value.replace(tzinfo=UTC) if isinstance(value, datetime) else value


def unfinished(url: str) -> dict[str, int]:
    """Count what has no end: messages, replies, alarms; and, as a sign of life, events recorded."""
    queries = {
        "messages": "SELECT COUNT(*) FROM message WHERE outcome = ''",
        "replies": "SELECT COUNT(*) FROM outgoing WHERE told_at IS NULL",
        "alarms": "SELECT COUNT(*) FROM episode WHERE ended_at IS NULL",
        "alarm messages": "SELECT COUNT(*) FROM alert WHERE told_at IS NULL OR shown < wanted",
        "recorded": "SELECT COUNT(*) FROM event",
    }
    engine = create_engine(url)
    with engine.connect() as connection:
        counts = {
            name: int(connection.execute(text(query)).scalar_one())
            for name, query in queries.items()
        }
    engine.dispose()
    return counts


def read_ledger(folder: Path) -> Ledger:
    """Read what the provider wrote; its last line may be half there while it runs."""
    return Ledger(lines(folder / "ledger.jsonl"), lines(folder / "calls.jsonl"))


def lines(path: Path) -> list[Line]:
    """Read what a process wrote line by line."""
    whole = path.read_text().rpartition("\n")[0]
    return [json.loads(line) for line in whole.splitlines()]


ROAD = tuple(event.topic for event in PRINTER)
"""The topics that a message's road leads through, each once."""


@dataclass
class Alarms:
    """What is known of cold rooms. `ends`: when processes of dispatch ended; `away`: from when to
    when nothing could be detected, because classify, broker or database were not there; `deaf`:
    when nobody could have said so.
    """

    rooms: Sequence[Room] = ()
    began_at: float = 0.0
    readings: Sequence[Reading] = ()
    ledger: Sequence[Line] = ()
    episodes: Sequence[Line] = ()
    alerts: Sequence[Line] = ()
    read_at: dict[str, float] = field(default_factory=dict)
    ends: Sequence[float] = ()
    away: Sequence[tuple[float, float]] = ()
    deaf: Sequence[tuple[float, float]] = ()
