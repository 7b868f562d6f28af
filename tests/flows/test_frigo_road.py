"""Readings in, one alarm out: acknowledged, ended, and nothing lost or doubled by a restart."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import col, select

import services.dispatch.app
from gateways.alerts import Card
from refrigeration.profile import Profile
from schemas.errors import Unavailable
from schemas.frigo import FeedbackGiven
from schemas.readings import InboundReading
from schemas.topics import STAGES
from schemas.vocabulary import Severity
from services import clerk, profiles, subscription, vigil
from services.neighbours import Neighbours
from services.serve import running
from services.settings_frigo import AlarmSettings
from storage import units
from storage.tables import Alert, Episode, Recorded, Unit
from tests.conftest import until

START = datetime.now(UTC) - timedelta(hours=6)
PARTS = [*STAGES, "record"]


class Phone:
    """A door that keeps what it showed; `down` makes it refuse for now."""

    name = "console"

    def __init__(self) -> None:
        self.messages: list[list[Card]] = []
        self.down = False

    async def send(self, to: str, card: Card) -> str:
        if self.down:
            msg = "no network"
            raise Unavailable(msg, 0.1)
        self.messages.append([card])
        return str(len(self.messages) - 1)

    async def edit(self, to: str, reference: str, card: Card) -> None:
        self.messages[int(reference)].append(card)

    async def close(self) -> None:
        """Nothing to do."""

    @property
    def shown(self) -> list[Card]:
        return [cards[-1] for cards in self.messages]


@pytest.fixture
def phone(monkeypatch: pytest.MonkeyPatch) -> Phone:
    made = Phone()
    monkeypatch.setattr(services.dispatch.app, "alert_doors", lambda _settings: {"console": made})
    monkeypatch.setattr(profiles, "EVERY_S", 0.1)
    monkeypatch.setattr(vigil, "EVERY_S", 0.2)
    return made


@pytest.fixture
def soon_followed(near: Neighbours, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the embedded broker wait 1 s, not 5, for those who may follow when members have left."""
    if near.embedded:  # librdkafka's mock waits for a session less 1 s
        monkeypatch.setattr(subscription, "SESSION_MS", 2_000)
        monkeypatch.setattr(subscription, "HEARTBEAT_MS", 300)


def room(name: str = "chambre-1", **changes: Any) -> Profile:
    return Profile.model_validate(
        {
            "unit_id": name,
            "name": "Chambre positive 1",
            "kind": "positive_room",
            "site": "Cuisine",
            "set_point_c": 3,
            "high_c": 6,
            "masks": {"tAO": 15, "PAO": 0},
            "food": {"high_c": 8, "source": "arrêté du 21/12/2009", "effective_from": "2009-12-21"},
        }
        | changes
    )


async def declare(near: Neighbours, *found: Profile) -> None:
    await near.database.prepare()
    for profile in found:
        body = profile.model_dump(mode="json")
        await near.database.write(units.declare, body, datetime.now(UTC))


@asynccontextmanager
async def desk(near: Neighbours, *parts: str) -> AsyncIterator[None]:
    async with running(near, list(parts or PARTS)):
        yield


def readings(name: str, begin: int, minutes: int, celsius: float) -> list[InboundReading]:
    return [
        InboundReading.model_validate(
            {
                "unit_id": name,
                "measured_at": START + timedelta(minutes=begin + minute),
                "measures": {"température": celsius + 0.01 * (minute % 3)},
            }
        )
        for minute in range(minutes)
    ]


async def rows(near: Neighbours, table: type[Any]) -> list[Any]:
    return list(await near.database.read(lambda session: session.exec(select(table)).all()))


async def episode(near: Neighbours, **wanted: bool) -> Episode | None:
    found = await rows(near, Episode)
    assert len(found) <= 1
    if not found or any(bool(getattr(found[0], name)) is not is_ for name, is_ in wanted.items()):
        return None
    return found[0]


async def test_a_warm_room_is_one_message_acknowledged_and_one_end(
    quick: None, near: Neighbours, phone: Phone
) -> None:
    await declare(near, room())
    async with desk(near):
        await near.teller.tell(readings("chambre-1", 0, 30, 3.0), "bridge")
        await near.teller.tell(readings("chambre-1", 30, 30, 9.0), "bridge")
        await until(lambda: len(phone.messages) == 1)
        [card] = phone.shown
        assert card.open
        assert "Chambre positive 1" in card.title
        found = await episode(near)
        assert found
        given = FeedbackGiven.model_validate(
            {
                "unit_id": "chambre-1",
                "episode_id": found.episode_id,
                "action": "acknowledge",
                "by": "Léa",
                "occurred_at": datetime.now(UTC),
            }
        )
        await near.teller.tell([given], "bridge")
        await until(lambda: phone.shown[0].acknowledged)
        assert "Pris en charge par Léa" in phone.shown[0].text
        await near.teller.tell(readings("chambre-1", 60, 60, 3.0), "bridge")
        await until(lambda: len(phone.messages) == 2)
        await until(lambda: not phone.shown[0].open)
        assert phone.shown[1].title.startswith("Fin : ")
        assert "Durée" in phone.shown[1].text
        await until(lambda: _kept(near, "frigo.sent", 2))
    topics = {row.topic for row in await rows(near, Recorded)}
    assert {"frigo.classified", "frigo.extracted", "frigo.grounded", "frigo.drafted"} <= topics
    assert not {"frigo.inbound", "frigo.received"} & topics
    assert [row.status for row in await rows(near, Alert)] == ["sent", "sent"]


async def _kept(near: Neighbours, topic: str, count: int) -> bool:
    def read(session: Any) -> int:
        return len(session.exec(select(Recorded).where(col(Recorded.topic) == topic)).all())

    return bool(await near.database.read(read) >= count)


async def test_an_alarm_is_told_once_although_everything_is_restarted_in_its_middle(
    quick: None, kafka: str, near: Neighbours, phone: Phone, soon_followed: None
) -> None:
    await declare(near, room())
    async with desk(near):
        await near.teller.tell(readings("chambre-1", 0, 38, 3.0), "bridge")
        await near.teller.tell(readings("chambre-1", 38, 8, 9.0), "bridge")
        await until(lambda: _remembered(near))
    assert phone.messages == []  # its on-delay has not passed
    async with Neighbours(near.settings, kafka, embedded=near.embedded) as second:
        second.cache = near.cache
        async with desk(second):
            await second.teller.tell(readings("chambre-1", 46, 12, 9.0), "bridge")
            await until(lambda: len(phone.messages) == 1)
    async with Neighbours(near.settings, kafka, embedded=near.embedded) as third:
        third.cache = near.cache
        async with desk(third):
            await third.teller.tell(readings("chambre-1", 40, 18, 9.0), "bridge")  # once more
            await third.teller.tell(readings("chambre-1", 58, 60, 3.0), "bridge")
            await until(lambda: len(phone.messages) == 2)
            await until(lambda: [card.open for card in phone.shown] == [False, False])
    assert len(phone.messages) == 2
    assert len(await rows(near, Episode)) == 1


async def _remembered(near: Neighbours) -> bool:
    def read(session: Any) -> Unit | None:
        return session.get(Unit, "chambre-1")

    found = await near.database.read(read)
    return bool(found and found.state)


async def test_a_detector_that_was_killed_is_an_alarm_and_its_return_the_end(
    quick: None, near: Neighbours, phone: Phone, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(clerk, "LOOK_EVERY_S", 0.1)
    monkeypatch.setattr(vigil, "BEAT_S", 0.2)
    alarm = AlarmSettings.model_construct(detector_s=1.5, group_wait_s=30.0)
    near.settings = near.settings.model_copy(update={"alarm": alarm})
    await declare(near, room())
    await near.database.write(units.beat, "killed", datetime.now(UTC) - timedelta(minutes=1))
    async with desk(near, "dispatch"):  # and nobody who classifies
        await until(lambda: len(phone.messages) == 1)
        [card] = phone.shown
        assert "détecteur" in card.title
        assert card.severity is Severity.CRITICAL
        async with Neighbours(near.settings, near.kafka, embedded=near.embedded) as other:
            other.cache = near.cache
            async with desk(other, "classify"):
                await until(lambda: len(phone.messages) == 2)
                await until(lambda: not any(card.open for card in phone.shown))
    assert len(phone.messages) == 2
