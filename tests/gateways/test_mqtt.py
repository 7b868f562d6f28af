"""The bridge and a real Mosquitto: nothing lost at QoS 1, whoever is killed."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from aiomqtt import Client, MqttError, Will

from gateways.mqtt import Broker, MqttBridge
from gateways.rules import Rules
from schemas.errors import Unavailable
from schemas.frigo import InboundReading
from tests.mosquitto import Mosquitto

pytestmark = pytest.mark.mqtt

RULES = Rules.simple("sites/+/units/{unit_id}/readings", "sites/+/units/{unit_id}/status")
TOPIC = "sites/lyon/units/cf-1/readings"


class Road:
    """Takes readings in Kafka's place; while `down` it confirms nothing."""

    def __init__(self) -> None:
        self.told: list[InboundReading] = []
        self.down = False
        self.tries = 0

    async def publish(self, events: Sequence[InboundReading]) -> None:
        self.tries += 1
        if self.down:
            msg = "Kafka does not confirm"
            raise Unavailable(msg)
        self.told += events

    @property
    def numbers(self) -> list[float]:
        return [event.measures["n"] or 0.0 for event in self.told if "n" in event.measures]


@pytest.fixture
def road() -> Road:
    return Road()


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    found = Mosquitto(tmp_path)
    found.start()
    yield found
    found.stop()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateways.mqtt.AGAIN_S", (0.1, 0.2))


async def until(true: Callable[[], object], within_s: float = 15.0) -> None:
    async with asyncio.timeout(within_s):
        while not true():  # noqa: ASYNC110 - of somebody else's doing
            await asyncio.sleep(0.02)


@asynccontextmanager
async def bridging(mosquitto: Mosquitto, road: Road, **more: Any) -> AsyncIterator[MqttBridge]:
    broker = Broker(mosquitto.url, "bridge", **more)
    bridge = MqttBridge(broker, RULES, road.publish, max_bytes=1000)
    task = asyncio.create_task(bridge.run())
    try:
        yield bridge
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def client(mosquitto: Mosquitto, **more: Any) -> Client:
    name = f"p{uuid4().hex[:8]}"
    return Client("127.0.0.1", mosquitto.port, identifier=name, timeout=3, **more)


def numbered(number: int) -> str:
    return json.dumps({"n": number, "ts": 1768204800 + number})


async def publish(mosquitto: Mosquitto, *payloads: str | bytes, topic: str = TOPIC) -> None:
    async with client(mosquitto) as found:
        for payload in payloads:
            await found.publish(topic, payload, qos=1)


async def test_readings_arrive_in_their_order(mosquitto: Mosquitto, road: Road):
    async with bridging(mosquitto, road) as bridge:
        await until(lambda: not bridge.taken.waiting_for)
        await publish(mosquitto, *[numbered(n) for n in range(300)])
        await until(lambda: len(road.told) == 300)
    assert road.numbers == list(range(300))
    assert {event.unit_id for event in road.told} == {"cf-1"}


async def test_what_comes_while_the_bridge_is_away_is_there_when_it_is_back(
    mosquitto: Mosquitto, road: Road
):
    async with bridging(mosquitto, road) as bridge:
        await until(lambda: not bridge.taken.waiting_for)
    await publish(mosquitto, *[numbered(n) for n in range(50)])
    async with bridging(mosquitto, road):
        await until(lambda: len(road.told) == 50)
    assert road.numbers == list(range(50))


async def test_a_message_is_confirmed_only_once_kafka_has_it(mosquitto: Mosquitto, road: Road):
    road.down = True
    async with bridging(mosquitto, road) as bridge:
        await until(lambda: not bridge.taken.waiting_for)
        await publish(mosquitto, numbered(1), numbered(2))
        await until(lambda: road.tries > 1)
        assert bridge.taken.waiting_for == "Kafka"
    road.down = False  # that bridge is gone; the next one is handed the same
    async with bridging(mosquitto, road):
        await until(lambda: len(road.told) == 2)
        await asyncio.sleep(0.3)
    async with bridging(mosquitto, road):  # and now they are confirmed
        await asyncio.sleep(0.5)
    assert road.numbers == [1, 2]


async def test_kafka_may_be_away_for_a_while(mosquitto: Mosquitto, road: Road):
    road.down = True
    async with bridging(mosquitto, road) as bridge:
        await until(lambda: not bridge.taken.waiting_for)
        await publish(mosquitto, *[numbered(n) for n in range(40)])
        await until(lambda: road.tries > 2)
        road.down = False
        await until(lambda: len(road.told) >= 40)
        assert bridge.taken.waiting_for == ""
    assert sorted(set(road.numbers)) == list(range(40))


async def keep_publishing(mosquitto: Mosquitto, confirmed: list[int]) -> None:
    """Publish numbers for ever, each until the broker has confirmed it."""
    number = 0
    while True:
        with suppress(MqttError):
            async with client(mosquitto) as found:
                while True:
                    await found.publish(TOPIC, numbered(number), qos=1)
                    confirmed.append(number)
                    number += 1
                    await asyncio.sleep(0.002)
        await asyncio.sleep(0.05)


async def test_nothing_is_lost_when_the_broker_is_killed_again_and_again(
    mosquitto: Mosquitto, road: Road
):
    confirmed: list[int] = []
    async with bridging(mosquitto, road) as bridge:
        await until(lambda: not bridge.taken.waiting_for)
        publisher = asyncio.create_task(keep_publishing(mosquitto, confirmed))
        for _ in range(3):
            goal = len(confirmed) + 100
            await until(lambda goal=goal: len(confirmed) > goal)
            mosquitto.kill()
            await until(lambda: bridge.taken.waiting_for == "MQTT")
            await asyncio.to_thread(mosquitto.start)
        goal = len(confirmed) + 100
        await until(lambda: len(confirmed) > goal)
        publisher.cancel()
        await until(lambda: set(confirmed) <= set(road.numbers))
    ids = {event.event_id for event in road.told}
    assert len(ids) == len(set(road.numbers)), "handed in twice, it is one event"


async def test_a_last_will_becomes_a_link_that_is_down(mosquitto: Mosquitto, road: Road):
    status = "sites/lyon/units/cf-1/status"
    async with bridging(mosquitto, road) as bridge:
        await until(lambda: not bridge.taken.waiting_for)
        logger = client(mosquitto, will=Will(status, "offline", qos=1, retain=True))
        await logger.__aenter__()
        await logger.publish(status, "online", qos=1, retain=True)
        await until(lambda: road.told)
        logger._client.socket().close()  # its cable is cut
        await until(lambda: len(road.told) == 2)
    assert [(event.unit_id, event.link) for event in road.told] == [
        ("cf-1", "up"),
        ("cf-1", "down"),
    ]


async def test_what_cannot_be_read_does_not_come_again(mosquitto: Mosquitto, road: Road):
    bad = [b"", b"\xff", "[]", "{}", '{"t": "hot"}', "x" * 5000]
    async with bridging(mosquitto, road) as bridge:
        await until(lambda: not bridge.taken.waiting_for)
        await publish(mosquitto, *bad, numbered(1))
        await until(lambda: bridge.taken.done)
        assert bridge.taken.refused == 6
        await asyncio.sleep(0.2)  # for the broker to hear of it: at worst it hands in again
    async with bridging(mosquitto, road) as again:
        await asyncio.sleep(0.5)
        assert again.taken.refused == 0
    assert road.numbers == [1]


async def test_a_broker_that_comes_up_later_is_waited_for(tmp_path: Path, road: Road):
    late = Mosquitto(tmp_path)
    async with bridging(late, road) as bridge:
        await asyncio.sleep(0.3)
        assert bridge.taken.waiting_for == "MQTT"
        await asyncio.to_thread(late.start)
        await until(lambda: not bridge.taken.waiting_for)
    late.stop()


async def test_a_password_is_asked_for(
    tmp_path: Path, road: Road, caplog: pytest.LogCaptureFixture
):
    locked = Mosquitto(tmp_path, password="s3cret")
    locked.start()
    async with bridging(locked, road, user="astreinte", password="wrong") as bridge:
        await until(lambda: "lets us not in" in caplog.text)
        assert bridge.taken.waiting_for == "MQTT"
    async with bridging(locked, road, user="astreinte", password="s3cret") as bridge:
        await until(lambda: not bridge.taken.waiting_for)
    locked.stop()
    assert "wrong" not in caplog.text


async def test_with_tls_readings_come_from_a_broker_that_the_authority_vouches_for(
    tmp_path: Path, road: Road, caplog: pytest.LogCaptureFixture
):
    sealed = Mosquitto(tmp_path, tls=True)
    sealed.start()
    try:
        async with bridging(sealed, road) as bridge:  # the system's authorities know nothing of it
            await until(lambda: "CERTIFICATE_VERIFY_FAILED" in caplog.text)
            assert bridge.taken.waiting_for == "MQTT"
        async with bridging(sealed, road, ca=sealed.ca) as bridge:
            await until(lambda: not bridge.taken.waiting_for)
            trust = Broker(sealed.url, "gateway", ca=sealed.ca).trust
            async with Client("127.0.0.1", sealed.port, tls_context=trust) as client:
                await client.publish(TOPIC, json.dumps({"n": 7}), qos=1)
            await until(lambda: road.numbers == [7])
    finally:
        sealed.stop()
