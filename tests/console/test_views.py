"""Rows of the record as JSON."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from console.views import conversation_page, conversation_row, trace_page
from knowledge.wording import load_wording
from storage.tables import Conversation, Customer, Message, Outgoing, Recorded
from tests.events import NOW

WORDING = load_wording()
MESSAGE = "0f0e0d0c-0b0a-5908-8706-050403020100"


def conversation(**changes: Any) -> Conversation:
    fields = {"conversation_id": "c1", "customer_id": "k1", "channel": "email", "subject": "Panne"}
    return Conversation(**(fields | {"created_at": NOW, "last_at": NOW} | changes))


def customer(name: str = "Ana") -> Customer:
    return Customer(customer_id="k1", address="mailto:ana@x.example", name=name, created_at=NOW)


def step(number: int, topic: str, body: str = "{}", **changes: Any) -> Recorded:
    fields = {"event_id": f"e{number}", "trace_id": "a" * 32, "stage": "ingest", "body": body}
    at = NOW + timedelta(milliseconds=number)
    return Recorded(**(fields | {"topic": topic, "occurred_at": at} | changes))


def message(**changes: Any) -> Message:
    fields = {"message_id": MESSAGE, "conversation_id": "c1", "channel": "email", "text": "bonjour"}
    times = {"received_at": NOW - timedelta(days=1), "stored_at": NOW}
    came = {"external_id": "1", "sender": "ana", "received_text": "bonjour"}
    return Message(**(fields | times | came | changes))


def reply(**changes: Any) -> Outgoing:
    fields = {"reply_id": "r1", "message_id": MESSAGE, "text": "Bonjour,", "action": "reply"}
    more = {"reason": "grounded", "status": "queued", "how": "template", "sources": ["paper-jam"]}
    return Outgoing(**(fields | more | {"created_at": NOW} | changes))


def test_a_customer_without_a_name_is_shown_by_the_address() -> None:
    row = conversation_row(conversation(), customer(""), "x", 1, WORDING)
    assert row["customer"] == {"name": "ana@x.example", "address": ""}
    row = conversation_row(conversation(), customer(), "x", 1, WORDING)
    assert row["customer"] == {"name": "Ana", "address": "ana@x.example"}


def test_a_conversation_without_messages_has_an_empty_preview() -> None:
    row = conversation_row(conversation(), customer(), None, 0, WORDING)
    assert (row["preview"], row["messages"]) == ("", 0)
    assert row["reason_label"] == {"fr": "", "en": ""}


def test_times_are_utc_and_say_so() -> None:
    row = conversation_row(conversation(), customer(), "x", 2, WORDING)
    assert row["last_at"] == "2025-02-01T08:30:00Z"


def test_messages_and_replies_stand_in_the_order_in_which_they_came_and_left() -> None:
    messages = [message(), message(message_id="m2", stored_at=NOW + timedelta(seconds=2))]
    replies = [reply(), reply(reply_id="r2", created_at=NOW + timedelta(seconds=3))]
    page = conversation_page(conversation(), customer(), messages, replies, [], WORDING)
    assert [(entry["direction"], entry["id"]) for entry in page["messages"]] == [
        ("in", MESSAGE),
        ("out", "r1"),
        ("in", "m2"),
        ("out", "r2"),
    ]


def whole(**changes: Any) -> Any:
    shown = [message(**changes)]
    return conversation_page(conversation(), customer(), shown, [], [], WORDING)["messages"][0][
        "whole"
    ]


def test_what_was_left_aside_of_a_mail_is_there_too_and_only_then() -> None:
    mail = "Toujours en panne.\n\nLe 3 mai, Aide a écrit :\n> Bonjour"
    assert whole(text="Toujours en panne.", received_text=mail) == mail
    assert whole(text="Toujours en panne.", received_text=" Toujours  en panne.\n") is None
    page = "<p>Toujours en panne.</p><blockquote>Bonjour</blockquote>"
    assert "Bonjour" in whole(text="Toujours en panne.", received_text="", received_html=page)


def test_a_message_says_when_it_was_written_and_a_reply_when_it_left() -> None:
    sent = reply(status="sent", sent_at=NOW + timedelta(minutes=1))
    page = conversation_page(conversation(), customer(), [message()], [sent], [], WORDING)
    assert [entry["at"] for entry in page["messages"]] == [
        "2025-01-31T08:30:00Z",
        "2025-02-01T08:31:00Z",
    ]


def test_what_nobody_has_classified_yet_has_no_classification() -> None:
    page = conversation_page(conversation(), customer(), [message()], [], [], WORDING)
    (entry,) = page["messages"]
    assert (entry["classification"], entry["findings"], entry["passages"]) == (None, [], [])


@pytest.mark.parametrize(
    ("topics", "state"),
    [
        ([], "on_the_road"),
        ([("printer.inbound", "{}")], "on_the_road"),
        ([("printer.sent", '{"action": "reply"}')], "answered"),
        ([("printer.sent", '{"action": "handoff"}')], "handed_over"),
        ([("printer.sent", '{"action": "ignore"}')], "ignored"),
        ([("printer.sent", "torn")], "failed"),
        ([("dead.rag", "{}"), ("printer.sent", '{"action": "reply"}')], "failed"),
    ],
)
def test_the_state_of_a_road_is_read_off_its_end(topics: list[tuple[str, str]], state: str) -> None:
    steps = [step(n, topic, body) for n, (topic, body) in enumerate(topics)]
    assert trace_page(steps)["state"] == state


def test_a_body_that_is_no_event_is_shown_as_it_came() -> None:
    page = trace_page([step(1, "dead.rag", "x" * 9_000), step(2, "dead.rag", "[7]")])
    assert page["steps"][0]["event"] == {"raw": "x" * 4_000}
    assert page["steps"][1]["event"] == {"raw": "[7]"}


def test_a_text_message_says_how_many_segments_are_paid_for() -> None:
    texts = [reply(segments=2), reply(reply_id="r2", segments=0)]
    page = conversation_page(conversation(), customer(), [], texts, [], WORDING)
    assert [entry["segments"] for entry in page["messages"]] == [2, 0]
