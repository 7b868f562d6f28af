"""What an embedding model made of texts, kept in the record: asked once, for all processes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256

import numpy as np

from ai.embeddings import Embedder, Vectors
from knowledge.pieces import Piece, of_document
from storage import documents
from storage.database import Database


def digest_of(text: str) -> str:
    """Return the name under which a text's vector is kept."""
    return sha256(text.encode()).hexdigest()[:32]


def texts_of(pieces: Iterable[Piece]) -> list[str]:
    """Return the texts by which pieces are found, one after the other."""
    return [text for piece in pieces for text, _ in piece.texts]


async def known(database: Database, embedder: Embedder, texts: Iterable[str]) -> dict[str, bytes]:
    """Return the vectors of texts that this model has seen, by their digests."""
    names = list({digest_of(text) for text in texts})
    return await database.read(documents.vectors, embedder.fingerprint, names)


async def embed_missing(
    database: Database,
    embedder: Embedder,
    texts: Iterable[str],
    at_once: int,
    advance: Callable[[int], None] = lambda _: None,
) -> None:
    """Embed what this model has not seen yet, and keep each few at once: cut short, it goes on.

    Parameters
    ----------
    database, embedder
        Where vectors are kept, and who makes them.
    texts
        Any number of them.
    at_once
        Texts of one batch; between two, others may use the model.
    advance
        Is told how many more are done.
    """
    by_digest = {digest_of(text): text for text in texts}
    there = await known(database, embedder, by_digest.values())
    advance(len(there))
    missing = [name for name in by_digest if name not in there]
    for start in range(0, len(missing), at_once):
        some = missing[start : start + at_once]
        vectors = await embedder.embed([by_digest[name] for name in some])
        made = dict(zip(some, (row.tobytes() for row in vectors.astype(np.float16)), strict=True))
        await database.write(documents.keep_vectors, embedder.fingerprint, made)
        advance(len(some))


def vectors_of(texts: Sequence[str], there: Mapping[str, bytes], dimension: int) -> Vectors:
    """Return the vectors of texts, all of which are there."""
    joined = b"".join(there[digest_of(text)] for text in texts)
    return np.frombuffer(joined, np.float16).reshape(len(texts), dimension).astype(np.float32)


async def texts_kept(database: Database, names: list[str]) -> set[str]:
    """Return the texts by which documents of the record are found."""
    found = await database.read(documents.documents, names)
    pieces = [
        of_document(about.model_dump(), row.model_dump())
        for about, passages in found
        for row in passages
    ]
    return set(texts_of(pieces))
