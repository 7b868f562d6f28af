"""Cold rooms at the doors of real processes: readings come in, buttons come back."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from aiomqtt import Client

from gateways.alerts import Card
from schemas.vocabulary import Severity
from tests.astreinte.test_parts import Part, kafka, newest
from tests.conftest import QuickKafka
from tests.mosquitto import Mosquitto
from tests.vendors.telegram import TOKEN, Telegram, door_to, serving

__all__ = ["kafka"]

CARD = Card(str(uuid4()), "cf-1", "CF 1 : fuite", "Le fluide manque.", "court", Severity.HIGH)


@asynccontextmanager
async def running(tmp_path: Path, broker: QuickKafka, **env: str) -> AsyncIterator[Part]:
    part = Part(tmp_path, broker.address, "astreinte", "run", "bridge", "edge", **env)
    try:
        yield part
    finally:
        part.process.kill()
        part.process.wait()


async def test_readings_come_in_over_http_and_buttons_come_back_from_telegram(
    tmp_path: Path, kafka: QuickKafka
):
    roster = tmp_path / "roster.yaml"
    roster.write_text("people: [{name: Léa, channels: {telegram: 101}}]")
    telegram = Telegram(chats={101})
    async with serving(telegram) as url:
        env = {
            "ASTREINTE_TELEGRAM_URL": url,
            "ASTREINTE_TELEGRAM_TOKEN": TOKEN,
            "ASTREINTE_ROSTER_FILE": str(roster),
            "ASTREINTE_READINGS_KEY": "k3y",
        }
        async with running(tmp_path, kafka, **env) as part:
            http = await part.ready()
            body = {"Température": 5.1, "Pression_BP": 2.5, "localisation": "CF 1"}
            answer = await http.post("/webhook/diagnostic-frigo?cle=k3y", json=body)
            assert answer.status_code == 200 and answer.json()["statut"] == "en_analyse"
            event = json.loads(await newest(kafka.address, "frigo.inbound"))
            assert (event["unit_id"], event["measures"]["Pression_BP"]) == ("CF 1", 2.5)
            assert (await http.post("/readings", json=body)).status_code == 401
            door = door_to(url)
            await door.send("101", CARD)
            [message] = telegram.of(101)
            telegram.press(message, message.button("occupe"))
            event = json.loads(await newest(kafka.address, "feedback.given"))
            assert (event["unit_id"], event["by"]) == ("cf-1", "Léa")
            assert (event["action"], event["episode_id"]) == ("acknowledge", CARD.episode_id)
            await door.close()
            await http.aclose()
            assert part.end() == 0
            assert TOKEN not in part.log


@pytest.fixture
def mosquitto(tmp_path: Path) -> Iterator[Mosquitto]:
    found = Mosquitto(tmp_path)
    found.start()
    yield found
    found.stop()


@pytest.mark.mqtt
async def test_readings_come_in_over_mqtt(tmp_path: Path, kafka: QuickKafka, mosquitto: Mosquitto):
    async with running(tmp_path, kafka, ASTREINTE_MQTT_URL=mosquitto.url) as part:
        http = await part.ready()
        async with Client("127.0.0.1", mosquitto.port) as client:
            payload = json.dumps({"temperature_c": 3.4})
            await client.publish("sites/lyon/units/cf-3/readings", payload, qos=1)
        event = json.loads(await newest(kafka.address, "frigo.inbound"))
        assert (event["unit_id"], event["source"]) == ("cf-3", "mqtt")
        metrics = (await http.get("/metrics")).text
        assert 'astreinte_events_total{outcome="done",stage="bridge"} 1.0' in metrics
        await http.aclose()
        assert part.end() == 0
