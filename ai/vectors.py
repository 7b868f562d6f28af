"""The nearest of many vectors: exactly while they are few, by inverted lists when many.

Inverted lists of 8-bit vectors find the ten nearest of a million in a millisecond and take a
quarter of the memory; before they can be used, their centres are learnt from the vectors that are
there, in the background.
"""

from __future__ import annotations

import logging
import threading
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from ai.embeddings import Vectors

log = logging.getLogger(__name__)

EXACT = 80_000
"""Vectors up to which all are compared: 6 ms for a question."""
OF_A_LIST = 19
"""Vectors that a list's centre is learnt from: EXACT makes 4,096 lists. FAISS asks for 39; among a
million vectors, twice as many lists are worth more than better ones."""
LOOKED_INTO = 64
"""One list of so many is looked into."""
TOO_MANY = 3 * EXACT
"""Vectors at which adding waits until the lists are there: memory, at 1.5 kB each."""
FILE = "vectors.faiss"

Places = NDArray[np.int64]


class NearestVectors:
    """Vectors under numbers, compared by inner product. Safe for many threads."""

    def __init__(self, dimension: int) -> None:
        self.dimension = dimension
        self._index: Any = faiss.IndexIDMap2(faiss.IndexFlatIP(dimension))
        self._lock = threading.RLock()
        self._learning: threading.Thread | None = None

    def __len__(self) -> int:
        return int(self._index.ntotal)

    @property
    def exact(self) -> bool:
        """All vectors are compared."""
        return isinstance(self._index, faiss.IndexIDMap2)

    def add(self, places: Places, vectors: Vectors) -> None:
        """Add vectors under numbers that are not there yet; they are found at once."""
        with self._lock:
            self._index.add_with_ids(np.ascontiguousarray(vectors, np.float32), places)
        if self.exact and len(self) > EXACT:
            self.learn()
            if len(self) > TOO_MANY:
                self.wait()

    def learn(self) -> None:
        """Begin to learn the lists, in the background; `add` does it when there are too many."""
        if self._learning is None:
            self._learning = threading.Thread(target=self._learn, name="lists", daemon=True)
            self._learning.start()

    def remove(self, places: Places) -> None:
        """Remove what is there under these numbers."""
        with self._lock:
            self._index.remove_ids(places)

    def search(
        self, vectors: Vectors, limit: int, allowed: NDArray[np.bool_] | None = None
    ) -> tuple[Vectors, Places]:
        """Return nearness and number of the nearest of each, best first; -1 where no more are.

        `allowed`: for each number, whether it may be found.
        """
        with self._lock:
            chosen = self._parameters(allowed)
            most = max(1, min(limit, len(self)))
            near, places = self._index.search(np.ascontiguousarray(vectors), most, params=chosen)
        return near, places

    def wait(self) -> None:
        """Wait until the lists are learnt, if they are being learnt."""
        learning = self._learning
        if learning is not None:
            learning.join()

    def save(self, folder: Path) -> None:
        """Write to a folder."""
        with self._lock:
            faiss.write_index(self._index, str(folder / FILE))

    @classmethod
    def load(cls, folder: Path) -> NearestVectors:
        """Read what `save` wrote."""
        index = faiss.read_index(str(folder / FILE))
        found = cls(int(index.d))
        found._index = index
        return found

    def _parameters(self, allowed: NDArray[np.bool_] | None) -> Any:
        make: Any = faiss  # its stubs know the C++ signatures only
        chosen = {}
        if allowed is not None:
            chosen["sel"] = make.IDSelectorBitmap(np.packbits(allowed, bitorder="little"))
        if self.exact:
            return make.SearchParameters(**chosen)
        return make.SearchParametersIVF(nprobe=self._index.nprobe, **chosen)

    def _learn(self) -> None:
        """Learn the lists, move everything into them, and search there from then on."""
        with self._lock:
            flat: Any = faiss.downcast_index(self._index.index)
            sample = flat.reconstruct_n(0, min(len(self), EXACT))
        count = 1 << int(np.log2(max(1, len(sample) // OF_A_LIST)))
        kind = f"IVF{count},SQ8"
        lists: Any = faiss.index_factory(self.dimension, kind, faiss.METRIC_INNER_PRODUCT)
        lists.nprobe = max(8, count // LOOKED_INTO)
        lists.cp.min_points_per_centroid = OF_A_LIST
        lists.train(sample)
        del sample
        with self._lock:
            places = faiss.vector_to_array(self._index.id_map)
            for start in range(0, len(self), EXACT):
                part = flat.reconstruct_n(start, min(EXACT, len(self) - start))
                lists.add_with_ids(part, places[start : start + len(part)])
            self._index = lists
        log.info("%d vectors are searched by %d lists", len(self), count)
