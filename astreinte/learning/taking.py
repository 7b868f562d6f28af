"""Files, pages and articles into the record: read, cut into passages, embedded, told."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import uuid5

from ai.embeddings import Embedder
from astreinte.learning.outcomes import Given, Outcome, Steps
from astreinte.learning.recognising import language_of, make_of
from astreinte.learning.sources import ARTICLES, bytes_of, is_address
from astreinte.learning.telling import Crier
from gateways.documents.paper import Paper, Unreadable
from gateways.documents.reading import read
from gateways.documents.web import name_of
from knowledge.articles import InvalidArticle, load_article
from knowledge.chunks import chunks
from knowledge.pieces import Piece, of_article, of_document
from schemas.event import ASTREINTE
from services.embedding import digest_of, embed_missing, texts_kept, texts_of
from storage import documents
from storage.database import Database
from storage.documents import Change

READING = 1
"""Counts the ways of reading: with another one, what is imported again is read again."""
AT_ONCE = 32


@dataclass
class Taking:
    """Takes sources in, one after the other; what is cut short goes on the next time."""

    database: Database
    embedder: Embedder
    crier: Crier
    given: Given
    private: bool = False

    async def take(self, source: str, steps: Steps) -> Outcome:
        """Take one source in; what cannot be read is said, never raised."""
        try:
            if not is_address(source) and Path(source).suffix.lower() in ARTICLES:
                return await self._article(source, steps)
            where, data = await bytes_of(source, private=self.private)
            return await self._document(where, data, steps)
        except Unreadable as error:
            return Outcome(source, "skipped", reason=f"{source}: {error}")
        except InvalidArticle as error:
            return Outcome(source, "skipped", reason=str(error))

    async def _article(self, source: str, steps: Steps) -> Outcome:
        path = Path(source)
        try:
            article = await asyncio.to_thread(load_article, path)
        except OSError as error:
            msg = f"cannot be read ({error.strerror})"
            raise Unreadable(msg) from None
        await self._embed([of_article(article)], steps)
        row = {
            "article_id": article.id,
            "title": article.fr.title,
            "source": article.source[:255],
            "error_codes": list(article.error_codes),
            "tags": list(article.tags),
        }
        body, now = article.model_dump_json(), datetime.now(UTC)
        done = await self.database.write(
            documents.put_article, row, body, f"knowledge import {path.name}", now
        )
        return await self._told(source, done, article.fr.title)

    async def _document(self, source: str, data: bytes, steps: Steps) -> Outcome:
        name = document_id(source)
        digest = sha256(f"{READING} {asdict(self.given)} ".encode() + data).hexdigest()
        known = await self.database.read(documents.digests, [name])
        if known.get(name) == digest:
            return Outcome(source, "unchanged", name)
        paper = await asyncio.to_thread(read, data, source, steps.pages)
        parts = [chunk._asdict() for chunk in chunks(paper.blocks)]
        if not parts:
            msg = "has too few words to be found by"
            raise Unreadable(msg)
        row = self._about(source, paper, [part["text"] for part in parts])
        row |= {"document_id": name, "digest": digest, "pages": paper.pages}
        pieces = pieces_of(row, parts)
        await self._embed(pieces, steps)
        old = await texts_kept(self.database, [name])
        done = await self.database.write(documents.put, row, parts, datetime.now(UTC))
        gone = [digest_of(text) for text in old - set(texts_of(pieces))]
        await self.database.write(documents.forget_vectors, gone)
        told = await self._told(source, done, row["title"])
        return Outcome(
            **asdict(told)
            | {"pages": paper.pages, "passages": len(parts), "remarks": paper.remarks}
        )

    def _about(self, source: str, paper: Paper, texts: list[str]) -> dict[str, Any]:
        """Return what a document is about: what was said, else what is recognised."""
        words = "\n".join(texts)
        title = self.given.title or paper.title or name_of(source)
        brand, models = make_of(f"{title}\n{name_of(source)}", words)
        if self.given.brand:
            brand, models = self.given.brand, []
        return {
            "kind": "document",
            "source": source[:1000],
            "title": title[:200],
            "language": self.given.language or language_of(words),
            "brand": brand if brand.lower() != "any" else "",
            "models": list(self.given.models) or models,
            "approved": True,
        }

    async def _embed(self, pieces: list[Piece], steps: Steps) -> None:
        texts = set(texts_of(pieces))
        done = 0

        def advance(more: int) -> None:
            nonlocal done
            done += more
            steps.texts(done, len(texts))

        await embed_missing(self.database, self.embedder, texts, AT_ONCE, advance)

    async def _told(self, source: str, done: Change | None, title: str) -> Outcome:
        if done is None:
            return Outcome(source, "unchanged", title=title)
        await self.crier.tell([done])
        outcome = "new" if done.revision == 1 else "updated"
        return Outcome(source, outcome, done.name, title)


def document_id(source: str) -> str:
    """Return the id of a document, which follows from where it is."""
    return f"d{uuid5(ASTREINTE, f'document {source}').hex[:20]}"


def pieces_of(row: dict[str, Any], parts: list[dict[str, Any]]) -> list[Piece]:
    """Return the pieces that search will make of a document."""
    return [of_document(row, {"number": n} | part) for n, part in enumerate(parts, 1)]
