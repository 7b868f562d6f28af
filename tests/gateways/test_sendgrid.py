"""Mails out through SendGrid: what is posted, and what its answers mean."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest

from gateways.outbound import OutcomeUnknown, Refused
from gateways.sendgrid import SendGridOutbound
from schemas.errors import Unavailable
from schemas.tags import conversation_of
from tests.gateways.test_smtp import HOSTILE, LETTER, SENDER
from tests.vendors.sendgrid import KEY, SendGrid, sendgrid


@asynccontextmanager
async def meeting(
    timeout_s: float = 2.0, key: str = KEY
) -> AsyncIterator[tuple[SendGrid, SendGridOutbound]]:
    async with sendgrid() as server:
        door = SendGridOutbound(key, SENDER, server.url, timeout_s)
        yield server, door
        await door.close()


async def test_a_letter_is_posted_with_its_identity_and_the_headers_that_thread_it():
    async with meeting() as (server, door):
        number = await door.send(LETTER)
    (taken,) = server.taken
    assert taken["message_id"] == number
    (person,) = taken["personalizations"]
    assert person == {
        "to": [{"email": "ana@example.org"}],
        "custom_args": {"outbound_id": LETTER.reply_id},
    }
    assert taken["from"] == {"email": "support@durand.example", "name": "Dépannage Durand"}
    assert conversation_of(taken["reply_to"]["email"], SENDER.secret) == LETTER.conversation_id
    assert taken["headers"] == {
        "Message-ID": LETTER.mail_id,
        "In-Reply-To": "<2@x>",
        "References": f"<1@x> <2@x> {LETTER.mail_id}",
        "Auto-Submitted": "auto-replied",
        "X-Auto-Response-Suppress": "All",
    }
    assert [part["type"] for part in taken["content"]] == ["text/plain", "text/html"]
    assert taken["content"][0]["value"] == LETTER.text


async def test_hostile_fields_are_posted_as_one_line_or_not_at_all():
    hostile = replace(LETTER, subject=HOSTILE, mail_id=HOSTILE, in_reply_to=HOSTILE)
    async with meeting() as (server, door):
        await door.send(hostile)
    (taken,) = server.taken
    assert taken["subject"] == "x Bcc: all@example.org hello"
    assert taken["headers"].keys() == {"References", "Auto-Submitted", "X-Auto-Response-Suppress"}


@pytest.mark.parametrize("status", [400, 401, 403, 413])
async def test_what_sendgrid_refuses_is_never_sent(status: int):
    async with meeting() as (server, door):
        server.moods = [status]
        with pytest.raises(Refused, match=str(status)):
            await door.send(LETTER)


async def test_a_key_that_is_wrong_is_refused():
    async with meeting(key="SG.other") as (_, door):
        with pytest.raises(Refused, match="401"):
            await door.send(LETTER)


async def test_too_much_at_once_waits_as_long_as_sendgrid_says():
    async with meeting() as (server, door):
        server.moods = [429]
        with pytest.raises(Unavailable) as raised:
            await door.send(LETTER)
    assert raised.value.retry_after_s == pytest.approx(7, abs=1.5)


@pytest.mark.parametrize("mood", [500, 503, "drop", "refuse"])
async def test_a_lost_answer_leaves_the_outcome_unknown(mood: int | str):
    async with meeting() as (server, door):
        server.moods = [mood]
        with pytest.raises(OutcomeUnknown):
            await door.send(LETTER)
        assert await door.was_sent(LETTER.reply_id) is None


async def test_an_answer_that_takes_too_long_leaves_the_outcome_unknown():
    async with meeting(timeout_s=0.2) as (server, door):
        server.moods = ["slow"]
        began = time.monotonic()
        with pytest.raises(OutcomeUnknown):
            await door.send(LETTER)
        assert time.monotonic() - began < 2


async def test_where_nobody_listens_nothing_left():
    async with meeting() as (_, door):
        pass
    door = SendGridOutbound(KEY, SENDER, "http://127.0.0.1:9", 1)
    with pytest.raises(Unavailable, match="cannot be reached"):
        await door.send(LETTER)


async def test_letters_side_by_side_do_not_mix():
    letters = [replace(LETTER, reply_id=f"{n}", text=f"text {n}") for n in range(40)]
    async with meeting() as (server, door):
        numbers = await asyncio.gather(*(door.send(each) for each in letters))
    taken = {each["message_id"]: each for each in server.taken}
    for letter, number in zip(letters, numbers, strict=True):
        person = taken[number]["personalizations"][0]
        assert person["custom_args"]["outbound_id"] == letter.reply_id
        assert taken[number]["content"][0]["value"] == letter.text
