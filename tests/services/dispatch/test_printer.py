"""What leaves, and what became of it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from schemas.findings import Draft
from schemas.printer import ReplyDrafted
from schemas.vocabulary import Action, SendStatus
from services.dispatch.printer import plan, sent
from storage.tables import Outgoing
from tests.events import NOW, grounded

MAIL = {"channel": "email", "from": "ana@exemple.example"}


def drafted(action: Action = Action.REPLY, **changes: Any) -> ReplyDrafted:
    draft = Draft(
        action=action, reason="grounded", text="Bonjour", how="template", sources=("paper-jam",)
    )
    return ReplyDrafted.after(grounded(**changes), NOW, draft=draft)


def outgoing(event: ReplyDrafted | None = None, **changes: Any) -> Outgoing:
    return Outgoing(**(plan(event or drafted(), "file", NOW) | changes))


@pytest.mark.parametrize(
    ("action", "trial", "status", "outbound"),
    [
        (Action.REPLY, False, SendStatus.QUEUED, "file"),
        (Action.HANDOFF, False, SendStatus.QUEUED, "file"),
        (Action.IGNORE, False, SendStatus.NONE, ""),
        (Action.REPLY, True, SendStatus.HELD, ""),
        (Action.HANDOFF, True, SendStatus.HELD, ""),
        (Action.IGNORE, True, SendStatus.NONE, ""),
    ],
)
def test_a_reply_is_queued_held_or_nothing(
    action: Action, trial: bool, status: SendStatus, outbound: str
) -> None:
    row = plan(drafted(action, trial=trial), "file", NOW)
    assert (row["status"], row["outbound"]) == (status.value, outbound)


def test_the_row_holds_what_the_draft_says_and_where_it_goes() -> None:
    event = drafted(**MAIL, subject="Panne")
    row = plan(event, "file", NOW)
    assert row["reply_id"] == str(event.event_id)
    assert row["message_id"] == str(event.message.message_id)
    assert (row["channel"], row["address"]) == ("email", "ana@exemple.example")
    assert (row["text"], row["how"], row["sources"]) == ("Bonjour", "template", ["paper-jam"])
    assert (row["attempts"], row["next_attempt_at"]) == (0, NOW)


def test_the_row_fills_every_column_that_the_outbox_needs() -> None:
    row = plan(drafted(), "file", NOW)
    later = {"claimed_at", "sent_at", "delivered_at", "told_at"}
    assert row.keys() == Outgoing.model_fields.keys() - later


@pytest.mark.parametrize(
    ("subject", "answer"),
    [
        ("Panne", "Re: Panne"),
        ("Re: Panne", "Re: Panne"),
        ("RE: Panne", "RE: Panne"),
        ("", ""),
        ("x" * 998, "Re: " + "x" * 994),
    ],
)
def test_a_mail_is_answered_under_its_subject(subject: str, answer: str) -> None:
    assert plan(drafted(**MAIL, subject=subject), "file", NOW)["subject"] == answer


def test_a_text_message_has_no_subject() -> None:
    sms = {"channel": "sms", "from": "0612345678", "subject": "x"}
    assert plan(drafted(**sms), "file", NOW)["subject"] == ""


def test_the_same_draft_gives_the_same_row() -> None:
    event = drafted()
    assert plan(event, "file", NOW) == plan(event, "file", NOW)


def test_what_became_of_a_reply_is_told_under_the_same_id_however_often() -> None:
    row = outgoing(status="sent", provider_id="p7")
    one, other = sent(row, NOW), sent(row, NOW + timedelta(hours=1))
    assert one.event_id == other.event_id
    assert one.event_id != sent(outgoing(drafted(external_id="m2"), status="sent"), NOW).event_id


def test_the_trace_leads_back_to_the_message() -> None:
    event = drafted()
    told = sent(outgoing(event, status="sent"), NOW)
    assert told.trace_id == event.trace_id
    assert told.caused_by == event.event_id
    assert (told.message_id, told.key) == (event.message.message_id, event.key)


@pytest.mark.parametrize(
    ("status", "said"),
    [
        ("sent", "envoyé par file"),
        ("failed", "échec par file : file cannot be written"),
        ("held", "retenu (essai)"),
        ("none", "rien à envoyer"),
    ],
)
def test_the_outcome_is_said_in_a_sentence(status: str, said: str) -> None:
    outbound = "file" if status in {"sent", "failed"} else ""
    row = outgoing(status=status, outbound=outbound, last_error="file cannot be written")
    assert sent(row, NOW).why == said
    assert sent(row, NOW).status == status
