"""What becomes of a reply by what its provider says: codes, ranks, tries."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import pytest
from sqlmodel import Session, col, select

from gateways.outbound import Letter, Refused
from schemas.delivery import DeliveryReported
from schemas.errors import Rejected, Unavailable
from services.reports import take_in
from services.verdicts import JudgedOutbound
from storage import outbox
from storage.database import Database
from storage.migrations.provider_errors import TWILIO
from storage.tables import Outgoing, ProviderError, Suppression

THEIRS = "+33 6 39 98 12 01"
NOW = datetime.now(UTC)


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    made = Database(f"sqlite:///{tmp_path}/record.db")
    await made.prepare()
    yield made
    made.close()


def row(**changes: Any) -> dict[str, Any]:
    return {
        "reply_id": str(uuid4()),
        "message_id": str(uuid4()),
        "conversation_id": "c1",
        "channel": "sms",
        "address": THEIRS,
        "text": "Bonjour",
        "action": "reply",
        "reason": "grounded",
        "how": "template",
        "status": "sent",
        "outbound": "twilio",
        "provider_id": "SM1",
        "attempts": 1,
        "next_attempt_at": NOW,
        "created_at": NOW,
        "told_at": NOW,
    } | changes


class Reply:
    """One reply in the outbox, and what is reported of it."""

    def __init__(self, database: Database, **changes: Any) -> None:
        self._database = database
        self._row = row(**changes)

    async def __aenter__(self) -> Self:
        await self._database.write(outbox.record, [self._row])
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def reported(self, status: str, code: str = "", sid: str = "SM1") -> Outgoing:
        event = DeliveryReported.model_validate(
            {
                "reply_id": self._row["reply_id"],
                "status": status,
                "outbound": "twilio",
                "provider_id": sid,
                "code": code,
                "occurred_at": NOW,
            }
        )
        await self._database.write(take_in, [event])
        return await self.now()

    async def now(self) -> Outgoing:
        def read(session: Session) -> Outgoing:
            return session.exec(
                select(Outgoing).where(col(Outgoing.reply_id) == self._row["reply_id"])
            ).one()

        return await self._database.read(read)

    async def change(self, **values: Any) -> None:
        def write(session: Session) -> None:
            found = session.get_one(Outgoing, self._row["reply_id"])
            for name, value in values.items():
                setattr(found, name, value)

        await self._database.write(write)


async def suppressed(database: Database) -> list[Suppression]:
    return await database.read(lambda session: list(session.exec(select(Suppression))))


async def test_reports_overtake_one_another_and_an_end_is_an_end(database: Database):
    async with Reply(database) as reply:
        found = await reply.reported("delivered")
        assert found.delivered_at
        assert (await reply.reported("sent")).delivered_at == found.delivered_at
        assert (await reply.reported("failed", "30008")).status == "sent"
    async with Reply(database) as reply:
        assert (await reply.reported("failed", "30007")).status == "failed"
        for late in ("sent", "delivered"):
            found = await reply.reported(late)
            assert (found.status, found.delivered_at) == ("failed", None)


async def test_a_number_that_does_not_exist_is_written_to_no_more(database: Database):
    async with Reply(database) as reply:
        assert (await reply.reported("failed", "30005")).status == "failed"
    (entry,) = await suppressed(database)
    assert (entry.channel, entry.address) == ("sms", "+33639981201")
    assert (entry.reason, entry.source, entry.until) == ("twilio_30005", "twilio", None)


async def test_a_telephone_that_is_off_is_tried_three_times_then_left_alone_for_a_week(
    database: Database,
):
    async with Reply(database) as reply:
        for attempt, sid, after in ((1, "SM1", 10), (2, "SM2", 120)):
            await reply.change(status="sent", provider_id=sid, attempts=attempt)
            found = await reply.reported("failed", "30003", sid)
            assert found.status == "queued"
            assert found.next_attempt_at == NOW + timedelta(minutes=after)
            assert not await suppressed(database)
        await reply.change(status="sent", provider_id="SM3", attempts=3)
        assert (await reply.reported("failed", "30003", "SM3")).status == "failed"
    (entry,) = await suppressed(database)
    assert entry.until
    assert timedelta(days=6) < entry.until - NOW < timedelta(days=8)


async def test_a_late_report_on_an_earlier_try_says_nothing_of_this_one(database: Database):
    async with Reply(database) as reply:
        await reply.reported("failed", "30003", "SM1")
        for status in ("sending", "doubtful"):  # the second try is on its way
            await reply.change(status=status, attempts=2)
            assert (await reply.reported("failed", "30003", "SM1")).status == status
        assert (await reply.reported("sent", sid="SM2")).provider_id == "SM2"
        assert (await reply.reported("failed", "30003", "SM1")).status == "sent"
        assert (await reply.reported("delivered", sid="SM2")).delivered_at


async def test_what_is_wrong_with_us_is_said_in_the_log_and_suppresses_nobody(
    database: Database, caplog: pytest.LogCaptureFixture
):
    async with Reply(database) as reply:
        assert (await reply.reported("failed", "30007")).status == "failed"
    assert "30007: filtré par l'opérateur" in caplog.text
    assert not await suppressed(database)


async def test_a_code_that_nobody_knows_is_said_in_the_log(
    database: Database, caplog: pytest.LogCaptureFixture
):
    async with Reply(database) as reply:
        assert (await reply.reported("failed", "39999")).status == "failed"
    assert "39999" in caplog.text


async def test_people_may_change_what_a_code_means(database: Database):
    def change(session: Session) -> None:
        session.get_one(ProviderError, ("twilio", "30007")).effect = "suppress"

    await database.write(change)
    async with Reply(database) as reply:
        await reply.reported("failed", "30007")
    assert len(await suppressed(database)) == 1


async def test_a_suppression_for_good_is_not_shortened(database: Database):
    async with Reply(database) as reply:
        await reply.reported("failed", "30005")
    async with Reply(database, attempts=3) as reply:
        await reply.reported("failed", "30003")
    (entry,) = await suppressed(database)
    assert (entry.reason, entry.until) == ("twilio_30005", None)
    async with Reply(database, address="+33639981202", attempts=3) as reply:
        await reply.reported("failed", "30003")
    async with Reply(database, address="+33639981202") as reply:
        await reply.reported("failed", "30005")
    assert {each.until for each in await suppressed(database)} == {None}


class Refusing:
    """A door whose provider refuses."""

    name = "twilio"
    at_once = 1
    settles_after_s = 1.0

    def __init__(self, code: str, status: int) -> None:
        self._why = Refused("twilio", code, f"Twilio answers {status}, {code}", status=status)

    async def send(self, letter: Letter) -> str:
        raise self._why

    async def was_sent(self, reply_id: str) -> bool:
        return False

    async def close(self) -> None:
        return None


async def test_each_known_code_has_its_effect(database: Database):
    for number, (code, effect, _) in enumerate(TWILIO):
        door = JudgedOutbound(Refusing(code, 400), database)
        raised: type[Exception] = Unavailable if effect in {"retry", "slow_down"} else Rejected
        address = f"+336399812{number:02}"
        with pytest.raises(raised):
            await door.send(Letter("r1", "sms", address, "", "Bonjour"))
        there = {each.address for each in await suppressed(database)}
        assert (address in there) == (effect == "suppress"), code


async def test_with_a_wrong_token_replies_wait_for_the_right_one(database: Database):
    door = JudgedOutbound(Refusing("20003", 401), database)
    with pytest.raises(Unavailable):
        await door.send(Letter("r1", "sms", THEIRS, "", "Bonjour"))
