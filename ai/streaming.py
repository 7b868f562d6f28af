"""An answer in free words, as they come."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import Any

from ai.hearing import FIRST_S, pieces_of
from ai.llm import Ask, Piece, Unusable
from ai.masking import InventedError, masked
from ai.route import Route

OPENS, CLOSES = "⟦", "⟧"


async def words(route: Route, ask: Ask[Any], until: float) -> AsyncGenerator[str, None]:
    """Yield what one backend writes before the time `until` (of the monotonic clock).

    A placeholder is held back until it is whole, and shown as the words that it stands for.

    Raises
    ------
    NoAnswer
        As `Route.fill`; nothing at all was written, or a placeholder was invented.
    """
    held, last, said = "", Piece(), False
    async with route.asking(ask, until) as choice:
        mask, prompt = masked(ask, None, leaves=choice.model.leaves)
        try:
            told = route.backend.say(choice.model, prompt)
            async for last in pieces_of(told, ask.max_tokens, FIRST_S):
                held += last.text
                ready, held = _whole(held) if mask else (held, "")
                if ready:
                    said = True
                    yield mask.show(ready) if mask else ready
        except InventedError as error:
            raise Unusable(str(error)) from None
        finally:
            route.pay(last if last.reason else Piece(prompt_tokens=ask.tokens))
        if held:
            yield held  # a bracket that nothing followed
        elif not said:
            msg = "it wrote nothing"
            raise Unusable(msg)


def _whole(text: str) -> tuple[str, str]:
    """Return the text up to a placeholder that is still being written, and that."""
    start = text.rfind(OPENS)
    if start < 0 or CLOSES in text[start:]:
        return text, ""
    return text[:start], text[start:]
