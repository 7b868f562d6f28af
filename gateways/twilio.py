"""Text messages by Twilio's REST API, with its own client.

Only the account knows what it took: Twilio has no idempotency key, and a message carries no name of
ours. So a send whose answer was lost is settled by the status callback, whose URL names the reply;
or, when it is due, by looking for the very text among those that Twilio sent to that number since.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import aiohttp
from twilio.base.exceptions import TwilioException, TwilioRestException
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.response import Response
from twilio.rest import Client

from gateways.outbound import Letter, OutcomeUnknown, Refused
from gateways.pacing import Pace
from knowledge.segments import segments
from schemas.errors import Unavailable

NAME = "twilio"
AT_ONCE = 16
KEEP_ALIVE_S = 2.0
SETTLE_MARGIN_S = 30.0
"""Beyond the time-out: by then Twilio lists what it took in the last moment."""
LISTED = 50
"""Of the newest texts to one number: more than we send one person in half an hour."""
CLOCKS = timedelta(seconds=5)
"""Twilio tells whole seconds of a clock that is not ours."""
MAX_RETRY_AFTER_S = 3_600.0
TOO_MANY, SERVER = 429, 500


@dataclass(frozen=True)
class Sought:
    """A letter that may have left: `since` when, and which messages there are other letters'."""

    letter: Letter
    since: datetime
    others: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Account:
    """Who we are at Twilio. `url`: of a server that stands in for it; empty: Twilio's own."""

    sid: str
    token: str
    key: str = ""
    key_secret: str = ""
    url: str = ""
    timeout_s: float = 10.0


@dataclass(frozen=True)
class From:
    """What texts are sent from: our numbers (the default one first), a service, or a name."""

    numbers: tuple[str, ...] = ()
    service: str = ""
    name: str = ""

    def of(self, ours: str) -> dict[str, str]:
        """Return the parameters for an answer to what was written to `ours`."""
        if ours in self.numbers:
            return {"from_": ours}
        if self.service:
            return {"messaging_service_sid": self.service}
        return {"from_": next(iter(self.numbers), self.name)}


class _Http(AsyncTwilioHttpClient):  # type: ignore[misc]  # it has no types
    """The vendor's, with a bounded time, and with the pause that a 429 asks for."""

    def __init__(self, timeout_s: float) -> None:
        super().__init__(pool_connections=False)
        self._timeout_s = timeout_s
        self.session: aiohttp.ClientSession | None = None

    async def request(self, *args: Any, **given: Any) -> Response:
        """Ask, and raise where nothing left."""
        if self.session is None:  # made here: it belongs to the loop that runs
            self.session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=AT_ONCE, keepalive_timeout=KEEP_ALIVE_S),
                timeout=aiohttp.ClientTimeout(total=self._timeout_s),
            )
        try:
            # The client's own time-out is not applied to asynchronous requests.
            async with asyncio.timeout(self._timeout_s + 1):
                answer = await super().request(*args, **given)
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            msg = f"Twilio cannot be reached ({type(error).__name__})"
            raise Unavailable(msg) from error
        if answer.status_code == TOO_MANY:
            msg = "Twilio answers 429"
            raise Unavailable(msg, _retry_after(answer.headers))
        return answer


def client_of(account: Account) -> Client:
    """Return the vendor's client; to be closed by `await client.http_client.close()`."""
    user = (account.key or account.sid, account.key_secret or account.token)
    client = Client(*user, account.sid, http_client=_Http(account.timeout_s))
    if account.url:
        client.api.base_url = account.url.rstrip("/")
    return client


class TwilioOutbound:
    """The door for texts.

    Parameters
    ----------
    account, from_
        Who we are, and what we send from.
    report_url
        Where Twilio reports; `?reply_id=` is added.
    seek
        Says what is known of a letter that may have left; nothing: there is none.
    per_s, valid_s
        Segments a second; after how long a text that did not leave is dropped.
    """

    name = NAME
    at_once = AT_ONCE

    def __init__(
        self,
        account: Account,
        from_: From,
        report_url: str,
        seek: Callable[[str], Awaitable[Sought | None]],
        *,
        per_s: float = 10.0,
        valid_s: int = 900,
    ) -> None:
        self._client = client_of(account)
        self._from = from_
        self._report_url = report_url
        self._seek = seek
        self._per_s = per_s
        self._pace = Pace(per_s)
        self._valid_s = valid_s
        self.settles_after_s = account.timeout_s + SETTLE_MARGIN_S

    async def send(self, letter: Letter) -> str:
        """Send a text. Raises as `Outbound.send` says, and `Refused` with Twilio's code."""
        await self._turn(letter.text)
        try:
            taken = await self._client.messages.create_async(
                to=letter.address,
                body=letter.text,
                status_callback=f"{self._report_url}?reply_id={letter.reply_id}",
                validity_period=self._valid_s,
                **self._from.of(letter.ours),
            )
        except Unavailable as why:
            self._pace.hold(why.retry_after_s or 0.0)
            raise
        except TwilioRestException as error:
            raise _read(error) from error
        except (aiohttp.ClientError, TimeoutError, TwilioException, ValueError) as error:
            msg = f"no answer from Twilio ({type(error).__name__})"
            raise OutcomeUnknown(msg) from error
        return str(taken.sid or "")

    async def _turn(self, text: str) -> None:
        """Wait for as many turns as the text has segments: they are what the account counts."""
        for _ in range(max(segments(text).count, 1)):
            await self._pace.turn("", 0.0)

    async def was_sent(self, reply_id: str) -> bool | None:
        """Look for the text among those that Twilio sent to that number."""
        sought = await self._seek(reply_id)
        if sought is None:
            return None
        try:
            listed = await self._client.messages.list_async(
                to=sought.letter.address, limit=LISTED, page_size=LISTED
            )
        except (aiohttp.ClientError, TimeoutError, TwilioException, ValueError, Unavailable):
            return None
        if any(_is(found, sought) for found in listed):
            return True
        # Further back than the list goes nobody has looked.
        older = any(found.date_created < sought.since - CLOCKS for found in listed)
        return False if older or len(listed) < LISTED else None

    async def close(self) -> None:
        """Close the connections."""
        await self._client.http_client.close()


def _read(error: TwilioRestException) -> Exception:
    said = f"Twilio answers {error.status}, {error.code}"
    if error.status >= SERVER:
        return OutcomeUnknown(said)
    return Refused(NAME, str(error.code or error.status), said, status=error.status)


def _is(found: Any, sought: Sought) -> bool:
    return (
        found.date_created >= sought.since - CLOCKS
        and found.direction != "inbound"
        and found.sid not in sought.others
        and " ".join((found.body or "").split()) == " ".join(sought.letter.text.split())
    )


def _retry_after(headers: Mapping[str, str]) -> float | None:
    try:
        seconds = float(headers.get("Retry-After", ""))
    except ValueError:
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_S)
