"""Listens to a model that writes, and hangs up on one that rambles, stalls or does not stop."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass

from ai.llm import Down, Piece, Unusable

FIRST_S = 30.0
"""For the first words of a model that is loaded; the prompt is read before them."""
STALL_S = 20.0
"""Between words, later."""
CHARACTERS_A_TOKEN = 12
"""No tokenizer's average comes near: text beyond it was not counted by the server."""
BLANK = 80
"""White space in a row that no answer needs; a grammar lets a lost model write it for ever."""
LOOP = 240
"""Characters at the end that repeat a few words over and over."""
LONGEST_TURN = 60
LONGEST_THOUGHT = 20_000


@dataclass(frozen=True)
class Said:
    """All that was written, and the last piece, which counts it."""

    text: str
    last: Piece


def rambles(text: str) -> bool:
    """Tell whether the end of a text is white space, or some words again and again."""
    if len(text) >= BLANK and not text[-BLANK:].strip():
        return True
    tail = text[-LOOP:]
    if len(tail) < LOOP:
        return False
    return any(
        tail[turn:] == tail[:-turn] for turn in range(1, LONGEST_TURN + 1)
    )  # it is its own echo


async def pieces_of(
    told: AsyncGenerator[Piece, None], max_tokens: int, first_s: float
) -> AsyncGenerator[Piece, None]:
    """Yield what comes for as long as it makes sense.

    Raises
    ------
    Down
        Nothing came in time, or it broke off.
    Unusable
        It repeats itself, or writes more than was asked for.
    """
    text, thought, wait, last = "", 0, first_s, Piece()
    async with aclosing(told) as open_told:
        while True:
            try:
                async with asyncio.timeout(wait):
                    last = await anext(open_told)
            except StopAsyncIteration:
                break
            except TimeoutError:
                msg = f"nothing came for {wait:g} s"
                raise Down(msg) from None
            wait = STALL_S
            text, thought = text + last.text, thought + len(last.thinking)
            if rambles(text):
                msg = "it repeats itself"
                raise Unusable(msg)
            if len(text) > max_tokens * CHARACTERS_A_TOKEN or thought > LONGEST_THOUGHT:
                msg = "it does not stop"
                raise Unusable(msg)
            yield last
    if not last.reason:
        msg = "the answer broke off"
        raise Down(msg)


async def hear(
    told: AsyncGenerator[Piece, None], max_tokens: int, first_s: float = FIRST_S
) -> Said:
    """Return all that a model writes.

    A model that thinks may put the whole answer there, and leave the answer itself empty.

    Raises
    ------
    Down
        As `pieces_of`.
    Unusable
        As `pieces_of`; or it was cut at `max_tokens`.
    """
    text, thinking, last = "", "", Piece()
    async for last in pieces_of(told, max_tokens, first_s):
        text, thinking = text + last.text, thinking + last.thinking
    if last.reason == "length":
        msg = f"the answer was longer than {max_tokens} tokens"
        raise Unusable(msg)
    return Said(text if text.strip() else thinking, last)


def bare(text: str) -> str:
    """Return the JSON of an answer without the thoughts before and the fence around it.

    Servers that hold to no schema let models write so; what is left is checked all the same.
    """
    text = re.sub(r"^\s*<think>.*?</think>", "", text, count=1, flags=re.DOTALL)
    fenced = re.fullmatch(r"\s*```(?:json)?\s*\n(.*?)\n?\s*```\s*", text, flags=re.DOTALL)
    return fenced[1] if fenced else text
