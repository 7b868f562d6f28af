"""Listening ends early where more words would not help."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator

import pytest

from ai.hearing import bare, hear, rambles
from ai.llm import Down, Piece, Unusable


@pytest.mark.parametrize(
    "text",
    ["{" + " \n" * 60, "la " * 100, "Éteignez, puis rallumez. " * 12, '{"a": "' + "x" * 300],
)
def test_what_repeats_itself_is_noticed(text: str) -> None:
    assert rambles(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        '{\n    "reply": "Bonjour."\n}',
        "1. Ouvrez le bac 1.\n2. Ouvrez le bac 2.\n3. Ouvrez le bac 3.\n4. Ouvrez le bac 4.\n" * 2,
        "Éteignez. " * 8,
    ],
)
def test_what_is_said_twice_is_not(text: str) -> None:
    assert not rambles(text)


class Talker:
    """Says one piece again and again; knows whether somebody hung up."""

    def __init__(self, piece: Piece, last: Piece | None = None, times: int = 10**6) -> None:
        self.piece, self.last, self.times = piece, last, times
        self.said, self.left = 0, False

    async def say(self) -> AsyncGenerator[Piece, None]:
        try:
            for _ in range(self.times):
                self.said += 1
                yield self.piece
                await asyncio.sleep(0)
            if self.last:
                yield self.last
        finally:
            self.left = True


@pytest.mark.parametrize(
    ("piece", "said"),
    [
        (Piece(" "), "repeats"),
        (Piece("".join(chr(300 + n) for n in range(500))), "repeats|does not stop"),
        (Piece(thinking="hm, " * 100), "does not stop"),
    ],
)
async def test_whoever_never_ends_is_hung_up_on(piece: Piece, said: str) -> None:
    talker = Talker(piece)
    with pytest.raises(Unusable, match=said):
        await hear(talker.say(), max_tokens=50)
    assert talker.left
    assert talker.said < 100


async def test_an_end_without_a_reason_is_no_end() -> None:
    with pytest.raises(Down, match="broke off"):
        await hear(Talker(Piece("x"), times=2).say(), max_tokens=50)


async def test_the_last_piece_counts() -> None:
    last = Piece(reason="stop", answer_tokens=2)
    said = await hear(Talker(Piece("x"), last, times=2).say(), max_tokens=50)
    assert (said.text, said.last) == ("xx", last)


@pytest.mark.parametrize(
    "text",
    [
        '{"a": 1}',
        '```json\n{"a": 1}\n```',
        ' ```\n{"a": 1}\n```\n',
        '<think>\nWhat is {"a": 2}?\n</think>\n\n```json\n{"a": 1}\n```',
    ],
)
def test_thoughts_and_fences_are_taken_off_an_answer(text: str) -> None:
    assert json.loads(bare(text)) == {"a": 1}


def test_what_is_inside_an_answer_stays() -> None:
    text = '{"a": "```json\\n<think>x</think>"}'
    assert bare(text) == text
