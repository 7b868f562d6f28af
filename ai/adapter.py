"""A linear map that turns an embedding model's vectors towards what counts in questions.

Trained from pairs that mean the same (`evaluation/retrieval.py --fit`): directions in which they
differ, wording and language above all, are made short. A model without a map keeps its vectors.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ai.embeddings import Vectors

MAPS = Path(__file__).parent / "maps"
SHRINK = 0.15
"""Towards a ball: directions seen in few pairs are not believed (cross-validated)."""


class Adapter:
    """The map of one embedding model, by the model's fingerprint."""

    def __init__(self, fingerprint: str) -> None:
        path = MAPS / f"{fingerprint}.npz"
        self._map: Vectors | None = None
        if fingerprint and path.is_file():
            with np.load(path, allow_pickle=False) as file:
                self._map = file["map"].astype(np.float32)

    @property
    def version(self) -> int:
        """Change of the map's numbers: an index made with other ones has to be made again."""
        return 0 if self._map is None else int(np.abs(self._map).sum() * 1000)

    def apply(self, vectors: Vectors) -> Vectors:
        """Return unit vectors, turned."""
        given = np.asarray(vectors, np.float32)
        if self._map is None:
            return given
        turned = given @ self._map
        unit: Vectors = turned / np.maximum(np.linalg.norm(turned, axis=1, keepdims=True), 1e-9)
        return unit


def learnt(differences: list[tuple[float, Vectors]]) -> Vectors:
    """Return the map under which pairs that mean the same differ alike in all directions.

    `differences`: how much each source counts, and its pairs' differences (shape (pairs, n)).
    """
    scatter = sum(share * (d.T @ d) / len(d) for share, d in differences)
    sizes, directions = np.linalg.eigh(np.asarray(scatter, np.float64))
    sizes = (1 - SHRINK) * sizes + SHRINK * sizes.mean()
    whitening = directions / np.sqrt(sizes) @ directions.T
    result: Vectors = (whitening / np.linalg.norm(whitening, 2)).astype(np.float32)
    return result
