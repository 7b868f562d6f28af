"""All that search knows, in the process of a command."""

from __future__ import annotations

import asyncio

from ai.passages import Filters, Hit
from astreinte.learning.command import progress
from astreinte.learning.record import hands
from knowledge.pieces import Piece
from services.library import Library
from services.neighbours import Neighbours
from services.rag.app import shelve
from services.rag.printer import fits

MOST = 200
"""Hits that are looked through for those that fit a model."""


async def find(
    question: str, asked: tuple[str, str, str], limit: int, database: str
) -> list[tuple[Hit, Piece]]:
    """Return what is nearest to a question and for such a make, model and language, or for any."""
    brand, model, language = asked
    async with hands(database=database) as (near, _):
        library = await opened(near)
        vectors = await near.embedder.embed([question])
        (hits,) = library.index.search_many(
            [question], vectors, MOST, Filters(brand, language=language)
        )
    found = [(hit, library.pieces[hit.name]) for hit in hits]
    return [both for both in found if fits(both[1], brand or None, model or None)][:limit]


async def known_as(name: str, database: str) -> list[Piece]:
    """Return the article, the passages of the document, or the passage of that name."""
    async with hands(database=database) as (near, _):
        library = await opened(near)
    return [piece for piece in library.pieces.values() if name in {piece.owner, piece.name}]


async def opened(near: Neighbours) -> Library:
    """Return all that search knows; what no model has seen yet is embedded on the way."""
    library = await asyncio.to_thread(shelve, near)
    await library.catch_up()
    if library.waiting:
        with progress() as shown:
            task = shown.add_task("vecteurs", total=library.waiting)
            while library.waiting:
                await library.learn_one()
                shown.advance(task)
    return library
