"""The embedded broker: what its groups need of aiokafka."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.consumer.group_coordinator import CoordinatorGroupRebalance

from tests.conftest import QuickKafka, until

TOPICS = ("printer.drafted", "printer.reported", "frigo.drafted")


@pytest.fixture
def kafka() -> Iterator[QuickKafka]:
    broker = QuickKafka()
    yield broker
    broker.close()


async def test_members_of_one_group_join_although_some_ask_late_for_their_shares(
    kafka: QuickKafka, monkeypatch: pytest.MonkeyPatch
) -> None:
    follow = CoordinatorGroupRebalance._on_join_follower

    async def late(member: Any) -> Any:
        await asyncio.sleep(0.03)  # a loop that is busy
        return await follow(member)

    monkeypatch.setattr(CoordinatorGroupRebalance, "_on_join_follower", late)
    members = [
        AIOKafkaConsumer(topic, bootstrap_servers=kafka.address, group_id="dispatch")
        for topic in TOPICS
    ]
    try:
        await asyncio.wait_for(asyncio.gather(*(member.start() for member in members)), 20)
        await until(lambda: all(member.assignment() for member in members))
    finally:
        await asyncio.gather(*(member.stop() for member in members))
