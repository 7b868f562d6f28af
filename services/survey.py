"""How the topics are: records, what each group has not read yet, and since when it waits."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from aiokafka import AIOKafkaConsumer, TopicPartition

from gateways.kafka import Cluster
from gateways.topics import look
from schemas.topics import FEEDBACK, FRIGO, PRINTER, REPORTS, STAGES
from services.topics import names

READER_OF = {
    event.topic: stage
    for flow in (PRINTER, FRIGO)
    for event, stage in zip(flow, STAGES, strict=False)
} | {event.topic: "dispatch" for event in (*REPORTS, *FEEDBACK)}
"""Which stage reads a topic."""
RATE_OVER_MS = 60_000
LOOKED_AT = 500


@dataclass(frozen=True)
class TopicState:
    """One topic. `oldest_s`: age in seconds of the oldest record that its reader has not done."""

    topic: str
    reader: str
    records: int
    last_minute: int
    lag: int
    oldest_s: float | None


async def survey(cluster: Cluster, group: str) -> list[TopicState]:
    """Ask the broker about every topic of the table that it has.

    Raises
    ------
    Unavailable
        No broker there, or it does not let us in.
    """
    # A consumer of a topic that is missing would make it, where the server lets it.
    there = list((await look(cluster, names())).topics)
    if not there:
        return []
    # Without a group nothing is joined and nothing committed: it only looks.
    plain = AIOKafkaConsumer(*there, fetch_max_wait_ms=50, **cluster.client)
    await plain.start()
    try:
        return [await _state(plain, cluster, group, name) for name in there]
    finally:
        await plain.stop()


async def _state(plain: AIOKafkaConsumer, cluster: Cluster, group: str, topic: str) -> TopicState:
    places = [TopicPartition(topic, n) for n in sorted(plain.partitions_for_topic(topic) or ())]
    begin, end = await plain.beginning_offsets(places), await plain.end_offsets(places)
    reader = READER_OF.get(topic, "")
    done = await _committed(cluster, f"{group}.{reader}", places) if reader else dict(end)
    behind = {place: max(done.get(place, 0), begin[place]) for place in places}
    records = sum(end[place] - begin[place] for place in places)
    return TopicState(
        topic=topic,
        reader=reader,
        records=records,
        last_minute=await _recent(plain, end) if records else 0,
        lag=sum(end[place] - behind[place] for place in places),
        oldest_s=await _oldest(plain, {p: o for p, o in behind.items() if o < end[p]}),
    )


async def _recent(plain: AIOKafkaConsumer, end: dict[TopicPartition, int]) -> int:
    """Return how many records are younger than a minute."""
    since = int(datetime.now(UTC).timestamp() * 1000) - RATE_OVER_MS
    found = await plain.offsets_for_times(dict.fromkeys(end, since))
    if any(found.values()):
        return sum(end[place] - first.offset for place, first in found.items() if first)
    # The embedded broker does not know times: look at the newest records themselves.
    for place, offset in end.items():
        plain.seek(place, max(0, offset - LOOKED_AT))
    newest = await plain.getmany(*end, timeout_ms=200)
    return sum(record.timestamp >= since for records in newest.values() for record in records)


async def _committed(
    cluster: Cluster, group: str, places: Sequence[TopicPartition]
) -> dict[TopicPartition, int]:
    """Read a group's offsets without joining it."""
    reader = AIOKafkaConsumer(group_id=group, enable_auto_commit=False, **cluster.client)
    reader.assign(list(places))
    await reader.start()
    try:
        return {place: await reader.committed(place) or 0 for place in places}
    finally:
        await reader.stop()


async def _oldest(plain: AIOKafkaConsumer, waiting: dict[TopicPartition, int]) -> float | None:
    """Return the age in seconds of the oldest of the records that wait."""
    ages = []
    for place, offset in waiting.items():
        plain.seek(place, offset)
        records = (await plain.getmany(place, timeout_ms=1000, max_records=1)).get(place, [])
        if records:
            ages.append(datetime.now(UTC).timestamp() - records[0].timestamp / 1000)
    return round(max(ages), 1) if ages else None
