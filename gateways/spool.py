"""What came in and could not be understood, kept as it came: nothing is lost."""

from __future__ import annotations

import logging
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

from gateways.attachments import write_whole
from schemas.errors import Unavailable

log = logging.getLogger(__name__)


class Spool:
    """A folder of such bytes; people look at it."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def keep(self, data: bytes, source: str, why: str) -> Path:
        """Keep bytes; the same bytes once a day.

        Raises
        ------
        Unavailable
            The folder cannot be written.
        """
        day = datetime.now(UTC).strftime("%Y-%m-%d")
        path = self._folder / day / f"{source}-{sha256(data).hexdigest()[:32]}"
        try:
            write_whole(path, data)
        except OSError as error:
            msg = f"the spool cannot be written ({error.strerror})"
            raise Unavailable(msg) from error
        log.warning("kept in %s what could not be understood: %s", path, why)
        return path
