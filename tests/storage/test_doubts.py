"""Replies that may have left: settled by the provider's word, by whoever comes first."""

from __future__ import annotations

from datetime import timedelta

from storage import doubts, outbox
from storage.database import Database
from storage.tables import Outgoing
from tests.events import NOW
from tests.storage.test_outbox import LATER, claimed, row, stored

SOON = LATER + timedelta(seconds=15)


async def in_doubt(database: Database) -> Outgoing:
    await database.write(outbox.record, [row()])
    (mine,) = await claimed(database, "dead")
    await database.write(doubts.doubt, mine, SOON)
    return mine


async def test_a_claim_is_taken_away_once_and_looked_into_in_its_time(database: Database) -> None:
    mine = await in_doubt(database)
    found = await stored(database, mine.reply_id)
    assert (found.status, found.next_attempt_at) == ("doubtful", SOON)
    assert await database.read(doubts.claimed) == []
    assert await database.read(doubts.due, LATER) == []
    assert [late.reply_id for late in await database.read(doubts.due, SOON)] == [mine.reply_id]


async def test_a_claim_that_somebody_else_has_by_now_is_not_taken_away(database: Database) -> None:
    await database.write(outbox.record, [row()])
    (mine,) = await claimed(database, "another")
    mine.owner = "dead"
    await database.write(doubts.doubt, mine, SOON)
    assert (await stored(database, mine.reply_id)).status == "sending"


async def test_a_report_settles_a_doubt_before_it_is_looked_into(database: Database) -> None:
    mine = await in_doubt(database)
    assert await database.write(doubts.left, mine.reply_id, "p7", SOON, "file")
    assert not await database.write(doubts.left, mine.reply_id, "p7", SOON, "file")
    await database.write(lambda s: doubts.settle(s, mine.reply_id, status="queued"))
    found = await stored(database, mine.reply_id)
    assert (found.status, found.provider_id, found.told_at) == ("sent", "p7", None)


async def test_a_report_that_it_failed_counts_until_one_says_that_it_arrived(
    database: Database,
) -> None:
    mine = await in_doubt(database)
    await database.write(doubts.left, mine.reply_id, "p7", SOON, "file")
    assert await database.write(doubts.delivered, mine.reply_id, SOON, "file")
    assert not await database.write(doubts.failed, mine.reply_id, "no such number", "file")
    found = await stored(database, mine.reply_id)
    assert (found.status, found.delivered_at) == ("sent", SOON)


async def test_a_reply_that_was_said_to_have_left_may_still_fail(database: Database) -> None:
    mine = await in_doubt(database)
    await database.write(doubts.left, mine.reply_id, "p7", SOON, "file")
    (told,) = await claimed(database)
    await database.write(outbox.mark_told, [told], NOW)
    assert await database.write(doubts.failed, mine.reply_id, "no such number", "file")
    (untold,) = await claimed(database)
    assert (untold.status, untold.last_error) == ("failed", "no such number")


async def test_reports_of_other_doors_and_of_strangers_change_nothing(database: Database) -> None:
    mine = await in_doubt(database)
    assert not await database.write(doubts.left, mine.reply_id, "p7", SOON, "webhook")
    assert not await database.write(doubts.left, "nobody", "p7", SOON, "file")
    assert (await stored(database, mine.reply_id)).status == "doubtful"
