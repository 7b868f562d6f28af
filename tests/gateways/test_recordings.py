"""Recordings of calls: heard once, told, and only then deleted at Twilio."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateways.heard import Heard
from gateways.recordings import MAX_BYTES, Recordings
from gateways.twilio import Account
from schemas.errors import Unavailable
from schemas.printer import InboundMessage
from tests.vendors.twilio import SID, TOKEN, Twilio, serving

OURS, MOBILE = "+33937000001", "+33639981201"


class Desk:
    """What was told; the words of a recording are its bytes."""

    def __init__(self) -> None:
        self.told: list[InboundMessage] = []
        self.fails: Exception | None = None

    async def hear(self, audio: bytes) -> Heard:
        if audio == b"broken":
            msg = "no sound in it"
            raise ValueError(msg)
        return Heard(audio.decode(), 0.8, "recorded")

    async def publish(self, message: InboundMessage) -> None:
        if self.fails:
            raise self.fails
        self.told.append(message)


@asynccontextmanager
async def meeting() -> AsyncIterator[tuple[Twilio, Recordings, Desk]]:
    twilio, desk = Twilio([OURS]), Desk()
    async with serving(twilio) as url:
        account = Account(SID, TOKEN, url=url, timeout_s=3.0)
        recordings = Recordings(account, [OURS], desk.hear, desk.publish)
        yield twilio, recordings, desk
        await recordings._http.aclose()
        await recordings._client.http_client.close()


async def test_what_callers_left_becomes_messages_and_is_deleted_there():
    async with meeting() as (twilio, recordings, desk):
        first = twilio.leave(MOBILE, OURS, b"bourrage papier")
        call = twilio.left[first]["call"]
        twilio.leave("anonymous", OURS, b"le toner est vide")
        assert await recordings.turn() == 2
        assert await recordings.turn() == 0
    assert [message.text for message in desk.told] == ["bourrage papier", "le toner est vide"]
    assert (desk.told[0].external_id, desk.told[0].sender, desk.told[0].to) == (call, MOBILE, OURS)
    assert desk.told[0].headers["x-consent"] == "recorded"
    assert twilio.left == {}


async def test_a_recording_stays_until_kafka_has_its_words():
    async with meeting() as (twilio, recordings, desk):
        twilio.leave(MOBILE, OURS, b"bourrage")
        desk.fails = Unavailable("Kafka does not answer")
        with pytest.raises(Unavailable):
            await recordings.turn()
        assert len(twilio.left) == 1
        desk.fails = None
        assert await recordings.turn() == 1


async def test_silence_is_deleted_and_told_to_nobody():
    async with meeting() as (twilio, recordings, desk):
        twilio.leave(MOBILE, OURS, b"")
        assert await recordings.turn() == 0
    assert (twilio.left, desk.told) == ({}, [])


async def test_what_is_not_ours_or_not_finished_is_left_alone():
    async with meeting() as (twilio, recordings, desk):
        twilio.leave(MOBILE, "+33937000009", b"a")
        twilio.leave(MOBILE, OURS, b"b", source="DialVerb")
        twilio.leave(MOBILE, OURS, b"c", status="processing")
        assert await recordings.turn() == 0
    assert (len(twilio.left), desk.told) == (3, [])


@pytest.mark.parametrize("sound", [b"broken", b"a" * (MAX_BYTES + 1)])
async def test_what_cannot_be_heard_is_tried_three_times_and_holds_up_no_other(sound: bytes):
    async with meeting() as (twilio, recordings, _):
        bad = twilio.leave(MOBILE, OURS, sound)
        twilio.leave(MOBILE, OURS, b"bourrage")
        assert [await recordings.turn() for _ in range(4)] == [1, 0, 0, 0]
        assert recordings._failed[bad] == 3
    assert list(twilio.left) == [bad]  # a person may listen there
