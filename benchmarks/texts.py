"""Text messages as Twilio posts them, over bare connections.

At 500 a second an HTTP library would need a core of its own, on a machine of two.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from itertools import count
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

from twilio.request_validator import RequestValidator

TWILIO = {
    "SID": "AC" + "0" * 32,
    "TOKEN": "between us",
    "PUBLIC_URL": "https://desk.example.com",
    "NUMBERS": "+33937000001",
}
PATH = "/callbacks/twilio/sms"
HEAD = (
    f"POST {PATH} HTTP/1.1\r\nHost: desk\r\nContent-Type: application/x-www-form-urlencoded\r\n"
    "Content-Length: {length}\r\nX-Twilio-Signature: {signature}\r\n\r\n"
)
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


def requests() -> Iterator[bytes]:
    """Make requests, signed beforehand: that is Twilio's work, not the edge's."""
    validator = RequestValidator(TWILIO["TOKEN"])
    for number in count():
        sid, sender = f"SM{uuid4().hex}", f"+336399{number % 100_000:05}"
        form = {"MessageSid": sid, "SmsSid": sid, "AccountSid": TWILIO["SID"], "NumMedia": "0"}
        form |= {"From": sender, "To": TWILIO["NUMBERS"], "SmsStatus": "received"}
        form |= {"Body": "Bourrage papier dans le bac 2, que faire ?", "FromCountry": "FR"}
        signed = validator.compute_signature(TWILIO["PUBLIC_URL"] + PATH, form)
        body = urlencode(form).encode()
        yield HEAD.format(length=len(body), signature=signed).encode() + body


class Lines:
    """Connections to an edge that are kept open, one request at a time on each."""

    def __init__(self) -> None:
        self._free: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = (
            asyncio.Queue()
        )

    async def post(self, request: bytes) -> int:
        """Post, and return the status; 0 when there was no answer."""
        reader, writer = await self._free.get()
        try:
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            length = _LENGTH.search(head)
            await reader.readexactly(int(length[1]) if length else 0)
        except (OSError, asyncio.IncompleteReadError):
            return 0
        finally:
            self._free.put_nowait((reader, writer))
        return int(head[9:12])


@asynccontextmanager
async def lines(url: str, number: int) -> AsyncIterator[Lines]:
    """Open so many connections."""
    made, parts = Lines(), urlsplit(url)
    opened = [await asyncio.open_connection(parts.hostname, parts.port) for _ in range(number)]
    for each in opened:
        made._free.put_nowait(each)  # noqa: SLF001 - they are made together
    try:
        yield made
    finally:
        for _, writer in opened:
            writer.close()
