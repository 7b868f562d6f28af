"""Files that come along with messages, kept by what they hold; names and claimed types are claims.

A file is found under the SHA-256 of its bytes: `FOLDER/ab/ab34…`. The same file is kept once,
whoever sent it under whatever name, and no name of a sender's ever becomes a path.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from tempfile import NamedTemporaryFile

import filetype

from schemas.errors import Unavailable
from schemas.printer import Attachment

REFERENCE = "sha256:"
MAX_ATTACHMENTS = 50
"""Of one message: as many as the contract takes."""
HEAD_BYTES = 8_192
"""Of a file, looked at to tell its type."""
NAMED_DANGEROUS = re.compile(
    r"\.(exe|scr|com|pif|bat|cmd|ps1|vbs|vbe|js|jse|wsf|wsh|hta|lnk|msi|jar|apk|dll|cpl|reg|iso|img"
    r"|html?|xhtml|svg|docm|xlsm|pptm|sh|desktop)$",
    re.IGNORECASE,
)
RUNS = (b"MZ", b"\x7fELF", b"#!", b"\xca\xfe\xba\xbe", b"\xcf\xfa\xed\xfe", b"L\0\0\0\x01\x14\x02")
"""How programs begin: Windows, Linux, scripts, Java, macOS, shortcuts."""
SPEAKS = re.compile(rb"<(script|svg|html|!doctype|iframe|object|embed)\b", re.IGNORECASE)
"""What a browser would run."""

Keep = Callable[[Attachment, bytes], Attachment]
"""Puts a file somewhere, and says where."""


class Files:
    """The folder; `limit_bytes`: a larger file is not kept, only its name and size."""

    def __init__(self, folder: Path, limit_bytes: int) -> None:
        self._folder = folder
        self._limit = limit_bytes

    def keep(self, claimed: Attachment, data: bytes) -> Attachment:
        """Keep a file; return what is known of it.

        Raises
        ------
        Unavailable
            The folder cannot be written.
        """
        warning = why_dangerous(claimed.name, data)
        if len(data) > self._limit:
            warning, reference = "too_large", ""
        else:
            reference = REFERENCE + self._write(data)
        kind = type_of(data) or claimed.content_type
        changes = {"reference": reference, "content_type": kind, "warning": warning}
        return claimed.model_copy(update=changes)

    def path_of(self, reference: str) -> Path | None:
        """Return where a file lies, or nothing: it is not kept, or that is no reference."""
        digest = reference.removeprefix(REFERENCE)
        if digest == reference or not re.fullmatch("[0-9a-f]{64}", digest):
            return None
        path = self._folder / digest[:2] / digest
        return path if path.is_file() else None

    def _write(self, data: bytes) -> str:
        digest = sha256(data).hexdigest()
        path = self._folder / digest[:2] / digest
        try:
            if not path.is_file():
                write_whole(path, data)
        except OSError as error:
            msg = f"the folder of attachments cannot be written ({error.strerror})"
            raise Unavailable(msg) from error
        return digest


def write_whole(path: Path, data: bytes) -> None:
    """Write a file whole or not at all: whoever is killed leaves no half of it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile(dir=path.parent, prefix=".", delete=False) as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise


def type_of(data: bytes) -> str:
    """Return the type that the bytes show; empty: they do not."""
    found = filetype.guess(data[:HEAD_BYTES])
    return str(found.mime) if found else ""


def why_dangerous(name: str, data: bytes) -> str:
    """Say why nobody should open a file: `program`, `page`, `name`; empty: no reason seen."""
    head = data[:HEAD_BYTES]
    if head.startswith(RUNS):
        return "program"
    if SPEAKS.search(head):
        return "page"
    return "name" if NAMED_DANGEROUS.search(name.strip(" .")) else ""
