"""Documents from the web: fetched from public addresses only, so many bytes, in so many seconds.

A link may point into our own network, directly, by a name, or by a redirect. So the name is looked
up here, each of its addresses must be public, and the connection goes to the very address that was
looked at: what the name says a moment later does not matter.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import time
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import httpx

from gateways.documents.paper import MAX_BYTES, MAX_TEXT_BYTES, Unreadable

WITHIN_S = 10.0
"""For one page, redirects included; a large PDF file may take `PDF_WITHIN_S`."""
PDF_WITHIN_S = 60.0
REDIRECTS = 5
TEXTS = ("text/html", "application/xhtml+xml", "text/plain", "text/markdown", "text/x-markdown")
PDF = "application/pdf"
TRANSLATED = ipaddress.IPv6Network("64:ff9b::/96")
"""IPv6 addresses that lead to IPv4 ones (RFC 6052)."""
AGENT = "Astreinte/0.1 (knowledge import)"


@dataclass(frozen=True)
class Fetched:
    """A document as it came; `url`: where it was in the end."""

    url: str
    data: bytes


async def fetch(url: str, *, private: bool = False) -> Fetched:
    """Fetch a document; `private`: addresses of one's own network are allowed too.

    Raises
    ------
    Unreadable
        It cannot be had, is too large, or is neither a page nor a PDF file; the text says why.
    """
    until = time.monotonic() + PDF_WITHIN_S
    try:
        async with asyncio.timeout(PDF_WITHIN_S):
            return await _followed(url, until, private=private)
    except (TimeoutError, httpx.TimeoutException):
        msg = f"did not answer within {WITHIN_S:g} s"
        raise Unreadable(msg) from None
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        if isinstance(error, Unreadable):
            raise
        msg = f"cannot be fetched ({type(error).__name__})"
        raise Unreadable(msg) from None


async def _followed(url: str, until: float, *, private: bool) -> Fetched:
    # Not by the environment's proxy: it would look names up itself, and reach what it likes.
    async with httpx.AsyncClient(
        timeout=WITHIN_S, follow_redirects=False, trust_env=False, headers={"User-Agent": AGENT}
    ) as client:
        for _ in range(REDIRECTS + 1):
            request = await _pinned(client, url, private=private)
            response = await client.send(request, stream=True)
            try:
                if response.is_redirect:
                    url = urljoin(url, response.headers["location"])
                    continue
                if response.status_code != httpx.codes.OK:
                    msg = f"answers {response.status_code} {response.reason_phrase}".rstrip()
                    raise Unreadable(msg)
                return Fetched(url, await _body(response, until))
            finally:
                await response.aclose()
    msg = f"redirects more than {REDIRECTS} times"
    raise Unreadable(msg)


async def _pinned(client: httpx.AsyncClient, url: str, *, private: bool) -> httpx.Request:
    """Return a request that goes to an address that was looked at, whatever its name says next."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        msg = f"leads to {parts.scheme or 'nothing'}, not to http or https"
        raise Unreadable(msg)
    address = await _address(parts.hostname, parts.port or 0, private=private)
    told = httpx.URL(url)
    return client.build_request(
        "GET",
        told.copy_with(host=address, username=None, password=None),
        headers={"Host": told.netloc.decode("ascii")},
        extensions={"sni_hostname": parts.hostname},
    )


async def _address(host: str, port: int, *, private: bool) -> str:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except OSError:
        msg = f"has a name that nobody knows ({host})"
        raise Unreadable(msg) from None
    addresses = [str(one[4][0]) for one in found]
    for address in addresses:
        if not private and not _is_public(address):
            msg = f"leads into a network of one's own ({host}): --allow-private lets it"
            raise Unreadable(msg)
    return addresses[0]


def _is_public(address: str) -> bool:
    told = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(told, ipaddress.IPv6Address):
        inner = told.ipv4_mapped or told.sixtofour or (told.teredo and told.teredo[1])
        if told in TRANSLATED:
            inner = ipaddress.IPv4Address(int(told) & 0xFFFFFFFF)
        if inner and not inner.is_global:
            return False
    return told.is_global and not told.is_multicast


async def _body(response: httpx.Response, until: float) -> bytes:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    is_pdf = kind == PDF or (kind == "application/octet-stream" and _ends_in_pdf(response))
    if not is_pdf and kind not in TEXTS:
        msg = f"is of type {kind or 'unknown'}: neither a page nor a PDF file"
        raise Unreadable(msg)
    most = MAX_BYTES if is_pdf else MAX_TEXT_BYTES
    until -= 0.0 if is_pdf else PDF_WITHIN_S - WITHIN_S
    data = bytearray()
    async for part in response.aiter_bytes():  # unpacked: what a bomb would become counts
        data += part
        if len(data) > most:
            msg = f"has more than {most / 2**20:g} MB"
            raise Unreadable(msg)
        if time.monotonic() > until:
            raise TimeoutError
    return bytes(data)


def _ends_in_pdf(response: httpx.Response) -> bool:
    return response.request.url.path.lower().endswith(".pdf")
