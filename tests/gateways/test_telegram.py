"""The door to Telegram, against a server that answers as the Bot API says."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from gateways.alerts import Card
from gateways.buttons import CAUSES, causes, first_row, read_press, short_of
from gateways.outbound import OutcomeUnknown
from schemas.errors import Rejected, Unavailable
from schemas.vocabulary import Fault, Language, Severity
from tests.vendors.telegram import Telegram, door_to, hang_up, serving

if TYPE_CHECKING:
    from gateways.telegram import TelegramDoor

EPISODE = "9a1f2f0e-7c1d-5b8a-8a9e-0d5a5d1f7a11"
CARD = Card(
    EPISODE, "cf-1 nord", "CF 1 : fuite", "Le fluide manque.", "court", Severity.HIGH, Language.FR
)


@pytest.fixture
async def telegram() -> Telegram:
    return Telegram(chats={101, 102, -1007})


@pytest.fixture
async def door(telegram: Telegram, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[TelegramDoor]:
    monkeypatch.setattr("gateways.telegram.CHAT_GAP_S", 0.05)
    async with serving(telegram) as url:
        found = door_to(url, timeout_s=1.0)
        yield found
        await hang_up(found)


async def test_a_card_becomes_a_message_with_buttons(door: TelegramDoor, telegram: Telegram):
    reference = await door.send("101", CARD)
    [message] = telegram.of(101)
    assert reference == str(message.message_id)
    assert message.text == "CF 1 : fuite\nLe fluide manque.\n\ncf-1 nord"
    assert [entity["type"] for entity in message.entities] == ["bold", "code"]
    assert [b["text"] for b in message.rows[0]] == [
        "✅ Je m'en occupe",
        "💤 Silence 1 h",
        "🔧 C'était…",
    ]


async def test_the_same_message_is_edited_and_loses_its_buttons_at_the_end(
    door: TelegramDoor, telegram: Telegram
):
    reference = await door.send("101", CARD)
    await door.edit("101", reference, replace(CARD, acknowledged=True, text="Pris en charge."))
    [message] = telegram.of(101)
    assert len(message.rows[0]) == 2 and "Pris en charge" in message.text
    await door.edit("101", reference, replace(CARD, text="Fin après 2 h.", open=False))
    assert [m.rows for m in telegram.of(101)] == [[]]
    assert len(message.edits) == 2


async def test_an_edit_that_changes_nothing_is_no_failure(door: TelegramDoor, telegram: Telegram):
    reference = await door.send("101", CARD)
    await door.edit("101", reference, CARD)
    assert telegram.of(101)[0].edits == []


async def test_markup_in_a_text_stays_text(door: TelegramDoor, telegram: Telegram):
    nasty = "<b>gras</b> *x* _y_ [l](http://e) & 🥶\x00 fin"
    await door.send("101", replace(CARD, text=nasty))
    assert nasty.replace("\x00", "") in telegram.of(101)[0].text


@pytest.mark.parametrize("letter", ["x", "é", "🥶"])
async def test_a_long_text_is_cut_and_keeps_its_unit(
    door: TelegramDoor, telegram: Telegram, letter: str
):
    await door.send("101", replace(CARD, text=letter * 9000, title=letter * 500))
    [message] = telegram.of(101)
    assert message.text.endswith("…\n\ncf-1 nord")
    assert len(message.text.encode("utf-16-le")) / 2 > 4080


@pytest.mark.parametrize(
    ("to", "why"), [("999", "chat not found"), ("102", "blocked"), ("-1007", "-1001234")]
)
async def test_who_cannot_be_reached_is_never_tried_again(
    door: TelegramDoor, telegram: Telegram, to: str, why: str
):
    telegram.blocked.add(102)
    if to == "-1007":
        telegram.moods["sendMessage"] = ["migrated"]
    with pytest.raises(Rejected, match=why):
        await door.send(to, CARD)


async def test_a_message_that_is_gone_cannot_be_edited(door: TelegramDoor):
    with pytest.raises(Rejected, match="not found"):
        await door.edit("101", "1", CARD)


async def test_a_pause_that_telegram_asks_for_is_kept(door: TelegramDoor, telegram: Telegram):
    telegram.moods["sendMessage"] = ["429:7"]
    with pytest.raises(Unavailable) as caught:
        await door.send("101", CARD)
    assert caught.value.retry_after_s == 7
    with pytest.raises(Unavailable) as again:
        await door.send("102", CARD)
    assert 5 < (again.value.retry_after_s or 0) <= 7
    assert len(telegram.calls) == 1, "nothing is asked during the pause"


async def test_a_short_pause_is_waited_out(door: TelegramDoor, telegram: Telegram):
    telegram.moods["sendMessage"] = ["429:1"]
    with pytest.raises(Unavailable):
        await door.send("101", CARD)
    began = time.monotonic()
    await door.send("102", CARD)
    assert 0.8 < time.monotonic() - began < 3


async def test_trouble_at_telegrams_is_not_now(door: TelegramDoor, telegram: Telegram):
    telegram.moods["sendMessage"] = ["500"]
    with pytest.raises(Unavailable, match="in trouble"):
        await door.send("101", CARD)
    assert telegram.of(101) == []


async def test_a_refused_connection_is_not_now():
    async with serving(Telegram()) as url:
        pass
    door = door_to(url, timeout_s=1.0)
    with pytest.raises(Unavailable, match="cannot be reached"):
        await door.send("101", CARD)
    await hang_up(door)


async def test_a_token_that_is_refused_keeps_alarms_waiting(telegram: Telegram):
    async with serving(telegram) as url:
        door = door_to(url, "42:WRONG", timeout_s=1.0)
        with pytest.raises(Unavailable, match="ASTREINTE_TELEGRAM_TOKEN") as caught:
            await door.send("101", CARD)
        assert caught.value.retry_after_s == 60
        await hang_up(door)


@pytest.mark.parametrize("mood", ["slow", "drop", "html"])
async def test_what_may_have_left_is_said_to_be_unknown(
    door: TelegramDoor, telegram: Telegram, mood: str
):
    telegram.moods["sendMessage"] = [mood]
    with pytest.raises(OutcomeUnknown):
        await door.send("101", CARD)
    assert len(telegram.of(101)) == 1, "and it did leave"


async def test_an_edit_may_be_tried_again_whatever_became_of_it(
    door: TelegramDoor, telegram: Telegram
):
    reference = await door.send("101", CARD)
    telegram.moods["editMessageText"] = ["drop"]
    news = replace(CARD, text="Autre.")
    with pytest.raises(Unavailable):
        await door.edit("101", reference, news)
    await door.edit("101", reference, news)
    assert len(telegram.of(101)[0].edits) == 1


async def test_messages_of_a_chat_leave_a_second_apart_the_critical_first(
    door: TelegramDoor, telegram: Telegram, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("gateways.telegram.CHAT_GAP_S", 0.2)
    critical = replace(CARD, title="critique", severity=Severity.CRITICAL)
    waiting = [asyncio.create_task(door.send("101", replace(CARD, title=str(n)))) for n in range(3)]
    await asyncio.sleep(0.05)
    waiting.append(asyncio.create_task(door.send("101", critical)))
    await asyncio.gather(*waiting)
    sent = telegram.of(101)
    assert [message.text.split("\n")[0] for message in sent] == ["0", "critique", "1", "2"]
    gaps = [after.at - before.at for before, after in itertools.pairwise(sent)]
    assert min(gaps) > 0.15


async def test_chats_do_not_wait_for_one_another(door: TelegramDoor, telegram: Telegram):
    telegram.chats = None
    began = time.monotonic()
    await asyncio.gather(*(door.send(str(chat), CARD) for chat in range(1, 21)))
    took = time.monotonic() - began
    assert 19 / 30 - 0.1 < took < 3, "thirty a second in all"


# --- buttons ---------------------------------------------------------------------------------


@pytest.mark.parametrize("language", list(Language))
def test_no_button_is_larger_than_telegram_takes(language: Language):
    rows = [*first_row(EPISODE, language), *causes(EPISODE, language)]
    data = [data for row in rows for _, data in row]
    assert max(len(each.encode()) for each in data) <= 64
    assert {read_press(each).episode_id for each in data} == {EPISODE}
    assert len(short_of(EPISODE)) == 22


def test_every_cause_can_be_said_and_no_symptom():
    rows = causes(EPISODE, Language.FR)
    said = {read_press(data).fault for row in rows for _, data in row}
    assert said == {*CAUSES, Fault.UNKNOWN, "-", ""}
    assert Fault.NO_DATA not in said and Fault.LEAK in said


@pytest.mark.parametrize(
    "data",
    [
        "",
        "ack",
        "ack:",
        "ack:short",
        f"drop:{short_of(EPISODE)}",
        f"ack:{short_of(EPISODE)}:leak",
        f"was:{short_of(EPISODE)}:nonsense",
        f"ack:{short_of(EPISODE)}x",
        f"ack:{'!' * 22}",
        "ack:\x00\udcff",
    ],
)
def test_what_is_no_button_of_ours_is_refused(data: str):
    with pytest.raises(ValueError):
        read_press(data)
