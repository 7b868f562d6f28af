"""In which conversation a message belongs, and what ingest tells of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from schemas.errors import Rejected
from schemas.printer import InboundMessage
from schemas.tags import tagged, untagged
from services.ingest.printer import new_conversation_id, receive
from services.threads import Place, choose, is_loop, same_subject, ties_of
from tests.conftest import inbound
from tests.events import NOW
from tests.services.ingest.test_printer import arrived, mail

SECRET = "a secret"


@dataclass
class Open:
    conversation_id: str = "c1"
    customer_id: str = "k1"
    channel: str = "email"
    subject: str = "Panne"
    state: str = "answered"
    last_at: datetime = NOW - timedelta(hours=1)


def chosen(
    message: InboundMessage, *others: Open, mine: tuple[Open, ...] = (), who: str | None = "k1"
) -> Place:
    """Where a message belongs: `<n@x>` is a mail of conversation `cn`, whoever has it."""
    known = {one.conversation_id: one for one in (*others, *mine)}
    threads = {f"<{name[1:]}@x>": name for name in known}
    return choose(message, ties_of(message, SECRET), known, threads, mine, who)


def place_of(message: InboundMessage, *others: Open, **given: Any) -> str | None:
    found = chosen(message, *others, **given).conversation
    return found.conversation_id if found else None


def test_a_thread_counts_for_whoever_takes_part_in_it() -> None:
    message = mail(subject="autre chose", in_reply_to="<1@x>")
    assert place_of(message, Open()) == "c1"
    assert place_of(message, Open(customer_id="k2")) is None
    assert place_of(message, Open(), who=None) is None


def test_a_thread_counts_however_old_it_is() -> None:
    message = mail(subject="autre chose", in_reply_to="<1@x>")
    assert place_of(message, Open(last_at=NOW - timedelta(days=90))) == "c1"


def test_the_tag_comes_first_then_the_answered_mail_then_the_newest_before_then_the_number() -> (
    None
):
    known = [Open(f"c{n}") for n in (1, 2, 3, 4)]
    tag = tagged("aide@durand.example", "c1", SECRET)
    chain: dict[str, Any] = {
        "to": tag,
        "in_reply_to": "<2@x>",
        "references": ("<9@x>", "<4@x>", "<3@x>"),
        "subject": "Re: [#c4] autre chose",
    }
    assert place_of(mail(**chain), *known) == "c1"
    assert place_of(mail(**chain | {"to": "aide@durand.example"}), *known) == "c2"
    assert place_of(mail(**chain | {"to": None, "in_reply_to": "<7@x>"}), *known) == "c3"
    del chain["in_reply_to"], chain["references"], chain["to"]
    assert place_of(mail(**chain), *known) == "c4"


def test_the_tag_counts_from_whoever_has_it_and_the_number_from_a_participant_only() -> None:
    tag = tagged("aide@durand.example", "c1", SECRET)
    assert place_of(mail(to=tag, subject="x"), Open(customer_id="k2"), who=None) == "c1"
    assert place_of(mail(subject="[#c1]"), Open(customer_id="k2")) is None
    assert place_of(mail(subject="Re: [# c1] x"), Open()) == "c1"


@pytest.mark.parametrize("to", ["a+c1-aaaaaaaaaaaaaaaa@durand.example", "a+c1@x.fr", "", "+-@"])
def test_a_tag_that_is_not_signed_by_us_counts_for_nothing(to: str) -> None:
    assert place_of(mail(to=to, subject="x"), Open()) is None


def test_a_tag_signed_with_another_secret_counts_for_nothing() -> None:
    other = tagged("aide@durand.example", "c1", "another secret")
    assert place_of(mail(to=other, subject="x"), Open()) is None


def test_a_tag_survives_a_mail_program_that_writes_it_large() -> None:
    tag = tagged("aide@durand.example", "c1", SECRET)
    assert place_of(mail(to=tag.upper(), subject="x"), Open()) == "c1"
    assert untagged(tag) == "aide@durand.example"


def test_an_address_that_would_grow_too_long_has_no_tag() -> None:
    long = f"{'a' * 40}@durand.example"
    assert tagged(long, "c0123456789abcdef0123", SECRET) == long
    assert tagged("aide@x.fr", "C d", SECRET) == "aide@x.fr"
    assert tagged("aide@x.fr", "c1", "") == "aide@x.fr"


def test_an_answer_to_a_closed_conversation_under_a_new_subject_begins_one_that_follows_it() -> (
    None
):
    closed = Open(state="closed")
    other = chosen(mail(subject="Toner", in_reply_to="<1@x>"), mine=(closed,))
    assert (other.conversation, other.follows) == (None, "c1")
    same = chosen(mail(subject="RE: panne", in_reply_to="<1@x>"), mine=(closed,))
    assert (same.conversation, same.follows) == (closed, None)


def test_a_thread_of_another_channel_is_none() -> None:
    message = inbound(in_reply_to="<1@x>", received_at=NOW)
    assert place_of(message, Open()) is None


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
    assert place_of(mail(subject=subject), mine=(Open(subject=of_the_other),)) == expected


ACK = "Nous avons bien reçu votre demande n° {}. Un conseiller vous répondra."


@pytest.mark.parametrize(
    ("before", "minutes", "loop"),
    [
        (ACK.format("A-17"), 1, True),
        (ACK.format("A-17").upper().replace(" ", "\n"), 179, True),
        (ACK.format("A-17"), 181, False),
        ("Le bac est cassé, que faire ?", 1, False),
    ],
)
def test_who_answers_in_the_same_words_again_is_a_machine(
    before: str, minutes: int, loop: bool
) -> None:
    assert is_loop(ACK.format("A-18"), NOW, [(before, NOW - timedelta(minutes=minutes))]) is loop


def test_short_thanks_may_come_twice() -> None:
    assert not is_loop("Merci !", NOW, [("Merci !", NOW)])


@pytest.mark.parametrize(
    ("silence", "expected"),
    [(timedelta(days=7), "c1"), (timedelta(days=7, seconds=1), None)],
)
def test_after_seven_days_of_silence_a_new_conversation_begins(
    silence: timedelta, expected: str | None
) -> None:
    assert place_of(mail(), mine=(Open(last_at=NOW - silence),)) == expected


def test_a_text_message_joins_the_newest_of_its_channel() -> None:
    message = inbound(channel="sms", received_at=NOW, **{"from": "0612345678"})
    texts = [Open(name, channel="sms", subject="") for name in ("c2", "c1")]
    assert place_of(message, mine=(Open("c3"), *texts)) == "c2"


def test_nobody_joins_a_conversation_of_another_channel() -> None:
    assert place_of(inbound(received_at=NOW), mine=(Open(),)) is None


def test_subjects_that_only_begin_alike_are_different() -> None:
    assert same_subject("Tr: Re: Toner", "toner ")
    assert not same_subject("Retour", "tour")


def test_a_mail_answers_to_its_nearest_ancestor_first() -> None:
    arrival = arrived(mail(in_reply_to="<3@x>", references=("<1@x>", "<2@x>", "<3@x>")))
    assert arrival.ties.answers_to == ("<3@x>", "<2@x>", "<1@x>")


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
