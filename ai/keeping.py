"""A folder of files that change together: a reader finds all of the old or all of the new."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

CURRENT = "current"
"""A small file with the name of the folder that counts; replacing it is one step."""


@contextmanager
def fresh(folder: Path) -> Iterator[Path]:
    """Yield an empty folder inside `folder`, which counts once the block has ended well."""
    name = f"v-{uuid4().hex}"
    inside = folder / name
    inside.mkdir(parents=True)
    try:
        yield inside
        pointer = folder / f"{name}.tmp"
        pointer.write_text(name, "utf-8")
        pointer.replace(folder / CURRENT)
    except BaseException:
        shutil.rmtree(inside, ignore_errors=True)
        raise
    for old in folder.glob("v-*"):
        if old.name != name:
            shutil.rmtree(old, ignore_errors=True)


def current(folder: Path) -> Path:
    """Return the folder that counts. Raises OSError when there is none."""
    return folder / (folder / CURRENT).read_text("utf-8").strip()
