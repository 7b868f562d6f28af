"""The outbox's relay: each reply leaves once, whatever dies or is down meanwhile."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlmodel import Session, col, select

from gateways.outbound import FileOutbound, Letter
from schemas.errors import Rejected, Unavailable
from schemas.event import Event
from schemas.vocabulary import SendStatus
from services import doubts as settling
from services import postman as module
from services.dispatch.printer import sent
from services.doors import Doors
from services.doubts import LEASE
from services.owner import new_owner
from services.postman import Postman
from storage import outbox
from storage.database import Database
from storage.tables import Outgoing
from tests.conftest import until


class Ears:
    """Hears what is told; may be deaf for a while."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.deaf = False

    async def tell(self, events: Sequence[Event], source: str, took_ms: float = 0.0) -> None:
        assert source == "dispatch"
        if self.deaf:
            msg = "Kafka does not confirm"
            raise Unavailable(msg)
        self.heard += events


class Door:
    """A provider: takes every letter it is given, even twice; may be down, or die on the way."""

    name = "door"
    at_once = 50
    settles_after_s = 0.0

    def __init__(self) -> None:
        self.taken: list[Letter] = []
        self.down = False
        self.down_for: set[str] = set()
        self.silent_once = False
        self.mute = False
        self.refuses: set[str] = set()
        self.slow: set[str] = set()
        self.asked: list[str] = []

    async def send(self, letter: Letter) -> str:
        await asyncio.sleep(0)
        await until(lambda: letter.text not in self.slow)
        if letter.text in self.refuses:
            msg = "the provider answers 400"
            raise Rejected(msg)
        if self.down or letter.text in self.down_for:
            msg = "the provider answers 503"
            raise Unavailable(msg)
        self.taken.append(letter)
        if self.silent_once:
            self.silent_once = False
            raise ConnectionResetError
        return f"p-{letter.reply_id}"

    async def was_sent(self, reply_id: str) -> bool | None:
        self.asked.append(reply_id)
        if self.mute:
            return None
        return any(letter.reply_id == reply_id for letter in self.taken)

    async def close(self) -> None:
        pass

    @property
    def texts(self) -> list[str]:
        return [letter.text for letter in self.taken]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE_S", 0.02)
    monkeypatch.setattr(module, "LOOK_EVERY_S", 0.05)
    monkeypatch.setattr(settling, "ASK_AGAIN", timedelta(seconds=0.02))
    monkeypatch.setattr(outbox, "retry_at", lambda now, attempts: now + timedelta(seconds=0.05))


@pytest.fixture
def ears() -> Ears:
    return Ears()


@pytest.fixture
def door() -> Door:
    return Door()


def row(text: str, conversation: str = "", **changes: Any) -> dict[str, Any]:
    now = datetime.now(UTC)
    fields = {
        "reply_id": str(uuid4()),
        "message_id": str(uuid4()),
        "conversation_id": conversation or f"c-{text}",
        "channel": "email",
        "address": "a@b.fr",
        "subject": "Re: panne",
        "text": text,
        "action": "reply",
        "reason": "grounded",
        "how": "template",
        "sources": [],
        "status": "queued",
        "outbound": "door",
        "provider_id": "",
        "owner": "",
        "attempts": 0,
        "next_attempt_at": now,
        "last_error": "",
        "created_at": now,
    }
    return fields | changes


@asynccontextmanager
async def working(
    database: Database, door: Any, ears: Any, *, max_attempts: int = 100
) -> AsyncIterator[Postman]:
    postman = Postman(database, Doors(door), ears, sent, max_attempts=max_attempts)
    postman.start()
    try:
        yield postman
    finally:
        await postman.stop()


async def rows(database: Database) -> dict[str, Outgoing]:
    found = await database.read(
        lambda session: session.exec(select(Outgoing).order_by(col(Outgoing.created_at))).all()
    )
    return {each.text: each for each in found}


async def all_told(database: Database) -> bool:
    return all(each.told_at for each in (await rows(database)).values())


def dead_owner() -> str:
    """Name a process of this machine that has ended."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    host, pids, _, _ = new_owner().rsplit(":", 3)
    return f"{host}:{pids}:{ended.pid}:0"


async def claimed_by(database: Database, owner: str, *letters: dict[str, Any]) -> list[Outgoing]:
    """Leave rows as a process does that was killed after it had claimed them."""
    await database.write(outbox.record, list(letters))
    return list(await database.write(outbox.claim, owner, datetime.now(UTC), 10))


def lines(path: Path) -> list[dict[str, str]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


async def test_each_reply_leaves_once_and_is_told(database: Database, door: Door, ears: Ears):
    letters = [row(f"text {n}") for n in range(200)]
    await database.write(outbox.record, letters)
    async with working(database, door, ears):
        await until(lambda: all_told(database))
        await asyncio.sleep(0.1)
    assert sorted(door.texts) == sorted(letter["text"] for letter in letters)
    assert len(ears.heard) == 200
    assert {event.status for event in ears.heard} == {SendStatus.SENT}
    assert {each.status for each in (await rows(database)).values()} == {"sent"}


async def test_a_draft_recorded_twice_leaves_once(database: Database, door: Door, ears: Ears):
    letter = row("once")
    async with working(database, door, ears):
        for _ in range(3):
            await database.write(outbox.record, [letter])
            await until(lambda: all_told(database))
            await asyncio.sleep(0.05)
    assert door.texts == ["once"]
    assert len(ears.heard) == 1


async def test_trials_and_drafts_without_a_reply_do_not_leave_but_are_told(
    database: Database, door: Door, ears: Ears
):
    await database.write(
        outbox.record, [row("trial", status="held"), row("", status="none", action="ignore")]
    )
    async with working(database, door, ears):
        await until(lambda: all_told(database))
    assert door.taken == []
    assert {event.status for event in ears.heard} == {SendStatus.HELD, SendStatus.NONE}


async def test_a_new_reply_need_not_wait_for_the_next_look(
    database: Database, door: Door, ears: Ears, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "IDLE_S", 60)
    async with working(database, door, ears) as postman:
        await asyncio.sleep(0.05)
        await database.write(outbox.record, [row("hurry")])
        postman.hurry()
        await until(lambda: door.taken, 2)


# --- crashes -------------------------------------------------------------------------------------


async def test_killed_after_the_send_it_is_not_sent_again(
    database: Database, ears: Ears, tmp_path: Path
):
    file = tmp_path / "outbox.jsonl"
    [claimed] = await claimed_by(database, dead_owner(), row("left", outbound="file"))
    await FileOutbound(file).send(Letter(claimed.reply_id, "email", "a@b.fr", "", "left"))
    async with working(database, FileOutbound(file), ears):
        await until(lambda: all_told(database))
    assert [line["text"] for line in lines(file)] == ["left"]
    assert [event.status for event in ears.heard] == [SendStatus.SENT]
    assert (await rows(database))["left"].attempts == 1


async def test_killed_before_the_send_it_is_sent_now(
    database: Database, ears: Ears, tmp_path: Path
):
    file = tmp_path / "outbox.jsonl"
    [claimed] = await claimed_by(database, dead_owner(), row("had not left", outbound="file"))
    async with working(database, FileOutbound(file), ears):
        await until(lambda: all_told(database))
    assert [line["reply_id"] for line in lines(file)] == [claimed.reply_id]
    assert [event.status for event in ears.heard] == [SendStatus.SENT]


async def test_a_claim_of_another_process_is_left_alone_while_it_may_live(
    database: Database, door: Door, ears: Ears
):
    await claimed_by(database, "elsewhere:4026531836:1:x", row("theirs"))
    async with working(database, door, ears):
        await asyncio.sleep(0.2)
        assert door.taken == []
    await database.write(
        lambda session: (
            session.exec(select(Outgoing))
            .one()
            .sqlmodel_update({"claimed_at": datetime.now(UTC) - LEASE})
        )
    )
    async with working(database, door, ears):
        await until(lambda: door.texts == ["theirs"])


async def test_what_waited_too_long_for_its_turn_is_not_sent_by_two_processes(
    database: Database, ears: Ears, monkeypatch: pytest.MonkeyPatch
):
    class Slow(Door):
        at_once = 1

        async def send(self, letter: Letter) -> str:
            await asyncio.sleep(0.1)
            return await super().send(letter)

    for part in (settling, module):
        monkeypatch.setattr(part, "LEASE", timedelta(seconds=0.8))
    monkeypatch.setattr(module, "SEND_S", 0.4)
    # Both are in this process; on two machines neither could see whether the other lives.
    monkeypatch.setattr(settling, "is_gone", lambda owner, me: False)
    door = Slow()
    await database.write(outbox.record, [row(f"text {n}") for n in range(12)])
    async with working(database, door, ears), working(database, door, ears):
        await until(lambda: all_told(database))
    assert sorted(door.texts) == sorted(f"text {n}" for n in range(12))


async def test_what_its_owner_may_have_sent_as_it_died_is_not_asked_for_at_once(
    database: Database, door: Door, ears: Ears
):
    door.settles_after_s = 0.5
    [claimed] = await claimed_by(database, dead_owner(), row("on its way"))

    def long_ago(session: Session) -> None:
        claim = session.exec(select(Outgoing)).one()
        claim.claimed_at = datetime.now(UTC) - timedelta(minutes=1)

    await database.write(long_ago)
    async with working(database, door, ears):
        await asyncio.sleep(0.25)
        door.taken.append(Letter(claimed.reply_id, "email", "a@b.fr", "", "on its way"))
        await until(lambda: all_told(database))
    assert door.texts == ["on its way"]


async def test_killed_between_send_and_tell_it_is_told_with_the_same_id(
    database: Database, door: Door, ears: Ears
):
    await database.write(outbox.record, [row("sent, not told")])
    ears.deaf = True
    async with working(database, door, ears):
        await until(lambda: door.taken)
    [untold] = (await rows(database)).values()
    assert (untold.status, untold.told_at) == ("sent", None)
    ears.deaf = False
    async with working(database, door, ears):
        await until(lambda: all_told(database))
    # Killed once more, after it was told and before that was written down:
    await database.write(
        lambda session: session.exec(select(Outgoing)).one().sqlmodel_update({"told_at": None})
    )
    async with working(database, door, ears):
        await until(lambda: len(ears.heard) == 2)
    first, second = ears.heard
    assert first.event_id == second.event_id
    assert first.caused_by == UUID(untold.reply_id)
    assert door.texts == ["sent, not told"]


async def test_when_the_record_fails_after_the_send_it_is_not_sent_again(
    database: Database, door: Door, ears: Ears, monkeypatch: pytest.MonkeyPatch
):
    mark, failures = outbox.mark, 3

    def failing(*args: Any) -> None:
        nonlocal failures
        if failures:
            failures -= 1
            msg = "the database does not answer"
            raise Unavailable(msg)
        mark(*args)

    monkeypatch.setattr(outbox, "mark", failing)
    await database.write(outbox.record, [row("once")])
    async with working(database, door, ears):
        await until(lambda: all_told(database))
    assert failures == 0
    assert door.texts == ["once"]
    assert [event.status for event in ears.heard] == [SendStatus.SENT]


async def test_an_answer_that_got_lost_is_asked_for_not_sent_again(
    database: Database, door: Door, ears: Ears
):
    door.silent_once = True
    await database.write(outbox.record, [row("taken, then silence")])
    async with working(database, door, ears):
        await until(lambda: all_told(database))
    assert door.texts == ["taken, then silence"]
    assert [event.status for event in ears.heard] == [SendStatus.SENT]


async def test_what_may_have_left_is_not_sent_again_until_the_provider_says_so(
    database: Database, door: Door, ears: Ears
):
    door.silent_once, door.mute = True, True
    await database.write(outbox.record, [row("taken, then silence"), row("other")])
    async with working(database, door, ears):
        await until(lambda: len(door.asked) > 2)
        assert sorted(door.texts) == ["other", "taken, then silence"]
        assert "doubtful" in {each.status for each in (await rows(database)).values()}
        door.mute = False
        await until(lambda: all_told(database))
    assert sorted(door.texts) == ["other", "taken, then silence"]
    assert {event.status for event in ears.heard} == {SendStatus.SENT}


async def test_what_nobody_can_say_is_left_to_a_person_after_a_while(
    database: Database, door: Door, ears: Ears, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(settling, "GIVE_UP", timedelta(seconds=0.2))
    door.silent_once, door.mute = True, True
    await database.write(outbox.record, [row("silence")])
    async with working(database, door, ears):
        await until(lambda: all_told(database))
    assert door.texts == ["silence"]
    assert [event.status for event in ears.heard] == [SendStatus.UNKNOWN]


async def test_what_the_provider_refuses_has_failed_and_is_not_tried_again(
    database: Database, door: Door, ears: Ears
):
    door.refuses = {"never"}
    await database.write(outbox.record, [row("never", "c1"), row("next", "c1")])
    async with working(database, door, ears):
        await until(lambda: all_told(database))
    found = await rows(database)
    assert (found["never"].status, found["never"].attempts) == ("failed", 1)
    assert door.texts == ["next"]


async def test_a_slow_reply_holds_up_nothing_but_its_conversation(
    database: Database, door: Door, ears: Ears
):
    door.slow = {"slow"}
    await database.write(
        outbox.record, [row("slow", "c1"), row("behind", "c1"), *(row(f"{n}") for n in range(9))]
    )
    async with working(database, door, ears):
        await until(lambda: len(ears.heard) == 9)
        assert "behind" not in door.texts
        door.slow = set()
        await until(lambda: all_told(database))
    assert door.texts[-2:] == ["slow", "behind"]


async def test_two_postmen_send_each_reply_once_and_in_order(
    database: Database, door: Door, ears: Ears
):
    async with working(database, door, ears), working(database, door, ears):
        for number in range(30):
            await database.write(outbox.record, [row(f"{c}{number:02}", c) for c in "abc"])
        await until(lambda: all_told(database))
    assert len(door.texts) == 90
    for conversation in "abc":
        mine = [text for text in door.texts if text.startswith(conversation)]
        assert mine == sorted(mine)


async def test_a_full_outbox_takes_no_more_and_says_why(database: Database, door: Door, ears: Ears):
    door.down = True
    await database.write(outbox.record, [row("one"), row("two")])
    postman = Postman(database, Doors(door), ears, sent, max_attempts=9, full=2)
    postman.start()
    try:
        await until(lambda: postman.depth.waiting == 2)
        with pytest.raises(Unavailable, match="the outbox is full: 2 replies wait for door"):
            postman.room()
        door.down = False
        await until(lambda: postman.depth.waiting == 0)
        postman.room()
    finally:
        await postman.stop()


# --- what is down --------------------------------------------------------------------------------


async def test_a_door_that_is_down_is_tried_again_and_the_others_go_on(
    database: Database, door: Door, ears: Ears
):
    door.down_for = {"later"}
    await database.write(outbox.record, [row("later"), row("now")])
    async with working(database, door, ears):
        await until(lambda: door.texts == ["now"])
        await until(lambda: [event.status for event in ears.heard] == [SendStatus.SENT])
        door.down_for = set()
        await until(lambda: all_told(database))
    assert door.texts == ["now", "later"]
    later = (await rows(database))["later"]
    assert later.attempts > 1
    assert later.provider_id == f"p-{later.reply_id}"


async def test_what_waits_has_its_next_attempt_written_down(
    database: Database, door: Door, ears: Ears, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(outbox, "retry_at", lambda now, attempts: now + timedelta(hours=attempts))
    door.down = True
    await database.write(outbox.record, [row("later")])
    async with working(database, door, ears):

        async def put_off() -> Outgoing | None:
            found = (await rows(database))["later"]
            return found if found.last_error else None

        waiting = await until(put_off)
        door.down = False
        await asyncio.sleep(0.15)
    assert door.taken == []
    assert (waiting.status, waiting.attempts) == ("queued", 1)
    assert waiting.last_error == "the provider answers 503"
    in_s = (waiting.next_attempt_at - datetime.now(UTC)).total_seconds()
    assert 3_500 < in_s <= 3_600


async def test_it_gives_up_after_so_many_attempts_and_says_why(
    database: Database, door: Door, ears: Ears
):
    door.down = True
    await database.write(outbox.record, [row("never")])
    async with working(database, door, ears, max_attempts=3):
        await until(lambda: all_told(database))
    [told] = ears.heard
    assert told.status is SendStatus.FAILED
    assert "the provider answers 503" in told.why
    never = (await rows(database))["never"]
    assert (never.status, never.attempts) == ("failed", 3)


async def test_what_follows_a_refused_reply_waits_until_the_refusal_is_written_down(
    database: Database, ears: Ears
):
    class Looking(Door):
        seen = ""

        async def send(self, letter: Letter) -> str:
            if letter.text == "second":
                self.seen = (await rows(database))["first"].status
            return await super().send(letter)

    door = Looking()
    door.refuses = {"first"}
    await database.write(outbox.record, [row("first", "c"), row("second", "c")])
    async with working(database, door, ears):
        await until(lambda: all_told(database))
    # Killed in between, the next process would find "first" unsent, and send it after "second".
    assert door.seen == "failed"


async def test_what_waits_behind_another_reply_is_not_counted_as_tried(
    database: Database, door: Door, ears: Ears
):
    door.down = True
    await database.write(outbox.record, [row("first", "c"), row("second", "c")])
    async with working(database, door, ears, max_attempts=10):

        async def given_up() -> bool:
            return (await rows(database))["first"].status == "failed"

        await until(given_up)
        door.down = False
        await until(lambda: all_told(database))
    assert (await rows(database))["first"].attempts == 10
    assert door.texts == ["second"]


async def test_the_record_that_is_down_is_waited_for(
    database: Database, door: Door, ears: Ears, monkeypatch: pytest.MonkeyPatch
):
    claim, down = outbox.claim, True

    def claiming(*args: Any) -> Sequence[Outgoing]:
        if down:
            msg = "the database does not answer"
            raise Unavailable(msg)
        return claim(*args)

    monkeypatch.setattr(outbox, "claim", claiming)
    await database.write(outbox.record, [row("patience")])
    async with working(database, door, ears):
        await asyncio.sleep(0.1)
        assert door.taken == []
        down = False
        await until(lambda: all_told(database))
    assert door.texts == ["patience"]


# --- order ---------------------------------------------------------------------------------------


async def test_replies_of_a_conversation_leave_in_order(database: Database, door: Door, ears: Ears):
    letters = [row(f"{n % 10}/{n // 10}", f"c{n % 10}") for n in range(200)]
    await database.write(outbox.record, letters)
    async with working(database, door, ears):
        await until(lambda: all_told(database))
    for number in range(10):
        own = [text for text in door.texts if text.startswith(f"{number}/")]
        assert own == [f"{number}/{n}" for n in range(20)]


async def test_a_later_reply_does_not_overtake_one_of_its_conversation_that_waits(
    database: Database, door: Door, ears: Ears
):
    door.down_for = {"first"}
    await database.write(
        outbox.record, [row("first", "c1"), row("second", "c1"), row("other", "c2")]
    )
    async with working(database, door, ears):
        await until(lambda: door.texts == ["other"])
        await database.write(outbox.record, [row("third", "c1")])
        await asyncio.sleep(0.2)
        assert door.texts == ["other"]
        door.down_for = set()
        await until(lambda: all_told(database))
    assert door.texts == ["other", "first", "second", "third"]


async def test_one_that_failed_for_good_holds_up_its_conversation_no_longer(
    database: Database, door: Door, ears: Ears
):
    door.down_for = {"first"}
    await database.write(outbox.record, [row("first", "c1"), row("second", "c1")])
    async with working(database, door, ears, max_attempts=2):
        await until(lambda: all_told(database))
    assert door.texts == ["second"]
    assert [event.status for event in ears.heard] == [SendStatus.FAILED, SendStatus.SENT]


# --- the file ------------------------------------------------------------------------------------


def letter(text: str, reply_id: str = "") -> Letter:
    return Letter(reply_id or str(uuid4()), "chat", "visiteur", "", text)


async def test_a_last_line_torn_by_a_crash_is_cut_off_and_counts_as_not_sent(tmp_path: Path):
    file = tmp_path / "outbox.jsonl"
    first, second = letter("entier"), letter("déchiré")
    for each in (first, second):
        await FileOutbound(file).send(each)
    os.truncate(file, file.stat().st_size - 9)
    door = FileOutbound(file)
    assert await door.was_sent(first.reply_id)
    assert not await door.was_sent(second.reply_id)
    await door.send(second)
    assert [line["text"] for line in lines(file)] == ["entier", "déchiré"]


async def test_a_letter_is_written_once_however_often_it_is_sent(tmp_path: Path):
    file = tmp_path / "outbox.jsonl"
    one = letter("deux lignes\n et un saut \u2028 étrange")
    door = FileOutbound(file)
    await asyncio.gather(*(door.send(one) for _ in range(5)))
    await FileOutbound(file).send(one)
    [line] = file.read_bytes().splitlines()
    assert json.loads(line)["text"] == one.text


async def test_a_disk_that_fails_after_the_write_does_not_write_the_letter_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file = tmp_path / "outbox.jsonl"
    door, one = FileOutbound(file), letter("une fois")
    with monkeypatch.context() as broken:

        def fsync(number: int) -> None:
            raise OSError(5, "Input/output error")

        broken.setattr(os, "fsync", fsync)
        with pytest.raises(Unavailable, match="Input/output error"):
            await door.send(one)
    await door.send(one)
    assert [line["text"] for line in lines(file)] == ["une fois"]


async def test_a_disk_that_is_full_leaves_no_half_line_between_two(tmp_path: Path):
    import resource
    import signal

    file = tmp_path / "outbox.jsonl"
    door = FileOutbound(file)
    await door.send(letter("avant"))
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    previous = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (file.stat().st_size + 40, limits[1]))
    try:
        with pytest.raises(Unavailable):
            await door.send(letter("trop"))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, previous)
    await door.send(letter("après"))
    assert [line["text"] for line in lines(file)] == ["avant", "après"]


async def test_a_file_that_cannot_be_written_is_unavailable(tmp_path: Path):
    (tmp_path / "outbox.jsonl").mkdir()
    with pytest.raises(Unavailable, match=r"outbox\.jsonl cannot be written"):
        await FileOutbound(tmp_path / "outbox.jsonl").send(letter("x"))
