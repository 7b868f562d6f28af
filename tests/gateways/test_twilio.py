"""Texts by Twilio's own client, against a server that behaves as its documents say."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest

from gateways.outbound import Letter, OutcomeUnknown, Refused
from gateways.twilio import Account, From, Sought, TwilioOutbound
from schemas.errors import Unavailable
from tests.vendors.twilio import BAD_TO, SID, TOKEN, Twilio, serving

REPLY = "5a0f3d0e-1c1b-4b7e-9a52-3f6f0c6f9d11"
OURS, OTHER, THEIRS = "+33937000001", "+33937000002", "+33639981201"
BOTH = From((OURS, OTHER))
LETTER = Letter(REPLY, "sms", THEIRS, "", "Bonjour, l'encre est arrivée", ours=OURS)
REPORTS = "https://desk.example.com/callbacks/twilio/status"


class Known:
    """What the outbox knows of letters."""

    def __init__(self) -> None:
        self.sought: dict[str, Sought] = {}

    async def __call__(self, reply_id: str) -> Sought | None:
        return self.sought.get(reply_id)


@asynccontextmanager
async def meeting(
    timeout_s: float = 3.0, per_s: float = 1000.0, from_: From = BOTH
) -> AsyncIterator[tuple[Twilio, TwilioOutbound, Known]]:
    twilio, known = Twilio([OURS, OTHER]), Known()
    async with serving(twilio) as url:
        account = Account(SID, TOKEN, url=url, timeout_s=timeout_s)
        door = TwilioOutbound(account, from_, REPORTS, known, per_s=per_s)
        try:
            yield twilio, door, known
        finally:
            await door.close()


async def test_a_text_leaves_from_the_number_that_was_written_to_and_is_dropped_when_late():
    async with meeting() as (twilio, door, _):
        seen = {}
        taken = twilio._taken
        twilio._taken = lambda form: seen.update(form) or taken(form)
        twilio._report = _nothing
        sid = await door.send(Letter(REPLY, "sms", THEIRS, "", "Ça va", ours=OTHER))
    assert sid == twilio.texts[0].sid
    assert seen == {
        "To": THEIRS,
        "From": OTHER,
        "Body": "Ça va",
        "StatusCallback": f"{REPORTS}?reply_id={REPLY}",
        "ValidityPeriod": "900",
    }


async def _nothing(_: object) -> None:
    return None


@pytest.mark.parametrize(
    ("from_", "ours", "sent_from"),
    [
        (BOTH, OTHER, {"from_": OTHER}),
        (BOTH, "+33600000000", {"from_": OURS}),
        (From((OURS,), "MG" + "1" * 32), OURS, {"from_": OURS}),
        (From((OURS,), "MG" + "1" * 32), "", {"messaging_service_sid": "MG" + "1" * 32}),
        (From(name="Astreinte"), THEIRS, {"from_": "Astreinte"}),
    ],
)
def test_decision_7_without_a_number_that_may_send_a_name_does(
    from_: From, ours: str, sent_from: dict[str, str]
):
    assert from_.of(ours) == sent_from


async def test_a_name_sends_one_way():
    async with meeting(from_=From(name="Astreinte")) as (twilio, door, _):
        twilio._report = _nothing
        await door.send(LETTER)
    assert twilio.texts[0].from_ == "Astreinte"


@pytest.mark.parametrize(("number", "code"), [(to, code) for to, (code, _) in BAD_TO.items()])
async def test_what_twilio_refuses_says_its_code(number: str, code: int):
    async with meeting() as (_, door, _):
        with pytest.raises(Refused) as refused:
            await door.send(Letter(REPLY, "sms", number, "", "Bonjour", ours=OURS))
    assert (refused.value.provider, refused.value.code) == ("twilio", str(code))


async def test_a_text_that_is_too_long_is_refused_with_its_code():
    async with meeting() as (_, door, _):
        with pytest.raises(Refused, match="21617"):
            await door.send(Letter(REPLY, "sms", THEIRS, "", "a" * 1_601, ours=OURS))


async def test_a_wrong_token_is_refused_by_status():
    async with meeting() as (twilio, door, _):
        twilio.token = "another"
        with pytest.raises(Refused) as refused:
            await door.send(LETTER)
    assert (refused.value.status, refused.value.code) == (401, "20003")


async def test_too_many_is_not_now_and_says_for_how_long():
    async with meeting() as (twilio, door, _):
        twilio.moods = ["429:7"]
        with pytest.raises(Unavailable) as later:
            await door.send(LETTER)
        assert later.value.retry_after_s == 7.0
        with pytest.raises(Unavailable, match="pause"):
            await door.send(LETTER)  # the others wait as well
    assert twilio.texts == []


async def test_decision_9_a_server_that_hangs_is_left_after_the_time_that_was_set():
    async with meeting(timeout_s=0.3) as (twilio, door, _):
        twilio.moods = ["hang"]
        began = asyncio.get_running_loop().time()
        with pytest.raises(OutcomeUnknown):
            await door.send(LETTER)
        assert asyncio.get_running_loop().time() - began < 2.0


@pytest.mark.parametrize("mood", ["500", "drop", "take and drop"])
async def test_a_text_that_may_have_left_is_not_known_to_have(mood: str):
    async with meeting() as (twilio, door, _):
        twilio.moods = [mood]
        with pytest.raises(OutcomeUnknown):
            await door.send(LETTER)


async def test_a_server_that_is_not_there_took_nothing():
    door = TwilioOutbound(
        Account(SID, TOKEN, url="http://127.0.0.1:9", timeout_s=2.0),
        From((OURS,)),
        REPORTS,
        Known(),
    )
    with pytest.raises(Unavailable):
        await door.send(LETTER)
    await door.close()


async def test_what_left_is_found_among_the_texts_to_that_number():
    async with meeting() as (twilio, door, known):
        twilio.moods = ["take and drop", "drop"]
        twilio._report = _nothing
        known.sought[REPLY] = Sought(LETTER, datetime.now(UTC))
        with pytest.raises(OutcomeUnknown):
            await door.send(LETTER)
        assert await door.was_sent(REPLY) is True
        other = Letter("other", "sms", THEIRS, "", "Autre chose", ours=OURS)
        known.sought["other"] = Sought(other, datetime.now(UTC))
        with pytest.raises(OutcomeUnknown):
            await door.send(other)
        assert await door.was_sent("other") is False
        assert await door.was_sent("nobody's") is None


async def test_the_same_words_sent_before_or_as_another_reply_are_not_taken_for_it():
    async with meeting() as (twilio, door, known):
        twilio._report = _nothing
        sid = await door.send(LETTER)
        now = datetime.now(UTC)
        known.sought[REPLY] = Sought(LETTER, now, frozenset({sid}))
        assert await door.was_sent(REPLY) is False
        known.sought[REPLY] = Sought(LETTER, now + timedelta(minutes=1))
        assert await door.was_sent(REPLY) is False
        twilio.token = "another"
        assert await door.was_sent(REPLY) is None


async def test_segments_leave_at_the_rate_that_the_account_may_send():
    async with meeting(per_s=20.0) as (twilio, door, _):
        twilio._report = _nothing
        began = asyncio.get_running_loop().time()
        long = "a" * 306  # two segments
        letters = [Letter(f"r{n}", "sms", THEIRS, "", long, ours=OURS) for n in range(5)]
        await asyncio.gather(*(door.send(letter) for letter in letters))
        took = asyncio.get_running_loop().time() - began
    assert 0.4 < took < 2.0  # ten segments at 20 a second, the first at once
