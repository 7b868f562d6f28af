"""Pages are fetched from public addresses, so many bytes of them, in so many seconds."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import AsyncIterator

import pytest

from gateways.documents import fetching
from gateways.documents.fetching import fetch
from gateways.documents.paper import MAX_TEXT_BYTES, Unreadable

PAGE = b"<html><body><p>bonjour</p></body></html>"
HTML = "text/html; charset=utf-8"


def answer(body: bytes, kind: str = HTML, status: str = "200 OK", *more: str) -> bytes:
    head = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", f"Content-Length: {len(body)}", *more]
    return "\r\n".join([*head, "Connection: close", "", ""]).encode() + body


def to(place: str) -> bytes:
    return answer(b"", HTML, "302 Found", f"Location: {place}")


BOMB = gzip.compress(b"x" * 50 * MAX_TEXT_BYTES)
PLACES = {
    "/page": answer(PAGE),
    "/manual.pdf": answer(b"%PDF-1.7", "application/octet-stream"),
    "/program": answer(b"MZ", "application/octet-stream"),
    "/picture": answer(b"x", "image/png"),
    "/untyped": answer(PAGE, ""),
    "/large": answer(b"x" * (MAX_TEXT_BYTES + 1)),
    "/bomb": answer(BOMB, HTML, "200 OK", "Content-Encoding: gzip"),
    "/gone": answer(b"", HTML, "404 Not Found"),
    "/moved": to("/page"),
    "/round": to("/round"),
    "/inside": to("http://127.0.0.2:1/page"),
    "/metadata": to("http://169.254.169.254/latest"),
    "/file": to("file:///etc/passwd"),
    "/nonsense": b"no HTTP\r\n\r\n",
}


@pytest.fixture
async def site() -> AsyncIterator[str]:
    """A server on loopback, that says where it is."""
    heard: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heard.append(writer)
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        place = head.split()[1]
        if place == "/host":
            host = next(line for line in head.splitlines() if line.lower().startswith("host:"))
            writer.write(answer(host.encode()))
        elif place == "/silent":
            return
        elif place == "/slow":
            writer.write(answer(PAGE)[:-5])
            await writer.drain()
            return
        else:
            writer.write(PLACES[place])
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    for writer in heard:
        writer.close()
    server.close()


async def refused(url: str, *, private: bool = True) -> str:
    with pytest.raises(Unreadable) as told:
        await fetch(url, private=private)
    return str(told.value)


async def test_a_page_and_a_pdf_file_are_fetched_and_redirects_followed(site: str) -> None:
    assert (await fetch(f"{site}/page", private=True)).data == PAGE
    assert (await fetch(f"{site}/manual.pdf", private=True)).data == b"%PDF-1.7"
    assert (await fetch(f"{site}/moved", private=True)).url == f"{site}/page"


async def test_the_server_is_told_its_own_name_although_its_address_is_asked(site: str) -> None:
    port = site.rpartition(":")[2]
    found = await fetch(f"http://localhost:{port}/host", private=True)
    assert found.data.decode().lower() == f"host: localhost:{port}"


@pytest.mark.parametrize(
    ("place", "why"),
    [
        ("/picture", "is of type image/png: neither a page nor a PDF file"),
        ("/program", "is of type application/octet-stream: neither a page nor a PDF file"),
        ("/untyped", "is of type unknown: neither a page nor a PDF file"),
        ("/large", "has more than 2 MB"),
        ("/bomb", "has more than 2 MB"),
        ("/gone", "answers 404 Not Found"),
        ("/round", "redirects more than 5 times"),
        ("/file", "leads to file, not to http or https"),
        ("/nonsense", "cannot be fetched (RemoteProtocolError)"),
    ],
)
async def test_what_is_no_page_is_refused_in_a_sentence(site: str, place: str, why: str) -> None:
    assert await refused(f"{site}{place}") == why


@pytest.mark.parametrize("place", ["/slow", "/silent"])
async def test_a_server_that_does_not_end_is_not_waited_for(
    site: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "WITHIN_S", 0.3)
    assert await refused(f"{site}{place}") == "did not answer within 0.3 s"


async def test_one_s_own_network_is_reached_only_when_that_is_said(site: str) -> None:
    why = "leads into a network of one's own (127.0.0.1): --allow-private lets it"
    assert await refused(f"{site}/page", private=False) == why


@pytest.mark.parametrize(
    "host", ["localhost", "2130706433", "0x7f.1", "127.1", "[::1]", "[::ffff:127.0.0.1]"]
)
async def test_another_way_to_write_a_private_address_is_one_too(host: str) -> None:
    why = await refused(f"http://{host}:1/", private=False)
    assert why.startswith(("leads into a network of one's own", "has a name that nobody knows"))


async def test_every_redirect_is_looked_at(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetching, "_is_public", lambda address: address == "127.0.0.1")
    assert (await fetch(f"{site}/moved")).data == PAGE
    for place, host in (("/inside", "127.0.0.2"), ("/metadata", "169.254.169.254")):
        assert f"network of one's own ({host})" in await refused(f"{site}{place}", private=False)


@pytest.mark.parametrize(
    ("address", "is_public"),
    [
        ("93.184.216.34", True),
        ("2606:2800:220:1:248:1893:25c8:1946", True),
        ("127.0.0.1", False),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.1.1", False),
        ("169.254.169.254", False),
        ("100.64.0.1", False),
        ("0.0.0.0", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("fe80::1%eth0", False),
        ("fd00::1", False),
        ("ff0e::1", False),
        ("::ffff:10.0.0.1", False),
        ("2002:7f00:1::", False),
        ("64:ff9b::a00:1", False),
    ],
)
def test_an_address_is_public_or_it_is_not(address: str, is_public: bool) -> None:
    assert fetching._is_public(address) is is_public


async def test_a_name_that_nobody_knows_is_said() -> None:
    assert "has a name that nobody knows" in await refused("http://nobody.invalid/")
