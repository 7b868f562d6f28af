"""The bridge as a stage: what stops it at its start, and what its health says."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gateways.http import listen
from schemas.errors import Unavailable
from services.bridge import BridgeStage, build_bridge, has_work, presses_of
from services.neighbours import Neighbours
from services.settings import MqttSettings, Settings
from services.settings_frigo import RosterSettings, TelegramSettings
from tests.vendors.telegram import TOKEN, Telegram, serving

if TYPE_CHECKING:
    from gateways.presses import Presses


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(tmp_path)
    return Settings()


async def built(settings: Settings) -> BridgeStage:
    async with Neighbours(settings, "127.0.0.1:1", embedded=True) as near:
        return await build_bridge(near)


def nowhere() -> str:
    """The URL of a broker that is not there."""
    with listen("127.0.0.1", 0) as socket:
        return f"mqtt://127.0.0.1:{socket.getsockname()[1]}"


async def test_with_nothing_to_fetch_it_stands_by_and_says_so(
    settings: Settings, caplog: pytest.LogCaptureFixture
):
    assert not has_work(settings)
    assert (await built(settings)).health().standby
    assert "nothing to bridge: set ASTREINTE_MQTT_URL" in caplog.text


@pytest.mark.parametrize(
    ("mqtt", "why"),
    [
        ({"rules": "readings: [{topic: a, colour: red}]"}, "ASTREINTE_MQTT_RULES: .*Extra inputs"),
        ({"topic": "a/#/b"}, "ASTREINTE_MQTT_TOPIC: .*no level of a topic"),
        ({"status_topic": "s"}, "ASTREINTE_MQTT_TOPIC: .*either {unit_id}"),
        ({"url": "mqtts://x", "ca": "no certificate"}, "ASTREINTE_MQTT_CA: .*not a PEM file"),
    ],
)
async def test_what_is_wrong_is_said_at_the_start(
    settings: Settings, tmp_path: Path, mqtt: dict[str, str], why: str
):
    given: dict[str, object] = {"url": "mqtt://127.0.0.1:1"} | mqtt
    for name in {"rules", "ca"} & mqtt.keys():
        file = tmp_path / name
        file.write_text(mqtt[name])
        given[name] = file
    wrong = settings.model_copy(update={"mqtt": MqttSettings(**given)})  # type: ignore[arg-type]
    with pytest.raises(Unavailable, match=why):
        await built(wrong)


async def test_a_roster_that_is_wrong_is_said_at_the_start(settings: Settings, tmp_path: Path):
    file = tmp_path / "roster.yaml"
    file.write_text("people: 3")
    update = {"roster": RosterSettings(file=file), "telegram": TelegramSettings(token="42:x")}
    with pytest.raises(Unavailable, match=r"ASTREINTE_ROSTER_FILE: .*people"):
        await built(settings.model_copy(update=update))


@pytest.fixture
async def alone(settings: Settings) -> AsyncIterator[BridgeStage]:
    """A bridge without a broker, running."""
    stage = await built(settings.model_copy(update={"mqtt": MqttSettings(url=nowhere())}))
    await stage.start()
    yield stage
    await stage.drain()


async def test_without_its_broker_it_is_not_ready(alone: BridgeStage):
    await asyncio.sleep(0.05)
    health = alone.health()
    assert not health.ready and health.waiting_for == "MQTT" and not health.stopped


async def test_work_that_ends_by_itself_stops_the_process(alone: BridgeStage):
    async def fail() -> None:
        msg = "a bug"
        raise RuntimeError(msg)

    alone.tasks.append(asyncio.create_task(fail()))
    await asyncio.sleep(0.05)
    assert "a bug" in alone.health().stopped


async def test_stopped_it_leaves_no_connection_to_telegram_open(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    kept: list[Presses] = []

    def keeping(near: Neighbours, source: str) -> Presses:
        kept.append(presses_of(near, source))
        return kept[-1]

    monkeypatch.setattr("services.bridge.presses_of", keeping)
    telegram = Telegram()
    async with serving(telegram) as url:
        update = {"telegram": TelegramSettings(token=TOKEN, url=url)}
        stage = await built(settings.model_copy(update=update))
        await stage.start()
        async with asyncio.timeout(5):
            while not telegram.polls:  # noqa: ASYNC110 - of somebody else's doing
                await asyncio.sleep(0.01)
        await stage.drain()
    session = kept[0]._door.bot.session._session  # type: ignore[attr-defined]
    assert session.closed
