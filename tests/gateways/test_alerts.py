from __future__ import annotations

import asyncio
import io
from dataclasses import replace
from uuid import uuid4

import pytest

from gateways.alerts import Card, ConsoleDoor, LoadedDoor
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


async def test_a_door_that_is_loaded_later_is_made_once_and_serves_who_waited():
    out, made = io.StringIO(), []

    def make() -> ConsoleDoor:
        made.append(ConsoleDoor(out))
        return made[-1]

    door = LoadedDoor("console", "wave", make)
    await door.close()  # nothing was opened
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await door.send("Léa", CARD)
    references = await asyncio.gather(door.send("Léa", CARD), door.send("Paul", CARD))
    await door.edit("Léa", references[0], replace(CARD, open=False))
    await door.close()
    assert len(made) == 1
    assert out.getvalue().count("CF 1 : fuite") == 3
