"""Customers write to the bot and are answered there, once; who blocks it is left alone."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from sqlmodel import select

from astreinte.faces import face
from gateways.http import listen, serving, url_of
from schemas.topics import STAGES
from services.neighbours import Neighbours
from services.serve import running
from services.settings_frigo import TelegramSettings
from services.settings_policy import PolicySettings
from storage.tables import Message, Outgoing, Suppression
from tests.conftest import until
from tests.vendors.telegram import TOKEN, Telegram
from tests.vendors.telegram import serving as vendor

ANA = 555
QUESTION = "Bourrage papier dans le bac 2, que faire ?"
SECRET = "s3cret"


class Desk:
    """A desk that customers write to by Telegram."""

    def __init__(self, near: Neighbours, telegram: Telegram, url: str) -> None:
        self.near, self.telegram, self.url = near, telegram, url

    async def rows(self, table: Any) -> Sequence[Any]:
        """Return all rows of a table."""
        return await self.near.database.read(lambda session: session.exec(select(table)).all())

    async def ended(self, status: str, count: int = 1) -> Sequence[Outgoing]:
        """Wait until so many replies have come to this end."""

        async def look() -> Sequence[Outgoing]:
            found = [row for row in await self.rows(Outgoing) if row.status == status]
            return found if len(found) == count else []

        found: Sequence[Outgoing] = await until(look)
        return found


@asynccontextmanager
async def made(near: Neighbours, *, posts: bool = False) -> AsyncIterator[Desk]:
    listener = listen("127.0.0.1", 0)
    url = url_of(listener)
    telegram = Telegram()
    async with vendor(telegram) as api:
        hook = {"callback_url": "https://desk.example/x", "secret": SecretStr(SECRET)}
        own = TelegramSettings(
            token=SecretStr(TOKEN), url=api, timeout_s=1.0, customers=True, **hook if posts else {}
        )
        parts = {"telegram": own, "policy": PolicySettings(quiet="none", holidays="none")}
        near.settings = near.settings.model_copy(update=parts)
        names = [*STAGES, *(() if posts else ("bridge",))]
        async with running(near, names), serving(face(near, list, ["edge"]), listener):
            yield Desk(near, telegram, url)


@pytest.mark.usefixtures("quick")
async def test_a_question_is_answered_in_its_chat_and_says_that_a_machine_does(near: Neighbours):
    async with made(near) as desk:
        desk.telegram.write(ANA, QUESTION)
        [row] = await desk.ended("sent")
        [said] = desk.telegram.of(ANA)
        assert said.text == row.text
        assert (row.outbound, row.address, row.provider_id) == (
            "telegram",
            "555",
            str(said.message_id),
        )
        assert "automatique" in said.text and "HUMAIN" in said.text
        [message] = await desk.rows(Message)
        assert message.channel == "telegram"


@pytest.mark.usefixtures("quick")
async def test_a_reply_whose_answer_was_lost_is_left_to_a_person(near: Neighbours):
    async with made(near) as desk:
        desk.telegram.moods["sendMessage"] = ["drop"]
        desk.telegram.write(ANA, QUESTION)
        await desk.ended("doubtful")
        assert len(desk.telegram.of(ANA)) == 1


@pytest.mark.usefixtures("quick")
async def test_who_blocked_the_bot_is_written_to_no_more_until_they_start_it_again(
    near: Neighbours,
):
    async with made(near) as desk:
        desk.telegram.blocked.add(ANA)
        desk.telegram.write(ANA, QUESTION)
        await desk.ended("failed")
        [entry] = await desk.rows(Suppression)
        assert (entry.channel, entry.address, entry.source) == ("telegram", "555", "telegram")
        desk.telegram.blocked.clear()
        desk.telegram.write(ANA, "/start")
        await until(lambda: desk.telegram.of(ANA))
        assert "un programme" in desk.telegram.of(ANA)[0].text
        assert not await desk.rows(Suppression)
        desk.telegram.write(ANA, "Le toner est vide, que faire ?")
        await desk.ended("sent")


@pytest.mark.usefixtures("quick")
async def test_where_telegram_posts_a_message_handed_in_twice_is_one_and_a_forged_one_none(
    near: Neighbours,
):
    async with made(near, posts=True) as desk, httpx.AsyncClient() as http:
        telegram = Telegram()
        message = telegram.write(ANA, QUESTION)
        update = {"update_id": 1, "message": message}
        where = f"{desk.url}/callbacks/telegram"
        name = "X-Telegram-Bot-Api-Secret-Token"
        forged = await http.post(where, json=update, headers={name: "other"})
        assert forged.status_code == 401
        for _ in range(2):
            answer = await http.post(where, json=update, headers={name: SECRET})
            assert answer.status_code == 200
        await desk.ended("sent")
        assert len(await desk.rows(Message)) == len(desk.telegram.of(ANA)) == 1
