from __future__ import annotations

import io
from dataclasses import replace
from uuid import uuid4

from gateways.alerts import Card, ConsoleDoor
from schemas.vocabulary import Severity

CARD = Card(str(uuid4()), "cf-1", "CF 1 : fuite", "ligne 1\nligne 2", "court", Severity.CRITICAL)


async def test_the_console_prints_a_card_and_what_became_of_it():
    out = io.StringIO()
    door = ConsoleDoor(out)
    reference = await door.send("Léa", CARD)
    await door.edit("Léa", reference, replace(CARD, title="CF 1 : fin", open=False))
    assert out.getvalue().splitlines() == [
        "● CF 1 : fuite (critique) → Léa",
        "    ligne 1",
        "    ligne 2",
        "○ CF 1 : fin (critique) → Léa",
        "    ligne 1",
        "    ligne 2",
    ]


def test_what_is_critical_is_urgent():
    assert CARD.urgent and not replace(CARD, severity=Severity.HIGH).urgent
