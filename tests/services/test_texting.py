"""Replies as text messages: what they are, and who of those who call gets one."""

from __future__ import annotations

from typing import Any

import pytest

from services.texting import fitted, takes_texts


def row(**changes: Any) -> dict[str, Any]:
    return {
        "channel": "sms",
        "address": "+33639981201",
        "text": "L’encre est reçue…",
        "segments": 0,
        "action": "reply",
        "reason": "grounded",
        "status": "queued",
        "outbound": "twilio",
    } | changes


def test_a_text_is_put_into_plain_letters_and_counted():
    made = fitted(row())
    assert (made["text"], made["segments"]) == ("L'encre est recue...", 1)


@pytest.mark.parametrize("channel", ["email", "chat"])
def test_what_is_no_text_stays_as_it_is(channel: str):
    assert fitted(row(channel=channel)) == row(channel=channel)


def test_who_calls_from_a_mobile_is_answered_by_text():
    made = fitted(row(channel="call"))
    assert (made["status"], made["outbound"], made["segments"]) == ("queued", "twilio", 1)


def test_who_calls_from_elsewhere_is_called_back_by_a_person():
    made = fitted(row(channel="call", address="+33261910000"))
    assert (made["action"], made["reason"]) == ("handoff", "call_back")
    assert (made["status"], made["outbound"]) == ("none", "")


def test_where_calls_are_answered_otherwise_nothing_changes():
    elsewhere = row(channel="call", address="+33261910000", outbound="webhook")
    assert fitted(elsewhere) == elsewhere


@pytest.mark.parametrize(
    ("number", "mobile"),
    [
        ("+33639981201", True),
        ("+33 7 56 78 90 12", True),
        ("06 12 34 56 78", True),
        ("+33261910000", False),
        ("+33937000001", False),
        ("+442079460000", False),
        ("+447911123456", True),
        ("+14155552671", True),
        ("36115", False),
        ("appel CA1", False),
        ("", False),
    ],
)
def test_mobiles_take_texts(number: str, mobile: bool):
    assert takes_texts(number) is mobile
