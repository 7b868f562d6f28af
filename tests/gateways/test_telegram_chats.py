"""Customers write to the bot: each message is one event; what is not a customer's is left alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from gateways.attachments import Files
from gateways.outbound import Letter, OutcomeUnknown, Refused
from gateways.presses import Presses
from gateways.roster import Roster
from gateways.telegram import MAX_UNITS, TelegramDoor
from gateways.telegram_chats import Desk, TelegramChats
from gateways.telegram_outbound import TelegramOutbound, parts
from schemas.errors import Rejected, Unavailable
from schemas.printer import InboundMessage
from schemas.vocabulary import Channel, Language
from tests.gateways.test_presses import CARD, going, until
from tests.vendors.telegram import BOT, TOKEN, Telegram, serving

ROSTER = Roster.model_validate({"people": [{"name": "Léa", "channels": {"telegram": 101}}]})
ANA, GROUP = 555, -1009
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 64
GREETINGS = {Language.FR: "Bonjour, une machine répond.", Language.EN: "Hello, a machine answers."}


class Road:
    """Takes messages in Kafka's place; `down`: so often it does not confirm."""

    def __init__(self) -> None:
        self.told: list[InboundMessage] = []
        self.back: list[str] = []
        self.down = 0

    async def publish(self, message: InboundMessage) -> None:
        if self.down:
            self.down -= 1
            msg = "Kafka does not confirm"
            raise Unavailable(msg)
        self.told.append(message)

    async def returned(self, chat: str) -> None:
        self.back.append(chat)


@asynccontextmanager
async def bot(
    folder: Path, limit: int = 1_000
) -> AsyncIterator[tuple[Telegram, TelegramDoor, Road]]:
    telegram, road = Telegram(), Road()
    async with serving(telegram) as url:
        door = TelegramDoor(TOKEN, url, timeout_s=2.0)
        files = Files(folder, limit)
        desk = Desk(ROSTER, road.publish, files.keep, limit, GREETINGS, road.returned)

        async def nobody(_event: object) -> None:
            raise AssertionError

        presses = Presses(door, ROSTER, nobody, TelegramChats(door, desk).take)
        async with going(presses.poll()):
            yield telegram, door, road
        await door.close()


async def test_a_message_is_one_event_of_its_chat_however_often_it_is_handed_in(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("gateways.presses.AGAIN_S", (0.05,))
    async with bot(tmp_path) as (telegram, _, road):
        road.down = 2
        message = telegram.write(ANA, "Bourrage\x00 papier")
        await until(lambda: road.told)
    [event] = road.told
    assert event.channel is Channel.TELEGRAM
    assert (event.sender, event.sender_name, event.to) == ("555", "Ana Roux", str(BOT["id"]))
    assert event.external_id == f"555:{message['message_id']}"
    assert event.text == "Bourrage papier"
    assert event.received_at.timestamp() == message["date"]


@pytest.mark.parametrize(
    ("code", "greeting"), [("fr", GREETINGS[Language.FR]), ("de", GREETINGS[Language.EN])]
)
async def test_start_is_greeted_with_who_answers_and_is_no_question(tmp_path, code, greeting):
    async with bot(tmp_path) as (telegram, _, road):
        who = {"id": ANA, "is_bot": False, "first_name": "A", "language_code": code}
        telegram.write(ANA, "/start from-site", **{"from": who})
        await until(lambda: telegram.of(ANA))
    assert telegram.of(ANA)[0].text == greeting
    assert road.told == [] and road.back == ["555"]


async def test_a_photograph_is_kept_by_its_content_and_its_caption_is_the_text(tmp_path: Path):
    async with bot(tmp_path) as (telegram, _, road):
        telegram.files["big"] = PNG
        sizes = [
            {"file_id": name, "file_unique_id": name, "width": 9, "height": 9, "file_size": 72}
            for name in ("small", "big")
        ]
        telegram.write(ANA, photo=sizes, caption="Voici l'écran")
        telegram.write(ANA, photo=sizes)
        await until(lambda: len(road.told) == 2)
    first, second = road.told
    assert (first.text, second.text) == ("Voici l'écran", "(image, sans texte)")
    [kept] = first.attachments
    assert kept.content_type == "image/png" and kept.size_bytes == len(PNG)
    path = Files(tmp_path, 1).path_of(kept.reference)
    assert path and path.read_bytes() == PNG


@pytest.mark.parametrize(
    ("size", "warning"), [(2_000, "too_large"), (30_000_000, "too_large"), (10, "not_fetched")]
)
async def test_a_file_that_is_not_fetched_is_named_and_the_words_go_on(tmp_path, size, warning):
    async with bot(tmp_path) as (telegram, _, road):
        document = {"file_id": "gone", "file_unique_id": "g", "file_size": size}
        more = {"file_name": "../../x\n.pdf", "mime_type": "application/pdf"}
        telegram.write(ANA, document=document | more, caption="Le manuel")
        await until(lambda: road.told)
    [attachment] = road.told[0].attachments
    assert (attachment.warning, attachment.reference) == (warning, "telegram:gone")
    assert attachment.name == "../../x .pdf" and not list(tmp_path.iterdir())


async def test_who_is_on_call_and_answers_to_an_alarm_is_no_customer(tmp_path: Path):
    async with bot(tmp_path) as (telegram, door, road):
        await door.send("101", CARD)
        answered = telegram.of(101)[0].shape()
        telegram.write(101, "j'y vais", reply_to_message=answered)
        telegram.write(101, "mon imprimante est bloquée")
        telegram.write(
            ANA, "merci", reply_to_message=answered | {"chat": {"id": ANA, "type": "private"}}
        )
        await until(lambda: len(road.told) == 2)
    assert [event.text for event in road.told] == ["mon imprimante est bloquée", "merci"]


async def test_a_group_is_heard_only_where_the_bot_is_meant(tmp_path: Path):
    async with bot(tmp_path) as (telegram, door, road):
        await door.send(str(GROUP), CARD)
        telegram.write(GROUP, "on mange où ?")
        telegram.write(GROUP, "demande à @astreinte_bottin", entities=_mention(10, 17))
        telegram.write(GROUP, "@Astreinte_bot plus d'encre", entities=_mention(0, 14))
        telegram.write(GROUP, "et du toner", reply_to_message=telegram.of(GROUP)[0].shape())
        telegram.write(GROUP, "/start@astreinte_bot", entities=_mention(0, 20, "bot_command"))
        await until(lambda: len(telegram.of(GROUP)) == 2)
    assert [(e.text, e.sender) for e in road.told] == [
        ("plus d'encre", str(GROUP)),
        ("et du toner", str(GROUP)),
    ]


def _mention(offset: int, length: int, kind: str = "mention") -> list[dict[str, Any]]:
    return [{"type": kind, "offset": offset, "length": length}]


@pytest.mark.parametrize(
    "more",
    [
        {"sticker": {"file_id": "s", "file_unique_id": "s", "type": "regular", "width": 1,
                     "height": 1, "is_animated": False, "is_video": False}},
        {"left_chat_member": {"id": 9, "is_bot": False, "first_name": "x"}},
        {"text": "bip", "from": {"id": 9, "is_bot": True, "first_name": "x"}},
        {"text": "   "},
    ],
)  # fmt: skip
async def test_what_says_nothing_or_comes_from_a_machine_is_passed_over(tmp_path, more):
    async with bot(tmp_path) as (telegram, _, road):
        telegram.write(ANA, **more)
        telegram.write(ANA, "bonjour")
        await until(lambda: road.told)
    assert [event.text for event in road.told] == ["bonjour"]


# --- replies ---------------------------------------------------------------------------------


def letter(text: str = "Ouvrez le capot.", address: str = str(ANA)) -> Letter:
    return Letter("5a0f3d0e-1c1b-4b7e-9a52-3f6f0c6f9d11", "telegram", address, "", text)


@asynccontextmanager
async def sending(**changes: Any) -> AsyncIterator[tuple[Telegram, TelegramOutbound]]:
    telegram = Telegram(**changes)
    async with serving(telegram) as url:
        door = TelegramOutbound(TelegramDoor(TOKEN, url, timeout_s=1.0))
        yield telegram, door
        await door.close()


async def test_a_reply_is_said_as_it_is_without_markup():
    async with sending() as (telegram, door):
        number = await door.send(letter("<b>1</b> *2* _3_"))
    [said] = telegram.of(ANA)
    assert (said.text, str(said.message_id), said.entities) == ("<b>1</b> *2* _3_", number, [])


@pytest.mark.parametrize("text", ["mot " * 3_000, "🥶" * 5_000, "x" * 9_000, "a\n\nb " * 2_500])
def test_parts_fit_and_lose_nothing(text: str):
    found = parts(text)
    assert all(0 < len(part.encode("utf-16-le")) // 2 <= MAX_UNITS for part in found)
    assert "".join("".join(found).split()) == "".join(text.split())


async def test_a_long_reply_waits_for_the_rest_and_says_nothing_twice():
    async with sending() as (telegram, door):
        telegram.moods["sendMessage"] = ["", "429:1"]
        await door.send(letter("mot " * 1_500))
    texts = [message.text for message in telegram.of(ANA)]
    assert "".join("".join(texts).split()) == "mot" * 1_500


async def test_when_only_a_part_left_nobody_sends_the_whole_again():
    async with sending() as (telegram, door):
        telegram.moods["sendMessage"] = ["", "429:60"]
        with pytest.raises(OutcomeUnknown, match="a part"):
            await door.send(letter("mot " * 1_500))
    assert len(telegram.of(ANA)) == 1


@pytest.mark.parametrize(
    ("mood", "what"),
    [
        ("429:9", Unavailable),
        ("500", Unavailable),
        ("drop", OutcomeUnknown),
        ("slow", OutcomeUnknown),
    ],
)
async def test_what_becomes_of_a_reply_is_what_telegram_says(mood, what):
    async with sending() as (telegram, door):
        telegram.moods["sendMessage"] = [mood]
        with pytest.raises(what) as caught:
            await door.send(letter())
    if mood == "429:9":
        assert caught.value.retry_after_s == 9.0
    assert len(telegram.of(ANA)) == (what is OutcomeUnknown)


async def test_who_blocked_the_bot_is_a_refusal_with_a_code_and_a_chat_that_is_not_there_is_not():
    async with sending(chats={ANA}) as (telegram, door):
        telegram.blocked.add(ANA)
        with pytest.raises(Refused) as caught:
            await door.send(letter())
        assert (caught.value.provider, caught.value.code) == ("telegram", "403")
        for address in ("777", "visiteur"):
            with pytest.raises(Rejected):
                await door.send(letter(address=address))
