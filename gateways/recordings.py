"""What callers left at Twilio: fetched, heard by a model of our own, told, and deleted there.

A recording stays at Twilio until Kafka has its words: it is its own place in the queue. One that
was told and not deleted is told again, under the same id.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Collection
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import httpx
from pydantic import ValidationError
from twilio.base.exceptions import TwilioException

from gateways.heard import Heard, called
from gateways.twilio import Account, client_of
from schemas.errors import Unavailable
from schemas.printer import InboundMessage

log = logging.getLogger(__name__)

API = "https://api.twilio.com"
EVERY_S = 5.0
SINCE = timedelta(days=1)
"""What could not be heard for so long is left to people."""
LISTED = 50
MAX_BYTES = 10_000_000
"""Two minutes of WAV as telephones have it are 2 MB."""
TRIES = 3

Hear = Callable[[bytes], Awaitable[Heard]]
NOT_NOW = (TwilioException, httpx.HTTPError, aiohttp.ClientError, TimeoutError, Unavailable)


class Recordings:
    """Looks for what callers of `ours` left; `hear` writes it down, `publish` tells it."""

    def __init__(
        self,
        account: Account,
        ours: Collection[str],
        hear: Hear,
        publish: Callable[[InboundMessage], Awaitable[None]],
    ) -> None:
        self._client = client_of(account)
        self._http = httpx.AsyncClient(
            base_url=account.url or API,
            auth=(account.key or account.sid, account.key_secret or account.token),
            timeout=account.timeout_s,
        )
        self._sid = account.sid
        self._ours = frozenset(ours)
        self._hear = hear
        self._publish = publish
        self._failed: Counter[str] = Counter()

    async def run(self) -> None:
        """Look until cancelled."""
        try:
            while True:
                try:
                    await self.turn()
                except NOT_NOW as error:
                    log.warning("Twilio's recordings cannot be had (%s)", type(error).__name__)
                await asyncio.sleep(EVERY_S)
        finally:
            await self._http.aclose()
            await self._client.http_client.close()

    async def turn(self) -> int:
        """Take what is there, the oldest first; return how many were told."""
        listed = await self._client.recordings.list_async(
            date_created_after=datetime.now(UTC) - SINCE, limit=LISTED
        )
        told = 0
        for found in reversed(listed):
            ready = found.status == "completed" and found.source == "RecordVerb"
            if ready and self._failed[found.sid] < TRIES:
                told += await self._take(found)
        return told

    async def _take(self, found: Any) -> bool:
        """Take one in. One that cannot be heard is tried three times, and holds up no other."""
        try:
            call = await self._client.calls(found.call_sid).fetch_async()
            if call.to not in self._ours:
                return False  # another program's, on a number that is not ours
            heard = await self._hear(await self._fetched(found.sid))
            if heard.text:
                await self._publish(called(found.call_sid, call._from or "", call.to, heard))  # noqa: SLF001 - the client's name for it
        except (Unavailable, asyncio.CancelledError):
            raise
        except Exception as error:  # whatever a decoder makes of a broken file
            self._failed[found.sid] += 1
            log.exception("recording %s could not be heard", found.sid)
            if isinstance(error, ValidationError):
                self._failed[found.sid] = TRIES
            return False
        await self._client.recordings(found.sid).delete_async()
        return bool(heard.text)

    async def _fetched(self, sid: str) -> bytes:
        """Return a recording's bytes."""
        path = f"/2010-04-01/Accounts/{self._sid}/Recordings/{sid}.wav"
        audio = bytearray()
        async with self._http.stream("GET", path) as answer:
            answer.raise_for_status()
            async for chunk in answer.aiter_bytes():
                audio += chunk
                if len(audio) > MAX_BYTES:
                    msg = f"a recording of more than {MAX_BYTES} bytes"
                    raise ValueError(msg)
        return bytes(audio)
