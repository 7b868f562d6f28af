"""In which conversation a message belongs, and what ingest tells of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

import pytest

from schemas.errors import Rejected
from services.ingest.printer import choose, new_conversation_id, receive, same_subject
from tests.conftest import inbound
from tests.events import NOW
from tests.services.ingest.test_printer import arrived, mail


@dataclass
class Open:
    conversation_id: str = "c1"
    channel: str = "email"
    subject: str = "Panne"
    last_at: datetime = NOW - timedelta(hours=1)


def test_a_thread_counts_for_whoever_takes_part_in_it() -> None:
    arrival = arrived(mail(subject="autre chose", in_reply_to="<1@x>"))
    assert choose(arrival, "c1", [Open()]) == "c1"
    assert choose(arrival, "c1", [Open("c2")]) is None


def test_a_thread_counts_however_old_it_is() -> None:
    arrival = arrived(mail(subject="autre chose", in_reply_to="<1@x>"))
    assert choose(arrival, "c1", [Open(last_at=NOW - timedelta(days=90))]) == "c1"


@pytest.mark.parametrize(
    ("subject", "of_the_other", "expected"),
    [
        ("Panne", "Panne", "c1"),
        ("Re: panne", "Panne", "c1"),
        ("RE : Tr: Panne", "Re[2]: Panne", "c1"),
        ("Panne au 2e", "Panne", None),
        ("", "Panne", None),
    ],
)
def test_a_mail_without_a_thread_goes_by_its_subject(
    subject: str, of_the_other: str, expected: str | None
) -> None:
    arrival = arrived(mail(subject=subject))
    assert choose(arrival, None, [Open(subject=of_the_other)]) == expected


@pytest.mark.parametrize(
    ("silence", "expected"),
    [(timedelta(days=7), "c1"), (timedelta(days=7, seconds=1), None)],
)
def test_after_seven_days_of_silence_a_new_conversation_begins(
    silence: timedelta, expected: str | None
) -> None:
    assert choose(arrived(mail()), None, [Open(last_at=NOW - silence)]) == expected


def test_a_text_message_joins_the_newest_of_its_channel() -> None:
    arrival = arrived(inbound(channel="sms", received_at=NOW, **{"from": "0612345678"}))
    others = [Open("c3"), Open("c2", "sms", ""), Open("c1", "sms", "")]
    assert choose(arrival, None, others) == "c2"


def test_nobody_joins_a_conversation_of_another_channel() -> None:
    assert choose(arrived(inbound(received_at=NOW)), None, [Open()]) is None


def test_subjects_that_only_begin_alike_are_different() -> None:
    assert same_subject("Tr: Re: Toner", "toner ")
    assert not same_subject("Retour", "tour")


def test_a_mail_answers_to_its_nearest_ancestor_first() -> None:
    arrival = arrived(mail(in_reply_to="<3@x>", references=("<1@x>", "<2@x>", "<3@x>")))
    assert arrival.answers_to == ("<3@x>", "<2@x>", "<1@x>")


def test_the_same_message_is_told_the_same_however_often() -> None:
    arrival = arrived(mail(external_id="<1@x>"))
    (one,), (other,) = (
        receive(arrival, "c1", now, new_customer=True, new_conversation=False)
        for now in (NOW, NOW + timedelta(minutes=5))
    )
    assert one.model_copy(update={"occurred_at": other.occurred_at}) == other
    assert one.message.message_id == arrival.inbound.event_id


def test_the_decision_is_said_in_a_sentence() -> None:
    arrival = arrived(mail(headers={"List-Id": "x"}))
    (told,) = receive(arrival, "c1", NOW, new_customer=True, new_conversation=False)
    assert told.why == "nouveau client, conversation ouverte, liste de diffusion (list-id)"


def test_a_trial_stays_a_trial() -> None:
    arrival = arrived(mail(trial=True))
    (told,) = receive(arrival, "c1", NOW, new_customer=False, new_conversation=False)
    assert told.message.trial


def test_a_new_conversation_has_the_same_id_each_time() -> None:
    assert new_conversation_id(mail(external_id="1")) == new_conversation_id(mail(external_id="1"))
    assert new_conversation_id(mail(external_id="1")) != new_conversation_id(mail(external_id="2"))


def test_a_day_ahead_of_our_clock_is_let_pass_and_more_is_not() -> None:
    arrived(mail(received_at=NOW + timedelta(days=1)))
    with pytest.raises(Rejected, match="ahead of our clock"):
        arrived(mail(received_at=NOW + timedelta(days=1, seconds=1)))
