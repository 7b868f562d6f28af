"""Replies by mail through SendGrid, with its own client.

SendGrid knows no idempotency key. So the reply's id travels in `custom_args`, which the Event
Webhook gives back: after a lost answer that settles whether the mail left. Nothing else goes there,
for SendGrid keeps it for good.
"""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.client import HTTPException
from typing import Any
from urllib.error import URLError

from python_http_client.exceptions import HTTPError, TooManyRequestsError
from sendgrid import SendGridAPIClient

from gateways.composing import Sender, headers_of, page_of, recipient_of, subject_of
from gateways.outbound import Letter, OutcomeUnknown, Refused
from schemas.errors import Unavailable

NAME = "sendgrid"
HOST = "https://api.sendgrid.com"
OURS = "outbound_id"
"""The name under which a reply's id travels."""
AT_ONCE = 16
MAX_WAIT_S = 3_600.0
SERVER = 500


def api_of(key: str, url: str, timeout_s: float) -> SendGridAPIClient:
    """Return the vendor's client; `url` stands in for SendGrid's own, empty: that."""
    api = SendGridAPIClient(key, host=(url or HOST).rstrip("/"))
    api.client.timeout = timeout_s  # without, it waits for ever
    return api


def scopes_of(key: str, url: str, timeout_s: float) -> frozenset[str]:
    """Return what a key may do, e.g. `mail.send`. Blocks.

    Raises
    ------
    Unavailable
        It may do nothing, or SendGrid does not answer.
    """
    try:
        answer = api_of(key, url, timeout_s).client.scopes.get()
        return frozenset(answer.to_dict["scopes"])
    except (HTTPError, OSError, HTTPException, ValueError, KeyError, TypeError) as error:
        why = getattr(error, "status_code", type(error).__name__)
        msg = f"SendGrid refuses, or does not answer ({why})"
        raise Unavailable(msg) from None


class SendGridOutbound:
    """An account at SendGrid; `timeout_s` is for each wait on the network."""

    name = NAME
    at_once = AT_ONCE
    settles_after_s = 0.0

    def __init__(self, key: str, sender: Sender, url: str = "", timeout_s: float = 10.0) -> None:
        self._sender = sender
        self._api = api_of(key, url, timeout_s)
        self._threads = ThreadPoolExecutor(AT_ONCE, NAME)

    async def send(self, letter: Letter) -> str:
        """Hand a mail in. Raises as `Outbound.send` says, and `Refused`."""
        work = partial(self._send, body_of(letter, self._sender))
        return await asyncio.get_running_loop().run_in_executor(self._threads, work)

    def _send(self, body: dict[str, Any]) -> str:
        try:
            answer = self._api.send(body)
        except TooManyRequestsError as error:
            msg = "SendGrid answers 429"
            raise Unavailable(msg, _wait_of(error)) from None
        except HTTPError as error:
            said = f"SendGrid answers {error.status_code}"
            if error.status_code >= SERVER:
                raise OutcomeUnknown(said) from None
            status = error.status_code
            raise Refused(NAME, str(status), said, status=status) from None
        except URLError as error:  # raised until the request is written, no longer
            msg = f"SendGrid cannot be reached ({type(error.reason).__name__})"
            raise Unavailable(msg) from error
        except (OSError, HTTPException) as error:
            msg = f"no answer from SendGrid ({type(error).__name__})"
            raise OutcomeUnknown(msg) from error
        return str(answer.headers.get("X-Message-Id") or "")[:255]

    async def was_sent(self, reply_id: str) -> None:
        """SendGrid cannot be asked; its events say so."""
        del reply_id

    async def close(self) -> None:
        """Let the threads go."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def body_of(letter: Letter, sender: Sender) -> dict[str, Any]:
    """Return the request: one recipient, plain text and HTML, the headers that thread it.

    Raises
    ------
    Rejected
        The letter's address is none.
    """
    name = {"name": sender.name} if sender.name else {}
    return {
        "personalizations": [
            {"to": [{"email": recipient_of(letter)}], "custom_args": {OURS: letter.reply_id}}
        ],
        "from": {"email": sender.address} | name,
        "reply_to": {"email": sender.answers_to(letter)},
        "subject": subject_of(letter),
        "headers": headers_of(letter),
        "content": [
            {"type": "text/plain", "value": letter.text},
            {"type": "text/html", "value": page_of(letter.text)},
        ],
    }


def _wait_of(error: HTTPError) -> float | None:
    try:
        until = float(error.headers.get("X-RateLimit-Reset", ""))
    except (TypeError, ValueError):
        return None
    return min(max(until - time.time(), 0.0), MAX_WAIT_S)
