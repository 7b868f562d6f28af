"""Mails out over a mail server: how they are made, and what its answers mean."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateways import smtp
from gateways.composing import Sender, mail_of, page_of, recipient_of
from gateways.outbound import Letter, OutcomeUnknown, Refused
from gateways.smtp import SmtpOutbound
from schemas.errors import Rejected, Unavailable
from schemas.tags import conversation_of
from tests.vendors.smtp import MailServer, mail_server

SENDER = Sender("Dépannage Durand <support@durand.example>", "aide@durand.example", "a secret")
LETTER = Letter(
    reply_id="5a0f3d0e-1c1b-4b7e-9a52-3f6f0c6f9d11",
    channel="email",
    address="ana@example.org",
    subject="Re: Panne à l'étage",
    text="Bonjour,\n\nOuvrez le capot <b>arrière</b>.\n.\nÀ bientôt",
    conversation_id="c0123456789abcdef0123",
    ours="aide@durand.example",
    mail_id="<5a0f3d0e-1c1b-4b7e-9a52-3f6f0c6f9d11@durand.example>",
    in_reply_to="<2@x>",
    references=("<1@x>", "<2@x>"),
)


@asynccontextmanager
async def meeting(
    timeout_s: float = 5.0, **changes: Any
) -> AsyncIterator[tuple[MailServer, SmtpOutbound]]:
    async with mail_server(**changes) as server:
        where = smtp.MailServer("127.0.0.1", server.port, "none", timeout_s=timeout_s)
        yield server, SmtpOutbound(where, SENDER)


async def test_a_letter_becomes_a_mail_that_threads_and_says_that_it_is_automatic():
    async with meeting() as (server, door):
        assert await door.send(LETTER) == LETTER.mail_id
    (taken,) = server.taken
    assert (taken.sender, taken.to) == ("support@durand.example", ["ana@example.org"])
    mail = taken.mail
    assert mail["From"] == "Dépannage Durand <support@durand.example>"
    assert mail["Subject"] == "Re: Panne à l'étage"
    assert mail["Message-ID"] == LETTER.mail_id
    assert mail["In-Reply-To"] == "<2@x>"
    assert str(mail["References"]).split() == ["<1@x>", "<2@x>", LETTER.mail_id]
    assert mail["Auto-Submitted"] == "auto-replied"
    assert mail["X-Auto-Response-Suppress"] == "All"
    assert conversation_of(mail["Reply-To"], SENDER.secret) == LETTER.conversation_id
    plain, page = mail.get_body(("plain",)), mail.get_body(("html",))
    assert plain and "\n".join(plain.get_content().splitlines()) == LETTER.text
    assert page and "<p>Ouvrez le capot &lt;b&gt;arrière&lt;/b&gt;.<br>.<br>" in page.get_content()
    assert max(map(len, taken.raw.splitlines())) <= 998 and taken.raw.isascii()


def test_a_page_shows_what_was_written_and_runs_nothing():
    page = page_of('<script>alert(1)</script>\n\n\n<img src=x onerror=y> & "é"')
    assert "<script" not in page and "<img" not in page
    assert page.count("<p>") == 2


HOSTILE = "x\r\nBcc: all@example.org\r\n\r\nhello"


@pytest.mark.parametrize("name", ["subject", "mail_id", "in_reply_to", "text", "conversation_id"])
def test_no_field_of_a_letter_adds_a_header(name: str):
    mail = mail_of(replace(LETTER, **{name: HOSTILE}), SENDER)
    head = mail.as_bytes().partition(b"\r\n\r\n")[0]
    assert b"\r\nBcc" not in head and b"\nBcc" not in head


def test_no_reference_adds_a_header():
    mail = mail_of(replace(LETTER, references=("<1@x>\r\nBcc: a@b.fr", "<2@x>", "é@x")), SENDER)
    assert str(mail["References"]).split() == ["<2@x>", LETTER.mail_id]


def test_long_ids_and_addresses_stay_whole():
    long = f"<{'a' * 200}@{'b' * 40}>"
    address = f"{'c' * 60}@{'d' * 60}.{'e' * 60}.example"
    sender = replace(SENDER, reply_to=f"aide@{'f' * 60}.{'g' * 60}.example")
    letter = replace(LETTER, references=(long,) * 3, in_reply_to=long, address=address)
    raw = mail_of(letter, sender).as_bytes()
    assert raw.count(long.encode()) == 2  # once as an answer, once among the references
    assert f"To: {address}\r\n".encode() in raw
    assert f"@{'f' * 60}.{'g' * 60}.example\r\n".encode() in raw


@pytest.mark.parametrize(
    "address", ["", "ana", "a b@c.fr", "a@b.fr,c@d.fr", "é@x.fr", "<a@b.fr>", HOSTILE]
)
def test_an_address_that_is_none_is_refused(address: str):
    with pytest.raises(Rejected):
        recipient_of(replace(LETTER, address=address))


def test_a_domain_with_accents_is_written_in_its_ascii_form():
    assert recipient_of(replace(LETTER, address="ana@été.example")) == "ana@xn--t-9fab.example"


@pytest.mark.parametrize("command", ["MAIL", "RCPT", "DATA"])
@pytest.mark.parametrize(
    ("answer", "kind"), [("451 later", Unavailable), ("550 5.1.1 never", Refused)]
)
async def test_the_servers_code_says_whether_it_is_now_or_never(
    command: str, answer: str, kind: type[Exception]
):
    async with meeting() as (server, door):
        server.moods[command] = [answer]
        with pytest.raises(kind, match=answer[:3]) as raised:
            await door.send(LETTER)
        if isinstance(raised.value, Refused):  # what is said of our sender is not the recipient's
            assert raised.value.code == ("sender" if command == "MAIL" else "5.1.1")
        assert server.taken == []


async def test_a_connection_lost_before_the_text_leaves_nothing():
    async with meeting() as (server, door):
        server.moods["RCPT"] = ["hang up"]
        with pytest.raises(Unavailable):
            await door.send(LETTER)


async def test_a_connection_lost_after_the_text_leaves_the_outcome_unknown():
    async with meeting() as (server, door):
        server.moods["DATA"] = ["hang up after"]
        with pytest.raises(OutcomeUnknown):
            await door.send(LETTER)
        assert len(server.taken) == 1
        assert await door.was_sent(LETTER.reply_id) is None


async def test_a_server_that_says_nothing_is_not_waited_for_for_ever():
    async def say_nothing(_reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(5)

    server = await asyncio.start_server(say_nothing, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    door = SmtpOutbound(smtp.MailServer("127.0.0.1", port, "none", timeout_s=0.2), SENDER)
    with pytest.raises(Unavailable, match="cannot be reached"):
        await door.send(LETTER)
    server.close()


async def test_where_nobody_listens_nothing_left():
    async with meeting() as (_, door):
        pass
    with pytest.raises(Unavailable, match="cannot be reached"):
        await door.send(LETTER)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for 127.0.0.1, in one file."""
    folder = tmp_path_factory.mktemp("tls")
    words = (
        "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=x"
        f" -addext subjectAltName=IP:127.0.0.1 -keyout {folder}/key -out {folder}/certificate"
    )
    subprocess.run(words.split(), check=True, capture_output=True)
    both = folder / "both.pem"
    both.write_text((folder / "certificate").read_text() + (folder / "key").read_text())
    return both


async def test_the_password_goes_over_tls_only_and_a_wrong_one_leaves_the_letter_waiting(
    certificate: Path,
):
    trust = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trust.load_cert_chain(certificate)
    async with mail_server(login=("ana", "right"), trust=trust) as server:
        where = smtp.MailServer(
            "127.0.0.1", server.port, "starttls", certificate, "ana", "right", 5.0
        )
        await SmtpOutbound(where, SENDER).send(LETTER)
        assert len(server.taken) == 1
        with pytest.raises(Unavailable, match="let us in"):
            await SmtpOutbound(replace(where, password="wrong"), SENDER).send(LETTER)
        with pytest.raises(Unavailable, match="cannot be reached"):  # an unknown authority
            await SmtpOutbound(replace(where, ca=None), SENDER).send(LETTER)


@pytest.mark.filterwarnings("ignore:Requiring AUTH")
async def test_a_server_without_tls_does_not_hear_the_password():
    async with mail_server(login=("ana", "right")) as server:
        where = smtp.MailServer(
            "127.0.0.1", server.port, "starttls", None, "ana", "right", timeout_s=5.0
        )
        with pytest.raises(Unavailable):
            await SmtpOutbound(where, SENDER).send(LETTER)
        assert server.taken == []
