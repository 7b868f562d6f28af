"""The whole road in one process: a message goes in, its outcome comes out.

One desk serves all tests of this file.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from schemas.printer import InboundMessage
from schemas.topics import PRINTER
from services.neighbours import Neighbours
from storage import roads
from storage.tables import Outgoing
from tests.conftest import inbound, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def outcome(road: Neighbours, message: InboundMessage) -> Outgoing:
    """Send a message and wait for what becomes of it."""
    await road.teller.tell([message], "gateway")
    found: Outgoing = await until(lambda: road.database.read(roads.outcome, str(message.event_id)))
    return found


async def events(road: Neighbours, message: InboundMessage) -> dict[str, Any]:
    """Wait until the road is recorded to its end; return its events by topic."""
    await until(lambda: road.database.read(roads.ended, [str(message.event_id)]))
    steps = await road.database.read(roads.trace, message.trace_id)
    return {step.topic: json.loads(step.body) for step in steps}


def letters(road: Neighbours, *messages: InboundMessage) -> list[dict[str, str]]:
    """Return what left for the senders of these messages, as the door wrote it down."""
    path: Path = road.settings.dispatch.file
    written = path.read_text("utf-8") if path.exists() else ""
    senders = {message.sender for message in messages}
    found = [json.loads(line) for line in written.splitlines()]
    return [letter for letter in found if letter["address"] in senders]


def said(text: str, **changes: Any) -> InboundMessage:
    """Make a message of a visitor who was never here before."""
    return inbound(text, **({"from": f"visiteur-{uuid4().hex}"} | changes))


async def test_a_known_fault_is_answered_with_its_source_and_recorded_step_by_step(
    road: Neighbours,
) -> None:
    message = said(
        "Bonjour, notre Lexmark C750 affiche « Prêt Hex » et imprime des chiffres. Que faire ?",
        channel="email",
        subject="Écran « Prêt Hex »",
        **{"from": f"{uuid4().hex}@exemple.example"},
    )
    reply = await outcome(road, message)
    assert (reply.action, reply.reason, reply.status) == ("reply", "grounded", "sent")
    assert reply.sources == ["lexmark-c750-14"]
    assert "Source : Lexmark C750" in reply.text
    (letter,) = letters(road, message)
    assert (letter["text"], letter["subject"]) == (reply.text, "Re: Écran « Prêt Hex »")
    walked = await events(road, message)
    assert walked.keys() == {event.topic for event in PRINTER}
    assert {event["trace_id"] for event in walked.values()} == {message.trace_id}
    kinds = {found["kind"] for found in walked["printer.extracted"]["findings"]}
    assert {"brand", "model", "error_code"} <= kinds


async def test_a_complaint_is_handed_over_with_a_word_to_the_customer(road: Neighbours) -> None:
    message = said(
        "Votre technicien devait passer hier et personne n'est venu. C'est la deuxième fois, "
        "je suis vraiment mécontent."
    )
    reply = await outcome(road, message)
    assert (reply.action, reply.reason) == ("handoff", "complaint")
    assert "désolés" in reply.text
    assert [letter["reply_id"] for letter in letters(road, message)] == [reply.reply_id]


async def test_thanks_are_ignored_and_nothing_leaves(road: Neighbours) -> None:
    message = said("c bon ca remarche merci bcp !")
    reply = await outcome(road, message)
    assert (reply.action, reply.reason, reply.status) == ("ignore", "thanks", "none")
    assert letters(road, message) == []


async def test_an_english_message_is_answered_in_english(road: Neighbours) -> None:
    message = said("Hello, the printer says it is offline since we changed the internet box.")
    reply = await outcome(road, message)
    assert reply.action == "reply"
    assert reply.text.startswith("Hello,")
    assert "This is an automatic reply" in reply.text
    classified = (await events(road, message))["printer.classified"]
    assert classified["classification"]["language"] == "en"


async def test_the_same_message_told_again_and_again_is_answered_once(road: Neighbours) -> None:
    message = said("bourrage papier, la feuille est coincée")
    copies = [InboundMessage.model_validate(message.model_dump(by_alias=True)) for _ in range(5)]
    await road.teller.tell([message, *copies], "gateway")
    first = await outcome(road, message)
    await road.teller.tell(copies, "gateway")
    after = said("une autre question, le scanner est en panne")
    last = await outcome(road, after)
    left = [letter["reply_id"] for letter in letters(road, message, after)]
    assert left == [first.reply_id, last.reply_id]


async def test_smoke_is_never_answered_by_an_article(road: Neighbours) -> None:
    reply = await outcome(road, said("de la fumée sort de l'imprimante, que faire ?"))
    assert (reply.action, reply.reason) == ("handoff", "danger")
    assert "112" in reply.text
