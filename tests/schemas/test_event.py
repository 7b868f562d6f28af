"""What every event has: ids from their cause, a trace, a time in UTC."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import ValidationError

from schemas.printer import MessageReceived, ReplySent
from schemas.topics import FRIGO, PRINTER
from tests.conftest import inbound
from tests.events import NOW, classified, judged, received


def test_the_same_cause_gives_the_same_id_twice() -> None:
    cause = received()
    one, other = (
        type(classified()).after(cause, now, classification=judged())
        for now in (NOW, NOW + timedelta(hours=1))
    )
    assert one.event_id == other.event_id
    assert one.occurred_at != other.occurred_at


def test_events_of_one_cause_differ_by_index_and_by_type() -> None:
    cause = classified()
    same = cause.model_dump(exclude={"event_id", "trace_id", "caused_by", "occurred_at", "why"})
    ids = {type(cause).after(cause, NOW, index=index, **same).event_id for index in range(3)}
    ids.add(MessageReceived.after(cause, NOW, **same).event_id)
    assert len(ids) == 4
    assert cause.event_id not in ids


def test_two_causes_never_share_an_id() -> None:
    one, other = received(external_id="1"), received(external_id="2")
    assert one.event_id != other.event_id


def test_after_carries_over_what_both_have() -> None:
    cause = received("bonjour")
    event = type(classified()).after(cause, NOW, classification=judged())
    assert event.message == cause.message
    assert (event.new_customer, event.new_conversation) == (True, True)
    assert event.trace_id == cause.trace_id
    assert event.caused_by == cause.event_id


def test_after_does_not_carry_over_the_reason_of_the_stage_before() -> None:
    cause = received()
    assert cause.why
    assert MessageReceived.after(cause, NOW).why == ""


def test_what_is_named_wins_over_what_is_carried() -> None:
    cause = received()
    assert MessageReceived.after(cause, NOW, new_customer=False).new_customer is False


def test_after_refuses_to_make_an_event_that_lacks_something() -> None:
    with pytest.raises(ValidationError, match="status"):
        ReplySent.after(received(), NOW, message_id=received().event_id, conversation_id="c1")


def test_a_moment_is_kept_as_utc() -> None:
    paris = timezone(timedelta(hours=1))
    message = inbound(received_at=datetime(2025, 1, 15, 9, 0, tzinfo=paris))
    assert message.received_at == datetime(2025, 1, 15, 8, 0, tzinfo=UTC)
    assert message.received_at.tzinfo is UTC


def test_a_moment_without_a_zone_is_refused() -> None:
    with pytest.raises(ValidationError, match="timezone"):
        inbound(received_at="2025-01-15T09:00:00")


@pytest.mark.parametrize("year", [1, 1970, 1999, 2100, 9999])
def test_a_year_that_cannot_be_right_is_refused_by_name(year: int) -> None:
    with pytest.raises(ValidationError, match=f"a date of the year {year} cannot be right"):
        inbound(received_at=f"{year:04}-06-01T00:00:00Z")


@pytest.mark.parametrize("year", [2000, 2099])
def test_the_first_and_the_last_year_are_accepted(year: int) -> None:
    assert inbound(received_at=f"{year}-06-01T00:00:00Z").received_at.year == year


def test_events_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        received().new_customer = False


def test_fields_of_newer_writers_are_ignored() -> None:
    event = received()
    newer = event.model_dump(mode="json") | {"mood": "angry"}
    newer["message"] |= {"emoji": True}
    assert MessageReceived.model_validate(newer) == event


@pytest.mark.parametrize("trace", ["", "xyz", "A" * 32, "a" * 31, "a" * 33])
def test_a_trace_id_is_32_hex_digits(trace: str) -> None:
    with pytest.raises(ValidationError, match="trace_id"):
        MessageReceived.model_validate(received().model_dump() | {"trace_id": trace})


def test_type_names_say_topic_and_version_and_are_unique() -> None:
    names = [event.type_name() for event in PRINTER + FRIGO]
    assert names[0] == "astreinte.printer.inbound.v1"
    assert len(set(names)) == 14
