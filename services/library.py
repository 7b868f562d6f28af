"""All that search knows: what ships, what lies in a folder, what the record holds; kept up to date.

Every process has all of it. What changes in the record is told in `knowledge.changed`, and looked
for every few seconds besides: a broker that was away, or a command that was killed before it had
told, costs these seconds and nothing else. Texts that no process has embedded yet are embedded a
few at a time, between the messages.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from itertools import accumulate

from sqlmodel import Session

from ai.embeddings import Embedder, Vectors
from ai.passages import PassageIndex, Row
from knowledge.pieces import Piece, of_body, of_document
from schemas.errors import Unavailable
from schemas.knowledge import KnowledgeChanged
from services.embedding import digest_of, embed_missing, known, texts_of, vectors_of
from storage import documents
from storage.database import Database
from storage.documents import Change, Told

log = logging.getLogger(__name__)

EVERY_S = 5.0
"""Between looks into the record, when nobody tells of anything."""
OVERLAP = timedelta(minutes=5)
"""Asked for again: what was written by a slower transaction, or by a clock that is behind."""
OWNERS_AT_ONCE = 20
TEXTS_AT_ONCE = 4
"""Texts of passages that are embedded between two batches of messages: a tenth of a second."""


class Library:
    """Pieces by name, and the index over them.

    Parameters
    ----------
    database
        The record.
    embedder
        The embedding model; the record keeps what it made of texts.
    shipped, vectors
        What is known without the record, and the vectors of its texts, one after the other. An
        article of the record replaces one of the same id.
    """

    def __init__(
        self, database: Database, embedder: Embedder, shipped: Sequence[Piece], vectors: Vectors
    ) -> None:
        self.pieces: dict[str, Piece] = {}
        self.index = PassageIndex(embedder.name, embedder.dimension, embedder.fingerprint)
        self._database = database
        self._embedder = embedder
        places = accumulate((len(piece.texts) for piece in shipped), initial=0)
        self._shipped = {
            piece.owner: ((piece,), vectors[start : start + len(piece.texts)])
            for piece, start in zip(shipped, places, strict=False)
        }
        self._held: dict[str, tuple[str, ...]] = {}
        self._seen: dict[str, Change] = {}
        self._later: dict[str, Change] = {}
        self._named: set[str] = set()
        self._news = asyncio.Event()
        self._since: datetime | None = None
        self._keeping: asyncio.Task[None] | None = None
        self.noted: Callable[[str], None] = lambda _: None
        """Is told what people should know: what is not searched yet."""
        self._put(shipped, vectors)

    @property
    def waiting(self) -> int:
        """Articles and documents that are found once their texts are embedded."""
        return len(self._later)

    def hear(self, event: KnowledgeChanged) -> None:
        """Take note that something changed; it is looked at in a moment."""
        self._named.add(event.name)
        self._news.set()

    def missed(self) -> None:
        """Take note that something may have changed."""
        self._news.set()

    def start(self) -> None:
        """Keep up with the record from now on."""
        self._keeping = asyncio.create_task(self._keep())

    async def stop(self) -> None:
        """Keep up no longer."""
        if self._keeping:
            self._keeping.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeping

    async def catch_up(self) -> None:
        """Take in what changed in the record since the last time, as far as it is embedded.

        Raises
        ------
        Unavailable
            The record does not answer.
        """
        asked, names = datetime.now(UTC), sorted(self._named)
        found = await self._database.read(documents.changed, self._since, names)
        changes = {c.name: c for c in found if self._seen.get(c.name) != c}
        order = list(changes)
        for start in range(0, len(order), OWNERS_AT_ONCE):
            await self._take([changes[name] for name in order[start : start + OWNERS_AT_ONCE]])
        self._named.difference_update(names)
        self._since = asked - OVERLAP

    async def learn_one(self) -> None:
        """Embed the texts of one article or document that waits, and take it in."""
        name = next(iter(self._later))
        change = self._later[name] = self._later.pop(name)  # if it fails, others come before it
        texts = texts_of(await self._database.read(_pieces, [change]))
        await embed_missing(self._database, self._embedder, texts, TEXTS_AT_ONCE)
        await self._take([change])

    async def _keep(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(0 if self._later else EVERY_S):
                    await self._news.wait()
            self._news.clear()
            try:
                await self.catch_up()
                if self._later:
                    self.noted(f"{self.waiting} document(s) not embedded yet")
                    await self.learn_one()
                self.noted("")
            except Unavailable as why:
                log.warning("what is new in the record is not searched yet: %s", why)
                await asyncio.sleep(EVERY_S)
            except Exception:
                log.exception("what is new in the record could not be taken in")
                await asyncio.sleep(EVERY_S)

    async def _take(self, changes: Sequence[Change]) -> None:
        """Take in what is embedded; the rest waits, and until then its last version is found."""
        pieces = await self._database.read(_pieces, [each for each in changes if not each.removed])
        there = await known(self._database, self._embedder, texts_of(pieces))
        late = await asyncio.to_thread(self._take_embedded, changes, pieces, there)
        for change in changes:
            self._later.pop(change.name, None)
            self._seen[change.name] = change
            if change.name in late:
                self._later[change.name] = change

    def _take_embedded(
        self, changes: Sequence[Change], pieces: Sequence[Piece], there: Mapping[str, bytes]
    ) -> set[str]:
        """Take in those of which all texts are there; return whose are not."""
        late = {p.owner for p in pieces if any(digest_of(text) not in there for text, _ in p.texts)}
        ready = [piece for piece in pieces if piece.owner not in late]
        vectors = vectors_of(texts_of(ready), there, self._embedder.dimension)
        self._replace({change.name for change in changes} - late, ready, vectors)
        return late

    def _replace(self, owners: set[str], pieces: Sequence[Piece], vectors: Vectors) -> None:
        """Have pieces found instead of what their owners had; what ships comes back at the end."""
        old = {name for owner in owners for name in self._held.pop(owner, ())}
        self._put(pieces, vectors)
        for owner in owners - self._held.keys() & self._shipped.keys():
            self._put(*self._shipped[owner])
        gone = old - {name for owner in owners for name in self._held.get(owner, ())}
        self.index.remove(gone)
        for name in gone:
            del self.pieces[name]

    def _put(self, pieces: Sequence[Piece], vectors: Vectors) -> None:
        rows = [
            Row(number, piece.name, text, language, piece.brand or "")
            for piece in pieces
            for number, (text, language) in enumerate(piece.texts)
        ]
        for piece in pieces:
            self.pieces[piece.name] = piece
            self._held[piece.owner] = (*self._held.get(piece.owner, ()), piece.name)
        self.index.add(rows, vectors)


def _pieces(session: Session, changes: Sequence[Change]) -> list[Piece]:
    """Read what became of articles and documents; in a thread, for there may be many."""
    articles = [change.name for change in changes if change.kind == "article"]
    others = [change.name for change in changes if change.kind != "article"]
    told = documents.articles(session, articles)
    found = [piece for one in told if (piece := _article(one))]
    for about, passages in documents.documents(session, others):
        told_of = about.model_dump()
        found += [of_document(told_of, row.model_dump()) for row in passages]
    return found


def _article(told: Told) -> Piece | None:
    try:
        return of_body(told.name, told.body, told.brand, told.model)
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        why = type(error).__name__
        log.error("article %s of the record is none (%s)", told.name, why)  # noqa: TRY400
        return None
