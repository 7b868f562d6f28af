"""How far consumer groups have come, and taking them back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping, Sequence
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
AGAIN_S = 0.5
NOT_YET = {
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
}
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
    [described] = await _answer(lambda: admin.describe_consumer_groups([group]))
    if described.members:
        raise KafkaException(KafkaError(KafkaError.NON_EMPTY_GROUP))
    asked = [ConsumerGroupTopicPartitions(group)]
    [read] = await _answer(lambda: admin.list_consumer_group_offsets(asked))
    then = OffsetSpec.for_timestamp(int(moment.timestamp() * 1000))
    places = {TopicPartition(each.topic, each.partition): then for each in read.topic_partitions}
    since = await _answer(lambda: admin.list_offsets(places)) if places else []
    return [
        Rewound(was.topic, was.partition, was.offset, now.offset)
        for was, now in zip(read.topic_partitions, since, strict=True)
        if 0 <= now.offset < was.offset  # -1: no record since then
    ]


async def _put(admin: AdminClient, group: str, back: Sequence[Rewound]) -> None:
    places = [TopicPartition(each.topic, each.partition, each.now_at) for each in back]
    if not places:
        return
    asked = [ConsumerGroupTopicPartitions(group, places)]
    [answer] = await _answer(lambda: admin.alter_consumer_group_offsets(asked))
    for place in answer.topic_partitions:
        if place.error:
            raise KafkaException(place.error)


async def _answer(ask: Callable[[], Mapping[Any, Future[Any]]]) -> list[Any]:
    """Ask through librdkafka's threads, again while the group's broker is being found."""
    until = time.monotonic() + ANSWER_S
    while True:
        waiting = [asyncio.wrap_future(future) for future in ask().values()]
        try:
            return await asyncio.wait_for(asyncio.gather(*waiting), ANSWER_S)
        except KafkaException as error:
            if error.args[0].code() not in NOT_YET or time.monotonic() > until:
                raise
        except TimeoutError:
            msg = f"Kafka does not answer within {ANSWER_S:g} s"
            raise Unavailable(msg) from None
        await asyncio.sleep(AGAIN_S)
