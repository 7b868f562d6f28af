"""Knowledge for tests: what ships with its vectors, documents as an import writes them."""

from __future__ import annotations

from typing import Any

from ai.embeddings import Embedder, Vectors
from ai.shelf import vectors_of
from knowledge.pieces import Piece
from tests.conftest import CACHE
from tests.events import pieces

OZONE = "Comment remplacer le filtre à ozone ?"
"""A question that nothing that ships answers."""
FILTER = (
    "Le filtre à ozone se remplace toutes les 100 000 pages. Ouvrez le capot arrière, tirez le "
    "filtre vers vous, placez le nouveau et refermez."
)


def shipped(embedder: Embedder) -> tuple[list[Piece], Vectors]:
    """What ships, and the vectors of its texts."""
    found = list(pieces().values())
    texts = [text for piece in found for text, _ in piece.texts]
    return found, vectors_of(texts, embedder, CACHE)


def document(name: str = "d1", **changes: Any) -> dict[str, Any]:
    """A row of a document."""
    return {
        "document_id": name,
        "kind": "document",
        "source": "/srv/guides/entretien.pdf",
        "title": "Guide d'entretien",
        "language": "fr",
        "brand": "",
        "models": [],
        "digest": "0",
        "pages": 3,
        "approved": True,
    } | changes


def passage(
    text: str = FILTER, heading: str = "Entretien › Filtre à ozone", page: int = 2
) -> dict[str, Any]:
    """A passage of a document, without its place in it."""
    return {"heading": heading, "text": text, "page": page}
