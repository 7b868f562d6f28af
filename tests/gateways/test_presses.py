"""Buttons pressed in Telegram, from the server's update to the event."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from gateways.alerts import Card
from gateways.http import listen, url_of
from gateways.http import serving as serving_edge
from gateways.roster import Roster
from schemas.errors import Unavailable
from schemas.frigo import FeedbackGiven
from schemas.vocabulary import Fault, Severity
from tests.vendors.telegram import Message, Telegram, door_to, hang_up, serving

if TYPE_CHECKING:
    from gateways.presses import Presses
    from gateways.telegram import TelegramDoor

ROSTER = Roster.model_validate(
    {
        "people": [
            {"name": "Léa", "channels": {"telegram": 101}},
            {"name": "Paul", "channels": {"telegram": 102}, "language": "en"},
            {"name": "Équipe", "channels": {"telegram": -1007}},
        ]
    }
)
CARD = Card(str(uuid4()), "cf-1 🥶 nord", "CF 1 : fuite 🥶", "🥶 manque", "court", Severity.HIGH)
SECRET = "s3cret-value"


class Road:
    """Takes events in Kafka's place; `down`: so often it does not confirm."""

    def __init__(self) -> None:
        self.told: list[FeedbackGiven] = []
        self.down = 0

    async def publish(self, event: FeedbackGiven) -> None:
        if self.down:
            self.down -= 1
            msg = "Kafka does not confirm"
            raise Unavailable(msg)
        self.told.append(event)


async def until(true: Callable[[], object], within_s: float = 5.0) -> None:
    async with asyncio.timeout(within_s):
        while not true():  # noqa: ASYNC110 - of somebody else's doing
            await asyncio.sleep(0.01)


@pytest.fixture
def telegram() -> Telegram:
    return Telegram()


@pytest.fixture
def road() -> Road:
    return Road()


@pytest.fixture
async def door(telegram: Telegram, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TelegramDoor]:
    monkeypatch.setattr("gateways.telegram.CHAT_GAP_S", 0.05)
    async with serving(telegram) as url:
        found = door_to(url, timeout_s=2.0)
        yield found
        await hang_up(found)


def presses(door: TelegramDoor, road: Road) -> Presses:
    from gateways.presses import Presses  # loads aiogram

    return Presses(door, ROSTER, road.publish)


@asynccontextmanager
async def going(work: Awaitable[Any]) -> AsyncIterator[None]:
    task = asyncio.ensure_future(work)
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@pytest.fixture
async def polling(door: TelegramDoor, road: Road) -> AsyncIterator[None]:
    async with going(presses(door, road).poll()):
        yield


async def sent(door: TelegramDoor, telegram: Telegram, chat: str = "101") -> Message:
    await door.send(chat, CARD)
    return telegram.of(int(chat))[-1]


async def test_acknowledge_becomes_an_event(polling, door, telegram: Telegram, road: Road):
    message = await sent(door, telegram)
    query = telegram.press(message, message.button("occupe"))
    await until(lambda: telegram.answers[query])
    [event] = road.told
    assert (event.action, event.by, event.via) == ("acknowledge", "Léa", "telegram")
    assert (event.episode_id, event.unit_id) == (CARD.episode_id, CARD.unit_id)
    assert telegram.answers[query]["text"] == "Merci, c'est noté : vous vous en occupez"


async def test_shelving_is_for_an_hour(polling, door, telegram: Telegram, road: Road):
    message = await sent(door, telegram)
    telegram.press(message, message.button("Silence"))
    await until(lambda: road.told)
    [event] = road.told
    assert event.action == "shelve" and event.until
    assert event.until - event.occurred_at == timedelta(hours=1)


async def test_what_it_was_is_asked_in_a_second_keyboard(
    polling, door, telegram: Telegram, road: Road
):
    message = await sent(door, telegram)
    telegram.press(message, message.button("C'était"))
    await until(lambda: len(message.rows) > 5)
    query = telegram.press(message, message.button("condenseur encrassé"))
    await until(lambda: telegram.answers[query])
    [event] = road.told
    assert (event.action, event.fault) == ("label", Fault.CONDENSER_FOULING)
    await until(lambda: len(message.rows) == 1)


async def test_a_false_alarm_is_a_label_without_a_fault(
    polling, door, telegram: Telegram, road: Road
):
    message = await sent(door, telegram)
    telegram.press(message, message.button("C'était"))
    await until(lambda: len(message.rows) > 5)
    telegram.press(message, message.button("Fausse"))
    await until(lambda: road.told)
    assert (road.told[0].action, road.told[0].fault) == ("label", "")


async def test_one_can_go_back_without_saying_anything(
    polling, door, telegram: Telegram, road: Road
):
    message = await sent(door, telegram)
    telegram.press(message, message.button("C'était"))
    await until(lambda: len(message.rows) > 5)
    query = telegram.press(message, message.button("Retour"))
    await until(lambda: telegram.answers[query])
    assert len(message.rows) == 1 and road.told == []


async def test_a_chat_that_is_not_in_the_roster_is_refused_and_logged(
    polling, door, telegram: Telegram, road: Road, caplog: pytest.LogCaptureFixture
):
    message = await sent(door, telegram, "666")
    query = telegram.press(message, message.button("occupe"))
    await until(lambda: telegram.answers[query])
    assert road.told == [] and telegram.answers[query]["show_alert"] == "true"
    assert "chat 666 is not in the roster" in caplog.text


async def test_in_a_group_it_is_known_who_pressed(polling, door, telegram: Telegram, road: Road):
    message = await sent(door, telegram, "-1007")
    telegram.press(message, message.button("occupe"), user=102)
    telegram.press(message, message.button("occupe"), user=999)
    await until(lambda: len(road.told) == 2)
    assert [event.by for event in road.told] == ["Paul", "Équipe"]


async def test_somebody_of_the_roster_in_a_foreign_chat_is_refused(
    polling, door, telegram: Telegram, road: Road
):
    message = await sent(door, telegram, "-666")
    query = telegram.press(message, message.button("occupe"), user=101)
    await until(lambda: telegram.answers[query])
    assert road.told == []


async def test_a_press_that_kafka_did_not_take_is_handed_in_again_as_the_same_event(
    polling, door, telegram: Telegram, road: Road, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("gateways.presses.AGAIN_S", (0.05,))
    road.down = 2
    message = await sent(door, telegram)
    telegram.press(message, message.button("occupe"))
    telegram.press(message, message.button("Silence"))
    await until(lambda: len(road.told) == 2)
    assert [event.action for event in road.told] == ["acknowledge", "shelve"]


@pytest.mark.parametrize(
    "update",
    [
        {
            "callback_query": {
                "id": "1",
                "from": {"id": 101, "is_bot": False, "first_name": "x"},
                "chat_instance": "1",
                "data": "ack:x",
            }
        },
        {
            "message": {
                "message_id": 1,
                "date": 0,
                "chat": {"id": 5, "type": "private"},
                "text": "/start",
            }
        },
        {"message": {"message_id": 1, "date": 0, "chat": {"id": 5, "type": "private"}}},
        {"edited_message": {"message_id": 1, "date": 0, "chat": {"id": 5, "type": "private"}}},
    ],
)
async def test_an_update_that_is_no_press_stops_nothing(
    polling, door, telegram: Telegram, road: Road, update: dict[str, Any]
):
    telegram.happen(update)
    message = await sent(door, telegram)
    telegram.press(message, message.button("occupe"))
    await until(lambda: road.told)


async def test_a_message_too_old_to_be_shown_names_no_unit(
    polling, door, telegram: Telegram, road: Road
):
    message = await sent(door, telegram)
    data = message.button("occupe")
    telegram.answers["q1"] = {}
    chat = {"id": 101, "type": "private"}
    telegram.happen(
        {
            "callback_query": {
                "id": "q1",
                "from": {"id": 101, "is_bot": False, "first_name": "x"},
                "chat_instance": "1",
                "data": data,
                "message": {"chat": chat, "message_id": message.message_id, "date": 0},
            }
        }
    )
    await until(lambda: telegram.answers["q1"])
    assert road.told == [] and "retrouve plus" in telegram.answers["q1"]["text"]


async def test_polling_goes_on_when_telegram_is_back(
    door, telegram: Telegram, road: Road, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("gateways.presses.AGAIN_S", (0.05,))
    telegram.moods["getUpdates"] = ["500", "429:1", "html", "drop"]
    async with going(presses(door, road).poll()):
        message = await sent(door, telegram)
        telegram.press(message, message.button("occupe"))
        await until(lambda: road.told)
    assert telegram.moods["getUpdates"] == []


# --- the webhook -----------------------------------------------------------------------------


@pytest.fixture
async def edge(door: TelegramDoor, road: Road) -> AsyncIterator[str]:
    app = FastAPI()
    from gateways.hooks import presses_route  # loads aiogram

    app.include_router(presses_route(presses(door, road), SECRET))
    listener = listen("127.0.0.1", 0)
    async with serving_edge(app, listener):
        yield f"{url_of(listener)}/callbacks/telegram"


async def test_telegram_posts_where_it_was_told_to(
    edge: str, door: TelegramDoor, telegram: Telegram, road: Road
):
    road.down = 1
    telegram.moods["setWebhook"] = ["500"]
    await presses(door, road).announce(edge, SECRET)
    message = await sent(door, telegram)
    telegram.press(message, message.button("occupe"))
    await until(lambda: road.told)
    assert road.told[0].by == "Léa"


@pytest.mark.parametrize(
    ("secret", "body", "status"),
    [
        ("wrong", b"{}", 401),
        ("", b"{}", 401),
        (SECRET, b"no json", 200),
        (SECRET, b"[]", 200),
        (SECRET, b"\xff", 200),
        (SECRET, b'{"update_id": 1}', 200),
        (SECRET, b"x" * 300_000, 413),
    ],
)
async def test_what_anybody_else_posts_changes_nothing(
    edge: str, road: Road, secret: str, body: bytes, status: int
):
    async with httpx.AsyncClient() as http:
        headers = {"X-Telegram-Bot-Api-Secret-Token": secret}
        answer = await http.post(edge, content=body, headers=headers)
    assert answer.status_code == status and road.told == []
