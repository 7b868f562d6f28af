"""Alarms by text, mail and call: what arrives, what is asked for, and what nobody hears."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from uuid import uuid4

import pytest

from gateways import smtp
from gateways.alert_calls import CallDoor
from gateways.alert_letters import MailDoor, SmsDoor, text_of
from gateways.alerts import Card
from gateways.composing import Sender
from gateways.outbound import OutcomeUnknown
from gateways.roster import Roster
from gateways.smtp import SmtpOutbound
from gateways.twilio import Account, From, TwilioOutbound
from knowledge.segments import segments
from schemas.errors import Rejected, Unavailable
from schemas.vocabulary import Language, Severity
from tests.vendors.smtp import MailServer, mail_server
from tests.vendors.twilio import SID, TOKEN, Twilio, serving

OURS, LEA = "+33937000001", "+33639981201"
CARD = Card(
    str(uuid4()),
    "cf-1",
    "Chambre froide 1 : manque de fluide",
    "Il manque du fluide depuis 14 h.\nTempérature : -12,4 °C.",
    "CF 1 : manque de fluide, -12,4 °C (seuil -18 °C).",
    Severity.CRITICAL,
)
OVER = replace(CARD, title="Fin : CF 1", short_text="Fin : CF 1.", open=False, kind="cleared")


@asynccontextmanager
async def twilio(**changes: float) -> AsyncIterator[tuple[Twilio, Account]]:
    server = Twilio([OURS])
    async with serving(server) as url:
        yield server, Account(SID, TOKEN, url=url, timeout_s=3.0)


@asynccontextmanager
async def by_text() -> AsyncIterator[tuple[Twilio, SmsDoor]]:
    async with twilio() as (server, account):

        async def nothing(_name: str) -> None:
            return None

        outbound = TwilioOutbound(account, From((OURS,)), "https://x.example/r", nothing, per_s=999)
        door = SmsDoor(outbound, answers=True)
        server._report = _silence
        yield server, door
        await door.close()


async def _silence(_text: object) -> None:
    """Nobody is told what became of it."""


@asynccontextmanager
async def by_call() -> AsyncIterator[tuple[Twilio, CallDoor]]:
    async with twilio() as (server, account):
        door = CallDoor(account, OURS, lambda _to, _card: "http://127.0.0.1:1/none", every_s=0.02)
        yield server, door
        await door.close()


@asynccontextmanager
async def by_mail() -> AsyncIterator[tuple[MailServer, MailDoor]]:
    async with mail_server() as server:
        where = smtp.MailServer("127.0.0.1", server.port, "none", timeout_s=5.0)
        outbound = SmtpOutbound(where, Sender("Durand <alarme@durand.example>"))
        yield (
            server,
            MailDoor(outbound, "durand.example", lambda to, _: f"https://d.example/t?to={to[:3]}"),
        )


async def test_a_text_asks_for_ok_and_is_sent_once_though_the_alarm_changes():
    async with by_text() as (server, door):
        reference = await door.send(LEA, CARD)
        await door.edit(LEA, reference, replace(CARD, acknowledged=True))
        await door.send(LEA, OVER)
    first, end = (text.body for text in server.texts)
    assert first == (
        "CF 1 : manque de fluide, -12,4 C (seuil -18 C). Répondez OK pour prendre en charge."
    )
    assert end == "Fin : CF 1." and reference == server.texts[0].sid


@pytest.mark.parametrize("words", ["é" * 320, "ô" * 320, "🥶 nord " * 40, "Ω" * 320])
@pytest.mark.parametrize("language", list(Language))
def test_a_text_takes_two_segments_at_most_and_still_says_how_to_answer(words, language):
    text = text_of(replace(CARD, short_text=words, language=language), answers=True)
    assert segments(text).count <= 2
    assert f"OK {'pour' if language is Language.FR else 'to'}" in text
    assert len(text) > 80


def test_where_nobody_can_answer_a_text_asks_for_nothing():
    assert "OK" not in text_of(CARD, answers=False)
    assert "OK" not in text_of(replace(CARD, acknowledged=True), answers=True)


async def test_a_mail_has_the_link_in_both_parts_and_says_that_a_machine_wrote_it():
    async with by_mail() as (server, door):
        await door.send("lea@example.org", CARD)
    mail = server.taken[0].mail
    plain, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain and "\nPrendre en charge : https://d.example/t?to=lea" in plain.get_content()
    assert page and '<a href="https://d.example/t?to=lea">' in page.get_content()
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Subject"] == CARD.title


async def test_the_mails_of_an_episode_are_one_thread_that_begins_with_the_alarm():
    async with by_mail() as (server, door):
        for card in (CARD, replace(CARD, kind="again-1"), OVER):
            await door.send("lea@example.org", card)
        await door.send("paul@example.org", CARD)
    first, again, end, other = (taken.mail for taken in server.taken)
    assert first["In-Reply-To"] is None
    assert again["In-Reply-To"] == end["In-Reply-To"] == first["Message-ID"]
    assert first["Message-ID"] in end["References"]
    ids = {mail["Message-ID"] for mail in (first, again, end, other)}
    assert len(ids) == 4
    assert "https" not in end.get_body(("plain",)).get_content()


async def test_a_call_reads_the_alarm_twice_in_the_persons_language():
    async with by_call() as (server, door):
        sid = await door.send(LEA, replace(CARD, language=Language.EN, short_text="CF 1: leak."))
    heard = server.dialled[sid]["heard"]
    assert heard[:2] == ["Alarm. CF 1: leak. To take it on, press 1."] * 2
    assert 'language="en-GB"' in server.dialled[sid]["form"]["Twiml"]
    assert server.dialled[sid]["form"]["Timeout"] == "25"


@pytest.mark.parametrize("ends", ["busy", "no-answer", "failed", "canceled"])
async def test_a_call_that_nobody_takes_has_reached_nobody(ends: str):
    async with by_call() as (server, door):
        server.takes[LEA] = (ends, "")
        with pytest.raises(Rejected, match=ends):
            await door.send(LEA, CARD)


async def test_nobody_is_called_to_hear_that_it_is_over_or_that_another_looks_after_it():
    async with by_call() as (server, door):
        await door.send(LEA, OVER)
        await door.send(LEA, replace(CARD, acknowledged=True))
        await door.edit(LEA, "CA1", CARD)
    assert not server.dialled


@pytest.mark.parametrize(
    ("mood", "what"),
    [("429:7", Unavailable), ("500", OutcomeUnknown), ("code:21210", Rejected)],
)
async def test_what_twilio_answers_to_a_call_says_whether_it_may_be_tried_again(mood, what):
    async with by_call() as (server, door):
        server.moods.append(mood)
        with pytest.raises(what) as caught:
            await door.send(LEA, CARD)
    assert not server.dialled
    if what is Unavailable:
        assert caught.value.retry_after_s == 7


def test_the_roster_takes_numbers_and_mails_as_people_write_them(tmp_path):
    file = tmp_path / "roster.yaml"
    file.write_text(
        "people:\n- {name: A, channels: {sms: +33639981201, call: '+33 6 39 98 12 01', "
        "email: a@example.org}}\n",
        "utf-8",
    )
    [person] = Roster.read(file).people
    assert person.channels == {"sms": LEA, "call": LEA, "mail": "a@example.org"}


@pytest.mark.parametrize("given", ["0612345670", "'0612345678'", "33", "'+33 (0) 6'", "true"])
def test_a_number_without_its_country_is_refused_with_an_example(tmp_path, given: str):
    file = tmp_path / "roster.yaml"
    file.write_text(f"people:\n- {{name: A, channels: {{sms: {given}}}}}\n", "utf-8")
    with pytest.raises(ValueError, match=r"\+33639981201"):
        Roster.read(file)
