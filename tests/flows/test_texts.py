"""Customers write texts and call; answers leave by Twilio, their delivery comes back, STOP holds."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
from pydantic import SecretStr
from sqlmodel import Session, SQLModel, select

from astreinte.faces import face
from gateways.http import listen, serving, url_of
from knowledge.segments import in_gsm7
from schemas.topics import STAGES
from services.neighbours import Neighbours
from services.serve import running
from services.settings_channels import TwilioSettings
from services.settings_policy import PolicySettings
from storage.tables import Consent, Conversation, Outgoing, Suppression
from tests.conftest import until
from tests.vendors.twilio import SID, TOKEN, Twilio
from tests.vendors.twilio import serving as vendor

OURS, OTHER = "+33937000001", "+33937000002"
MOBILE, FIXED, OFF = "+33639981201", "+33261910000", "+33639981299"
QUESTION = "Bourrage papier dans le bac 2, que faire ?"


class Desk:
    """A desk that texts and calls come to, and Twilio."""

    def __init__(self, near: Neighbours, twilio: Twilio) -> None:
        self.near, self.twilio = near, twilio

    async def rows(self, table: type[SQLModel]) -> Sequence[Any]:
        """Return all rows of a table."""
        return await self.near.database.read(lambda session: _all(session, table))

    async def ended(self, count: int) -> list[Outgoing]:
        """Wait until so many replies have come to their end; return them, oldest first."""

        async def look() -> list[Outgoing]:
            found = [row for row in await self.rows(Outgoing) if row.told_at]
            return sorted(found, key=lambda row: row.created_at) if len(found) >= count else []

        found: list[Outgoing] = await until(look)
        return found


def _all(session: Session, table: type[SQLModel]) -> Sequence[Any]:
    return session.exec(select(table)).all()


@pytest.fixture
async def desk(quick: None, near: Neighbours) -> AsyncIterator[Desk]:
    async with made(near) as found:
        yield found


@asynccontextmanager
async def made(near: Neighbours) -> AsyncIterator[Desk]:
    listener = listen("127.0.0.1", 0)
    twilio = Twilio([OURS, OTHER], url_of(listener))
    async with vendor(twilio) as api:
        own = TwilioSettings(
            sid=SID,
            token=SecretStr(TOKEN),
            url=api,
            public_url=url_of(listener),
            numbers=f"{OURS},{OTHER}",
            timeout_s=2.0,
        )
        parts = {"twilio": own, "policy": PolicySettings(quiet="none", holidays="none")}
        near.settings = near.settings.model_copy(update=parts)
        async with (
            running(near, [*STAGES, "record"]),
            serving(face(near, list, ["edge"]), listener),
        ):
            yield Desk(near, twilio)


async def test_a_text_is_answered_from_its_number_delivered_and_counted(desk: Desk):
    assert await desk.twilio.text(MOBILE, OTHER, QUESTION) == 200
    (text,) = await until(lambda: desk.twilio.texts)
    assert (text.from_, text.to) == (OTHER, MOBILE)
    assert in_gsm7(text.body)

    async def delivered() -> list[Outgoing]:
        return [row for row in await desk.rows(Outgoing) if row.delivered_at]

    (row,) = await until(delivered)
    assert (row.status, row.outbound, row.provider_id) == ("sent", "twilio", text.sid)
    assert row.text == text.body
    assert row.segments == int(text.shape(SID)["num_segments"])


async def test_the_same_text_posted_again_is_answered_once(desk: Desk):
    for _ in range(3):
        assert await desk.twilio.text(MOBILE, OURS, QUESTION, MessageSid="SM1") == 200
    await desk.twilio.text(MOBILE, OURS, "et le toner est vide, que faire ?")
    await desk.ended(2)
    assert len(desk.twilio.texts) == 2
    assert len(await desk.rows(Conversation)) == 1


async def test_stop_is_confirmed_first_and_holds_between_these_two_numbers(desk: Desk):
    await desk.twilio.text(MOBILE, OURS, "ARRÊT")
    (confirmed,) = await until(lambda: desk.twilio.texts)
    assert (confirmed.from_, confirmed.to) == (OURS, MOBILE)
    await desk.twilio.text(MOBILE, OURS, QUESTION)
    await desk.ended(2)
    assert len(desk.twilio.texts) == 1
    (consent,) = await desk.rows(Consent)
    assert OURS in str(vars(consent))
    await desk.twilio.text(MOBILE, OTHER, QUESTION)  # to another of our numbers
    await until(lambda: len(desk.twilio.texts) == 2)


async def test_an_answer_that_was_lost_is_settled_by_the_report_and_not_sent_again(desk: Desk):
    desk.twilio.moods = ["take and drop"]
    await desk.twilio.text(MOBILE, OURS, QUESTION)
    (row,) = await desk.ended(1)
    assert row.status == "sent"
    assert row.provider_id == desk.twilio.texts[0].sid
    assert len(desk.twilio.texts) == 1


async def test_who_is_unknown_to_twilio_is_written_to_no_more(desk: Desk):
    desk.twilio.fate[OFF] = (("sent", ""), ("undelivered", "30005"))
    await desk.twilio.text(OFF, OURS, QUESTION)

    async def failed() -> list[Outgoing]:
        return [row for row in await desk.rows(Outgoing) if row.status == "failed"]

    (row,) = await until(failed)
    assert "30005" in row.last_error
    (entry,) = await desk.rows(Suppression)
    assert (entry.channel, entry.address) == ("sms", OFF)
    await desk.twilio.text(OFF, OURS, "et maintenant, bourrage papier ?")
    await desk.ended(2)
    assert len(desk.twilio.texts) == 1


async def test_calls_are_answered_by_text_or_by_a_person(desk: Desk):
    heard = await desk.twilio.call(MOBILE, OURS, ["oui", "mon imprimante fait un bourrage papier"])
    assert "SMS" in heard[-1]
    (text,) = await until(lambda: desk.twilio.texts)
    assert (text.from_, text.to) == (OURS, MOBILE)
    await desk.twilio.call(FIXED, OURS, ["1", "le toner est vide, comment le changer ?"])
    _, back = await desk.ended(2)
    assert (back.action, back.reason, back.status) == ("handoff", "call_back", "none")
    assert len(desk.twilio.texts) == 1
