"""How far consumer groups have come, and taking them back."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient, OffsetSpec

from gateways.kafka import Cluster
from gateways.knock import let_in
from schemas.errors import Unavailable

ANSWER_S = 30.0
STILL_THERE = {KafkaError.NON_EMPTY_GROUP, KafkaError.UNKNOWN_MEMBER_ID}
"""What a broker says when somebody joined a group in the meantime."""


@dataclass(frozen=True)
class Rewound:
    """A partition that a group reads again from `now_at`; it had come to `was_at`."""

    topic: str
    partition: int
    was_at: int
    now_at: int


async def rewind(
    cluster: Cluster, groups: Sequence[str], moment: datetime, *, dry_run: bool = False
) -> dict[str, list[Rewound]]:
    """Take groups back to the first records of `moment` or later; return where each had come to.

    All of them are looked at before the first is changed; with `dry_run` none is.

    Raises
    ------
    Unavailable
        No broker there, it refused, or a group still has members.
    """
    async with let_in(cluster):  # or a sentence on why not
        admin = AdminClient({**cluster.native, "log_level": 0})
    found: dict[str, list[Rewound]] = {}
    for changing in (False, True)[: 1 if dry_run else 2]:
        for group in groups:
            try:
                if changing:
                    await _put(admin, group, found[group])
                else:
                    found[group] = await _look(admin, group, moment)
            except KafkaException as error:
                raise _refused(group, error.args[0]) from None
    return found


def _refused(group: str, why: KafkaError) -> Unavailable:
    if why.code() in STILL_THERE:
        return Unavailable(f"{group} is still read: stop its processes, then wait a minute")
    return Unavailable(f"Kafka does not take {group} back ({why.name()})")


async def _look(admin: AdminClient, group: str, moment: datetime) -> list[Rewound]:
    [described] = await _answer(admin.describe_consumer_groups([group]).values())
    if described.members:
        raise KafkaException(KafkaError(KafkaError.NON_EMPTY_GROUP))
    asked = ConsumerGroupTopicPartitions(group)
    [read] = await _answer(admin.list_consumer_group_offsets([asked]).values())
    then = OffsetSpec.for_timestamp(int(moment.timestamp() * 1000))
    places = {TopicPartition(each.topic, each.partition): then for each in read.topic_partitions}
    since = await _answer(admin.list_offsets(places).values()) if places else []
    return [
        Rewound(was.topic, was.partition, was.offset, now.offset)
        for was, now in zip(read.topic_partitions, since, strict=True)
        if 0 <= now.offset < was.offset  # -1: no record since then
    ]


async def _put(admin: AdminClient, group: str, back: Sequence[Rewound]) -> None:
    places = [TopicPartition(each.topic, each.partition, each.now_at) for each in back]
    if not places:
        return
    asked = ConsumerGroupTopicPartitions(group, places)
    [answer] = await _answer(admin.alter_consumer_group_offsets([asked]).values())
    for place in answer.topic_partitions:
        if place.error:
            raise KafkaException(place.error)


async def _answer(futures: Iterable[Future[Any]]) -> list[Any]:
    """Wait for what librdkafka's threads are asked."""
    waiting = [asyncio.wrap_future(future) for future in futures]
    try:
        return await asyncio.wait_for(asyncio.gather(*waiting), ANSWER_S)
    except TimeoutError:
        msg = f"Kafka does not answer within {ANSWER_S:g} s"
        raise Unavailable(msg) from None
