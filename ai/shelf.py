"""Vectors kept on disk, so that what does not change is embedded once."""

from __future__ import annotations

import hashlib
import logging
import zipfile
from collections.abc import Sequence
from pathlib import Path
from uuid import uuid4

import numpy as np

from ai.embeddings import Embedder, Vectors

log = logging.getLogger(__name__)


def vectors_of(texts: Sequence[str], embedder: Embedder, folder: Path | None) -> Vectors:
    """Return the vectors of `texts`; those found in `folder` are not computed again.

    The file is named by the model's fingerprint, so another model never meets them. A folder that
    cannot be written, as in a container, costs a later start some time and nothing else.
    """
    path = folder / f"vectors-{embedder.fingerprint}.npz" if folder else None
    kept = _read(path) if path else {}
    names = [hashlib.sha256(text.encode()).hexdigest()[:32] for text in texts]
    missing = {name: text for name, text in zip(names, texts, strict=True) if name not in kept}
    if missing:
        kept.update(zip(missing, embedder.compute(list(missing.values())), strict=True))
        if path:
            try:
                _write(path, kept)
            except OSError as error:
                log.warning("vectors are not kept in %s: %s", path.parent, error.strerror)
    return np.stack([kept[name] for name in names]).astype(np.float32)


def _read(path: Path) -> dict[str, Vectors]:
    try:
        with np.load(path, allow_pickle=False) as file:
            return dict(zip(file["names"].tolist(), file["vectors"], strict=True))
    except (OSError, EOFError, ValueError, TypeError, KeyError, zipfile.BadZipFile):
        return {}  # absent or damaged: computed again


def _write(path: Path, kept: dict[str, Vectors]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(f".{uuid4().hex}.tmp.npz")
    np.savez(temporary, names=np.array(list(kept)), vectors=np.stack(list(kept.values())))
    temporary.replace(path)
