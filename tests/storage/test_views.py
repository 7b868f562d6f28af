"""The three views that people look at with SQL give the same rows on every database."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import text
from sqlmodel import Session

from storage.database import Database
from storage.tables import Conversation, Customer, Device, Message, PrinterModel
from tests.events import NOW


def fill(session: Session, *conversations: dict[str, Any]) -> None:
    """Write conversations of one customer, each with one message; given in their order of time."""
    session.add(Customer(customer_id="k1", address="a", name="Ana", company="É 🖨", created_at=NOW))
    session.add(PrinterModel(model_id="m1", manufacturer="Lexmark", name="C750"))
    session.flush()
    session.add(
        Device(device_id="d1", customer_id="k1", model_id="m1", serial_number="S1", created_at=NOW)
    )
    for place, changes in enumerate(conversations):
        at = NOW + timedelta(minutes=place, days=changes.pop("day", 0))
        outcome = changes.pop("outcome", "")
        row = {
            "conversation_id": f"c{place}",
            "customer_id": "k1",
            "channel": "email",
            "created_at": at,
            "last_at": at,
        }
        session.add(Conversation(**(row | changes)))
        session.flush()
        session.add(
            Message(
                message_id=f"m{place}",
                conversation_id=f"c{place}",
                channel="email",
                external_id=f"{place}",
                text=f"n° {place} 🖨",
                received_text="",
                received_at=at,
                stored_at=at,
                sender="ana@x.example",
                outcome=outcome,
            )
        )


def rows(session: Session, query: str) -> list[dict[str, Any]]:
    return [dict(row) for row in session.connection().execute(text(query)).mappings()]


async def test_what_waits_for_a_person_comes_most_urgent_first(database: Database) -> None:
    await database.write(
        fill,
        {"state": "handed_over", "priority": "low"},
        {"state": "handed_over", "priority": "high", "reason": "danger", "device_id": "d1"},
        {"state": "answered", "priority": "critical"},
        {"state": "failed", "priority": ""},
        {"state": "handed_over", "priority": "medium"},
        {"state": "failed", "priority": "critical", "external_ref": "TK007"},
        {"state": "on_the_road", "priority": "critical"},
        {"state": "handed_over", "priority": "high", "confidence": 0.91},
        {"state": "handed_over", "priority": "critical", "trial": True},
    )
    found = await database.read(rows, "SELECT * FROM v_actionable_tickets")
    assert [row["conversation_id"] for row in found] == ["c5", "c1", "c7", "c3", "c4", "c0"]
    assert found[0]["external_ref"] == "TK007"
    with_device = found[1]
    assert (
        with_device["serial_number"],
        with_device["manufacturer"],
        with_device["model_name"],
    ) == (
        "S1",
        "Lexmark",
        "C750",
    )
    assert (with_device["customer_name"], with_device["company"]) == ("Ana", "É 🖨")
    assert (with_device["reason"], found[2]["serial_number"]) == ("danger", None)


async def test_automation_is_counted_by_day_without_what_was_left_alone(database: Database) -> None:
    await database.write(
        fill,
        {"state": "answered", "confidence": 0.9},
        {"state": "answered", "confidence": 0.8},
        {"state": "handed_over", "confidence": 0.305},
        {"state": "ignored", "confidence": 0.1},
        {"state": "answered", "confidence": 0.1, "trial": True},
        {"state": "closed", "reason": "imported"},
        {"state": "on_the_road", "day": 1},
        {"state": "ignored", "day": 2},
    )
    query = "SELECT * FROM v_pipeline_performance ORDER BY day"
    found = await database.read(rows, query)
    days = [(NOW + timedelta(n)).date().isoformat() for n in (0, 1)]
    assert [str(row["day"]) for row in found] == days
    assert [
        (row["total"], int(row["auto_resolved"]), float(row["automation_rate"])) for row in found
    ] == [(3, 2, 66.7), (1, 0, 0.0)]
    assert [row["avg_confidence"] for row in found] == [0.67, None]


async def test_what_is_on_its_road_comes_oldest_first(database: Database) -> None:
    await database.write(fill, {}, {"outcome": "answered"}, {}, {"outcome": "failed"})
    found = await database.read(rows, "SELECT * FROM v_unprocessed_messages")
    assert [(row["message_id"], row["text"]) for row in found] == [
        ("m0", "n° 0 🖨"),
        ("m2", "n° 2 🖨"),
    ]
    assert found[0]["customer_name"] == "Ana"
    assert found[0]["company"] == "É 🖨"
