"""Where replies leave. Each door says what it sent before, so that nothing leaves twice."""

from __future__ import annotations

import asyncio
import json
import os
from dataclasses import dataclass
from errno import ENOSPC
from pathlib import Path
from typing import Protocol

from schemas.errors import Unavailable


@dataclass(frozen=True)
class Letter:
    """What leaves: `reply_id` is its identity for good.

    `ours`: the address or number that was written to. `mail_id`: the Message-ID that a mail is to
    have; it answers to `in_reply_to`, and `references` are the mails before, oldest first.
    """

    reply_id: str
    channel: str
    address: str
    subject: str
    text: str
    conversation_id: str = ""
    ours: str = ""
    mail_id: str = ""
    in_reply_to: str = ""
    references: tuple[str, ...] = ()


WRITTEN = ("reply_id", "channel", "address", "subject", "text")
"""Of a letter, into a file."""


class OutcomeUnknown(Exception):  # noqa: N818 - neither failure nor success
    """It may have left: sending again could say it twice."""


class Refused(Exception):  # noqa: N818 - a verdict, whose weight the code says
    """The provider refuses, and says why by a code; nothing left.

    What the code means for us is in the table `provider_error`: see `services.verdicts`.
    """

    def __init__(self, provider: str, code: str, why: str, *, status: int = 0) -> None:
        super().__init__(why)
        self.provider, self.code, self.status = provider, code, status


class Outbound(Protocol):
    """A door for replies.

    `at_once`: letters side by side. `settles_after_s`: how long after an attempt the provider
    can be asked what became of it: a request that is still on its way has arrived by then.
    """

    name: str
    at_once: int
    settles_after_s: float

    async def send(self, letter: Letter) -> str:
        """Send once and return the provider's id.

        Raises
        ------
        Unavailable
            Not now: nothing left.
        Rejected
            Never: the provider refuses this letter.
        OutcomeUnknown
            It may have left. Any other exception counts as this one.
        """

    async def was_sent(self, reply_id: str) -> bool | None:
        """Say whether a letter left; nothing: that cannot be said (yet)."""

    async def close(self) -> None:
        """Let connections go."""


class ConsoleOutbound:
    """Replies are read in the console: the outbox row is the reply, nothing else happens."""

    name = "console"
    at_once = 200
    settles_after_s = 0.0

    async def send(self, letter: Letter) -> str:
        """Leave the row as it is."""
        return letter.reply_id

    async def was_sent(self, reply_id: str) -> bool:
        """Never: sending again changes nothing."""
        del reply_id
        return False

    async def close(self) -> None:
        """Nothing to do."""


class FileOutbound:
    """Replies are appended to a file, one JSON object a line, each written in one piece."""

    name = "file"
    at_once = 200
    settles_after_s = 0.0

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = asyncio.Lock()
        self._sent: set[str] | None = None

    async def send(self, letter: Letter) -> str:
        """Append a line; a letter that is there already is not written again."""
        async with self._lock:
            try:
                await asyncio.to_thread(self._append, letter)
            except OSError as error:
                self._sent = None  # read the file again: the line may be there, whole or torn
                msg = f"{self._path.name} cannot be written ({error.strerror})"
                raise Unavailable(msg) from error
        return letter.reply_id

    async def was_sent(self, reply_id: str) -> bool:
        """Look it up in the file."""
        async with self._lock:
            return reply_id in await asyncio.to_thread(self._known)

    async def close(self) -> None:
        """Nothing to do: the file is opened for each letter."""

    def _append(self, letter: Letter) -> None:
        known = self._known()
        if letter.reply_id in known:
            return
        line = json.dumps({name: getattr(letter, name) for name in WRITTEN}, ensure_ascii=False)
        with self._path.open("ab", buffering=0) as file:
            data = line.encode() + b"\n"
            if file.write(data) < len(data):
                raise OSError(ENOSPC, os.strerror(ENOSPC))
            os.fsync(file.fileno())
        known.add(letter.reply_id)

    def _known(self) -> set[str]:
        """Return the ids in the file; a line torn by a crash is cut off: it counts as not sent."""
        if self._sent is None:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            self._path.touch()
            data = self._path.read_bytes()
            whole = data[: data.rfind(b"\n") + 1]
            if len(whole) < len(data):
                os.truncate(self._path, len(whole))
            self._sent = {json.loads(line)["reply_id"] for line in whole.splitlines() if line}
        return self._sent
