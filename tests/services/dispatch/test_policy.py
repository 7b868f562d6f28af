"""What leaves by itself, as conversations: on the stages' own handlers and a record in SQLite."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlmodel import select

from gateways.outbound import Refused
from knowledge.wording import load_wording
from schemas.vocabulary import Language
from services.verdicts import judge
from storage import breaker, permission
from storage.database import Database
from storage.suppressions import suppress
from storage.tables import Consent, History, Outgoing, Silence
from tests.services.desk import MAIL, SMS, Desk

OURS = ("tel:+33937000001", "tel:+33612345678")
CHAT = {"channel": "chat", "from": "visiteur-1"}
FR, EN = load_wording().fr, load_wording().en


@pytest.fixture
def desk(database: Database) -> Desk:
    return Desk(database)


async def consent(desk: Desk) -> str:
    row = await desk.database.read(lambda session: session.get(Consent, OURS))
    return row.state if row else ""


# --- what wrote it -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("message", "language", "machine"),
    [
        (MAIL, "fr", FR.machine),
        (MAIL, "en", EN.machine),
        (CHAT, "fr", FR.machine),
        (SMS, "fr", FR.machine_sms),
        (SMS, "en", EN.machine_sms),
    ],
)
async def test_the_first_reply_says_that_a_machine_wrote_it_and_how_a_person_is_reached_and_no_other(
    desk: Desk, message: dict[str, str], language: str, machine: str
) -> None:
    first = await desk.say(**message, language=language)
    second = await desk.say(**message, language=language)
    assert first.conversation_id == second.conversation_id
    assert first.text.endswith(machine)
    assert machine not in second.text
    for each in (first, second):
        assert ("HUMAIN" if language == "fr" else "HUMAN") in each.text


async def test_a_hand_over_that_comes_first_says_so_too_and_who_goes_on(desk: Desk) -> None:
    first = await desk.say("HUMAIN", **MAIL)
    assert first.action == "handoff"
    assert first.text.endswith(FR.machine_handoff)
    assert "personne" in FR.machine_handoff


async def test_what_never_left_told_nobody_so_the_next_reply_does(desk: Desk) -> None:
    event = await desk.drafted(**MAIL)
    await desk.dispatch(event)
    await desk.deliver("failed")
    assert FR.machine in (await desk.say(**MAIL)).text


async def test_each_trial_shows_what_would_leave_and_none_counts(desk: Desk) -> None:
    trial = await desk.say(**MAIL, trial=True)
    assert (trial.status, FR.machine in trial.text) == ("held", True)
    assert FR.machine in (await desk.say(**MAIL)).text


# --- STOP and START ----------------------------------------------------------------------------


async def test_stop_is_confirmed_then_nothing_leaves_until_start(desk: Desk) -> None:
    assert (await desk.say(**SMS)).status == "sent"
    stop = await desk.say("ARRÊT", **SMS)
    assert (stop.action, stop.reason, stop.status) == ("reply", "stop", "sent")
    assert "START" in stop.text and FR.machine_sms not in stop.text
    assert await consent(desk) == "stopped"
    silent = await desk.say(**SMS)
    assert (silent.action, silent.reason, silent.status) == ("handoff", "stopped", "none")
    (conversation,) = await desk.conversations()
    assert (conversation.state, conversation.reason) == ("handed_over", "stopped")
    again = await desk.say("Stop !", **SMS)
    assert (again.reason, again.status) == ("stop", "none")  # confirmed once
    start = await desk.say("start", **SMS)
    assert (start.reason, start.status) == ("start", "sent")
    assert await consent(desk) == "granted"
    assert (await desk.say(**SMS)).status == "sent"


async def test_stop_holds_for_that_number_of_ours_and_that_number_of_theirs(desk: Desk) -> None:
    await desk.say("STOP", **SMS)
    assert (await desk.say(**(SMS | {"to": "+33937000002"}))).status == "sent"
    assert (await desk.say(**(SMS | {"from": "+33687654321"}))).status == "sent"
    spelled = SMS | {"from": "06 12 34 56 78", "to": "09 37 00 00 01"}
    assert (await desk.say(**spelled)).reason == "stopped"
    assert (await desk.say(**(spelled | {"channel": "call"}))).reason == "stopped"


async def test_what_waits_for_the_morning_is_taken_back_by_stop_and_the_confirmation_is_not(
    desk: Desk,
) -> None:
    desk.later(hours=12)
    waiting = await desk.drafted(**SMS)
    await desk.dispatch(waiting)
    stop = await desk.say("STOP", **SMS)
    assert stop.status == "sent"
    row = await desk.row(waiting)
    assert (row.status, row.action, row.reason) == ("none", "handoff", "stopped")
    desk.later(days=1)
    assert await desk.deliver() == []


async def test_stop_and_what_was_written_just_before_it_in_one_batch(desk: Desk) -> None:
    desk.later(hours=12)
    events = [await desk.drafted(text, **SMS) for text in ("bourrage", "STOP", "allô ?")]
    before, stop, after = await desk.dispatch(*events)
    assert [row.status for row in (before, stop, after)] == ["none", "queued", "none"]
    assert {before.reason, after.reason} == {"stopped"}


async def test_help_says_who_we_are_even_after_stop_and_lifts_nothing(desk: Desk) -> None:
    await desk.say("STOP", **SMS)
    told = await desk.say("AIDE", **SMS)
    assert (told.reason, told.status) == ("help", "sent")
    assert "Atelier Print" in told.text and "HUMAIN" in told.text
    assert await consent(desk) == "stopped"


async def test_a_draft_that_comes_again_changes_nothing_any_more(desk: Desk) -> None:
    stop = await desk.drafted("STOP", **SMS)
    await desk.dispatch(stop, stop)
    desk.later(seconds=1)
    start = await desk.drafted("START", **SMS)
    await desk.dispatch(start)
    await desk.dispatch(stop)  # read again after a kill
    assert await consent(desk) == "granted"
    assert [row.reason for row in await desk.deliver()] == ["stop", "start"]


async def test_stop_is_a_word_like_any_other_in_mails_chats_and_sentences(desk: Desk) -> None:
    for message in (MAIL, CHAT):
        assert (await desk.say("STOP", **message)).reason == "grounded"
    assert (await desk.say("l'imprimante fait stop au milieu", **SMS)).reason == "grounded"
    assert await consent(desk) == ""


async def test_a_trial_of_stop_stops_nobody(desk: Desk) -> None:
    assert (await desk.say("STOP", **SMS, trial=True)).status == "held"
    assert await consent(desk) == ""


async def test_what_the_provider_heard_as_stop_holds_for_that_number_of_ours_until_start(
    desk: Desk,
) -> None:
    why = Refused("twilio", "21610", "unsubscribed recipient")
    numbers = (SMS["channel"], SMS["from"], SMS["to"])
    assert await desk.database.write(judge, why, *numbers) == "opt_out"
    assert (await desk.say(**SMS)).reason == "stopped"
    assert (await desk.say(**(SMS | {"to": "+33937000002"}))).status == "sent"
    await desk.say("START", **SMS)
    assert (await desk.say(**SMS)).status == "sent"


async def test_start_does_not_bring_back_a_number_that_does_not_exist(desk: Desk) -> None:
    why = Refused("twilio", "30005", "unknown destination handset")
    await desk.database.write(judge, why, SMS["channel"], SMS["from"], SMS["to"])
    assert (await desk.say("START", **SMS)).status == "none"
    assert (await desk.say(**SMS)).reason == "suppressed"


# --- suppressed addresses ----------------------------------------------------------------------


async def test_nothing_is_sent_to_a_suppressed_address_and_its_conversation_says_why(
    desk: Desk,
) -> None:
    until = desk.now + timedelta(days=7)
    said: dict[str, Any] = {"reason": "bounced", "source": "sendgrid", "now": desk.now}
    await desk.database.write(
        lambda s: suppress(s, "email", "ana@exemple.example", until=until, **said)
    )
    row = await desk.say(**(MAIL | {"from": "Ana@Exemple.example"}))
    assert (row.action, row.reason, row.status) == ("handoff", "suppressed", "none")
    (conversation,) = await desk.conversations()
    assert conversation.reason == "suppressed"
    assert load_wording().reason("suppressed", Language.FR) != "suppressed"
    desk.later(days=7)
    assert (await desk.say(**MAIL)).status == "sent"


# --- a person ----------------------------------------------------------------------------------


async def test_who_asks_for_a_person_reads_one_more_message_and_then_only_what_a_person_writes(
    desk: Desk,
) -> None:
    await desk.say(**CHAT)
    asked = await desk.say("humain svp", **CHAT)
    assert (asked.action, asked.reason, asked.status) == ("handoff", "asked_for_person", "sent")
    for text in ("bourrage papier", "HUMAIN", "allô ?"):
        desk.later(hours=1)
        row = await desk.say(text, **CHAT)
        assert (row.action, row.reason, row.status) == ("handoff", "silenced", "none")
    assert len(desk.sent) == 2
    name = asked.conversation_id
    assert await desk.database.write(permission.release, name, "léa", desk.now)
    assert not await desk.database.write(permission.release, name, "léa", desk.now)
    assert (await desk.say(**CHAT)).status == "sent"
    done = await desk.database.read(lambda s: s.exec(select(History.action, History.actor)).all())
    assert ("released", "léa") in done


async def test_what_waits_in_a_conversation_is_taken_back_when_a_person_has_it(desk: Desk) -> None:
    desk.later(hours=12)
    waiting = await desk.drafted(**SMS)
    await desk.dispatch(waiting)
    asked = await desk.say("HUMAIN", **SMS)
    assert (await desk.row(waiting)).reason == "silenced"
    assert asked.status == "queued"  # nobody reads it at night
    desk.later(hours=12)
    (morning,) = await desk.deliver()
    assert morning.reason == "asked_for_person"


async def test_other_conversations_of_the_same_customer_go_on(desk: Desk) -> None:
    await desk.say("HUMAIN", **MAIL, subject="Facture")
    assert (await desk.say(**MAIL, subject="Bourrage")).status == "sent"
    silent = await desk.database.read(permission.silences)
    assert [(row.reason, row.by) for row in silent] == [("asked_for_person", "customer")]


async def test_a_trial_silences_nobody(desk: Desk) -> None:
    await desk.say("HUMAIN", **CHAT, trial=True)
    assert await desk.database.read(lambda s: s.exec(select(Silence)).all()) == []


# --- quiet hours -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("hours", "morning"),
    [(12, 22), (16, 22), (0, 0)],  # 22:00 and 02:00 in Paris; by day
)
async def test_a_text_message_of_the_night_is_answered_in_the_morning(
    desk: Desk, hours: int, morning: int
) -> None:
    began = desk.now
    desk.later(hours=hours)
    event = await desk.drafted(**SMS)
    (row,) = await desk.dispatch(event)
    assert row.next_attempt_at == began + timedelta(hours=morning)
    desk.now = began + timedelta(hours=morning) - timedelta(seconds=1)
    assert await desk.deliver() == []
    desk.later(seconds=1)
    assert [left.reply_id for left in await desk.deliver()] == [row.reply_id]


async def test_mail_and_chat_are_answered_at_night(desk: Desk) -> None:
    desk.later(hours=14)
    assert (await desk.say(**MAIL)).status == "sent"
    assert (await desk.say(**CHAT)).status == "sent"


async def test_what_is_only_shown_in_the_console_wakes_nobody(desk: Desk) -> None:
    desk.later(hours=14)
    (row,) = await desk.dispatch(await desk.drafted(**SMS), door="console")
    assert row.next_attempt_at == desk.now


async def test_danger_wakes_and_brings_what_waits_before_it(desk: Desk) -> None:
    desk.later(hours=14)
    waiting = await desk.say(**SMS)
    assert waiting.status == "queued"
    desk.later(minutes=1)
    danger = await desk.say("ça fume !", **SMS, priority="critical")
    assert "112" in danger.text
    assert [row.reply_id for row in desk.sent] == [waiting.reply_id, danger.reply_id]


# --- too many ----------------------------------------------------------------------------------


async def test_two_ticket_systems_that_answer_each_other_stop_within_three_messages(
    desk: Desk,
) -> None:
    subject, left = "Imprimante en panne", 0
    for number in range(12):
        row = await desk.say(
            f"Votre demande a bien été enregistrée. Suivi : {number}", **MAIL, subject=subject
        )
        desk.later(seconds=20)
        left = len(desk.sent)
        subject = f"Re: [Ticket#{number}] {row.subject}"
    assert left == 3
    assert [row.reason for row in desk.sent] == ["grounded", "grounded", "too_many"]
    assert "Une personne" in desk.sent[-1].text


async def test_a_system_that_opens_a_ticket_for_each_mail_is_stopped_at_ten(desk: Desk) -> None:
    for number in range(14):
        await desk.say("Ticket ouvert", **MAIL, subject=f"Ticket {number} ouvert : {number * 7}")
        desk.later(minutes=1)
    assert [row.reason for row in desk.sent] == ["grounded"] * 10 + ["too_many"]


async def test_a_window_later_the_same_customer_is_answered_again(desk: Desk) -> None:
    for _ in range(5):
        await desk.say(**MAIL, subject="Panne")
    assert len(desk.sent) == 3
    desk.later(minutes=181)
    assert (await desk.say(**MAIL, subject="Panne")).status == "sent"


async def test_one_conversation_has_twenty_automatic_replies_a_day(desk: Desk) -> None:
    for _ in range(23):
        await desk.say(**CHAT)
        desk.later(minutes=20)
    assert [row.reason for row in desk.sent] == ["grounded"] * 20 + ["too_many"]
    desk.later(days=1)
    assert (await desk.say(**CHAT)).status == "sent"


async def test_limits_hold_within_one_batch_too(desk: Desk) -> None:
    events = [await desk.drafted(**MAIL, subject="Panne") for _ in range(8)]
    rows = await desk.dispatch(*events)
    assert [row.status for row in rows] == ["queued"] * 3 + ["none"] * 5


async def test_a_limit_of_nought_is_none(database: Database) -> None:
    free = Desk(database, sender_replies=0, same_subject=0, conversation_replies=0)
    for _ in range(12):
        await free.say(**MAIL, subject="Panne")
    assert len(free.sent) == 12


# --- the whole desk ----------------------------------------------------------------------------


def senders(number: int) -> dict[str, Any]:
    return {
        "channel": "email",
        "from": f"robot-{number}@exemple.example",
        "subject": f"n° {number}",
    }


async def night(desk: Desk, messages: int, apart: timedelta) -> None:
    """Have as many strangers write, in batches as they come out of Kafka."""
    for start in range(0, messages, 100):
        events = []
        for number in range(start, min(start + 100, messages)):
            desk.now += apart
            events.append(await desk.drafted(**senders(number)))
        await desk.dispatch(*events)
        await desk.deliver()


async def test_messages_that_come_all_night_stop_the_desk(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    """8,000 in eight hours, one each 3.6 seconds: the first hundred are answered."""
    await night(desk, 120, timedelta(seconds=3.6))
    assert len(desk.sent) == 100
    row = await desk.database.read(breaker.last)
    assert row is not None and breaker.is_open(row, desk.now)
    assert "no reply leaves by itself" in caplog.text
    held = await desk.say(**senders(9_999))
    assert (held.action, held.reason, held.status) == ("handoff", "breaker", "none")


async def test_a_person_closes_the_breaker_and_counting_begins_anew(database: Database) -> None:
    desk = Desk(database, desk_replies=5, stopped_minutes=0)
    await night(desk, 10, timedelta(seconds=1))
    assert len(desk.sent) == 5
    desk.later(days=30)
    assert (await desk.say(**senders(50))).reason == "breaker"
    assert await database.write(breaker.close, "léa", desk.now)
    assert not await database.write(breaker.close, "léa", desk.now)
    desk.later(seconds=1)
    for number in range(60, 65):
        assert (await desk.say(**senders(number))).status == "sent"
    assert (await desk.say(**senders(70))).reason == "breaker"


async def test_the_breaker_closes_after_a_time(database: Database) -> None:
    desk = Desk(database, desk_replies=5, stopped_minutes=60)
    await night(desk, 6, timedelta(seconds=1))
    desk.later(minutes=59)
    assert (await desk.say(**senders(50))).reason == "breaker"
    desk.later(minutes=2)
    assert (await desk.say(**senders(51))).status == "sent"


async def test_replies_that_fail_stop_the_desk_too(database: Database) -> None:
    desk = Desk(database, desk_replies=0)
    for number in range(30):
        await desk.dispatch(await desk.drafted(**senders(number)))
        await desk.deliver("failed" if number % 2 == 0 or number > 20 else "sent")
    assert (await desk.say(**senders(50))).reason == "breaker"
    row = await database.read(breaker.last)
    assert row is not None
    assert (row.reason, row.detail) == ("failing", "20 of 30 replies failed")


async def test_stop_is_obeyed_while_the_desk_is_stopped(database: Database) -> None:
    desk = Desk(database, desk_replies=1, failed_percent=0)
    await night(desk, 2, timedelta(seconds=1))
    assert (await desk.say("STOP", **SMS)).status == "none"
    assert await consent(desk) == "stopped"
    await desk.say("START", **SMS)
    assert await consent(desk) == "granted"


async def test_every_message_has_exactly_one_row(desk: Desk) -> None:
    texts = ("bourrage", "STOP", "bourrage", "START", "HUMAIN", "allô", "AIDE")
    for text in texts:
        await desk.say(text, **SMS)
    rows = await desk.database.read(lambda s: s.exec(select(Outgoing)).all())
    assert len(rows) == len({row.message_id for row in rows}) == len(texts)
