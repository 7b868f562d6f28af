"""Customers write mails, are answered by mail, and answer that; machines are not answered twice."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from pydantic import SecretStr
from sqlmodel import Session, SQLModel, col, select

from astreinte.faces import face
from gateways.http import listen, serving, url_of
from schemas.tags import conversation_of
from schemas.topics import STAGES
from services.neighbours import Neighbours
from services.serve import running
from services.settings_mail import MailSettings, SendGridSettings, SmtpSettings
from storage.tables import Conversation, Message, Outgoing, Suppression
from tests.conftest import until
from tests.vendors.sendgrid import KEY, SendGrid, sendgrid
from tests.vendors.smtp import MailServer, Taken, mail_server

QUESTION = "Bonjour, notre Lexmark C750 affiche « Prêt Hex » et imprime des chiffres. Que faire ?"
ACK = "Nous avons bien reçu votre demande numéro {}. Un conseiller vous répondra bientôt."


@dataclass
class Desk:
    """A desk that mails come to and leave from."""

    near: Neighbours
    url: str

    async def post(self, mail: EmailMessage) -> str:
        """Hand a mail in as SendGrid does; return what became of it."""
        async with httpx.AsyncClient(trust_env=False) as client:
            form = {"envelope": (None, '{"to": ["aide@desk.example"]}')}
            answer = await client.post(
                f"{self.url}/callbacks/sendgrid/inbound?secret=s",
                files=form | {"email": (None, mail.as_bytes())},  # type: ignore[dict-item]
            )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["taken"])

    async def rows(self, table: type[SQLModel]) -> Sequence[Any]:
        """Return all rows of a table."""

        def all_of(session: Session) -> Sequence[Any]:
            return session.exec(select(table).order_by(*_in_time(table))).all()

        return await self.near.database.read(all_of)


def _in_time(table: Any) -> list[Any]:
    return [col(table.created_at)] if hasattr(table, "created_at") else []


@asynccontextmanager
async def desk(near: Neighbours, folder: Path, **changes: Any) -> AsyncIterator[Desk]:
    mail = MailSettings(
        out=changes.pop("out", "smtp"),
        sender="Dépannage <aide@desk.example>",
        secret=SecretStr("a secret"),
        spool=folder / "spool",
        files=folder / "files",
    )
    parts = {"mail": mail, "sendgrid": SendGridSettings(inbound_secret=SecretStr("s"))} | changes
    near.settings = near.settings.model_copy(update=parts)
    listener = listen("127.0.0.1", 0)
    async with (
        running(near, [*STAGES, "record"]),
        serving(face(near, list, ["edge"]), listener),
    ):
        yield Desk(near, url_of(listener))


def written(text: str = QUESTION, answers: Taken | None = None, **headers: str) -> EmailMessage:
    """Write a mail, maybe an answer to one of the desk's."""
    mail = EmailMessage()
    head = {"From": "ana@client.example", "To": "aide@desk.example", "Subject": "Panne"}
    head["Message-ID"] = f"<{uuid4().hex}@client.example>"
    if answers:
        head["To"] = str(answers.mail["Reply-To"])
        head["Subject"] = str(answers.mail["Subject"])
        head["In-Reply-To"] = str(answers.mail["Message-ID"])
    for name, value in (head | headers).items():
        if value:
            mail[name.replace("_", "-")] = value
    mail.set_content(text)
    return mail


@asynccontextmanager
async def over_smtp(near: Neighbours, folder: Path) -> AsyncIterator[tuple[Desk, MailServer]]:
    async with mail_server() as server:
        smtp = SmtpSettings(host="127.0.0.1", port=server.port, tls="none")
        async with desk(near, folder, smtp=smtp) as made:
            yield made, server


async def test_a_customer_is_answered_by_mail_and_their_answer_finds_its_conversation(
    quick: None, near: Neighbours, tmp_path: Path
) -> None:
    async with over_smtp(near, tmp_path) as (made, server):
        question = written()
        assert await made.post(question) == "message"
        (first,) = await until(lambda: server.taken)
        assert first.to == ["ana@client.example"]
        assert first.mail["In-Reply-To"] == question["Message-ID"]
        assert first.mail["Subject"] == "Re: Panne"
        # The customer's program forgets all headers, changes the subject; a colleague answers.
        stray = written(
            "Le code d'erreur est 200.14, que faire ?", first, In_Reply_To="", Subject="autre",
            From="paul@client.example",
        )  # fmt: skip
        await made.post(stray)
        await until(lambda: len(server.taken) == 2)
        # Theirs keeps them, but writes to the plain address.
        await made.post(written("Merci, mais le voyant clignote.", first, To="aide@desk.example"))
        await until(lambda: len(server.taken) == 3)
        messages, conversations = await made.rows(Message), await made.rows(Conversation)
        assert len(messages) == 3 and len(conversations) == 1
        third = server.taken[2].mail
        assert str(question["Message-ID"]) not in str(third["References"])  # as they answered
        tag = conversation_of(str(third["Reply-To"]), "a secret")
        assert tag == conversations[0].conversation_id
        rows = await until(lambda: _sent(made, 3))
        assert {row.outbound for row in rows} == {"smtp"}
        assert [row.mail_id for row in rows] == [str(t.mail["Message-ID"]) for t in server.taken]


async def _sent(made: Desk, count: int) -> Sequence[Outgoing]:
    rows = [row for row in await made.rows(Outgoing) if row.status == "sent"]
    return rows if len(rows) == count else []


async def test_two_ticket_systems_that_answer_each_other_stop_within_three_messages(
    quick: None, near: Neighbours, tmp_path: Path
) -> None:
    async with over_smtp(near, tmp_path) as (made, server):
        await made.post(written(ACK.format(1)))
        for number in range(2, 6):  # theirs confirms each mail of ours, and says so by no header
            answers = await until(lambda: server.taken) if number == 2 else server.taken
            await made.post(written(ACK.format(number), answers[-1]))

        async def all_done() -> bool:
            rows = await made.rows(Message)
            return len(rows) == 5 and all(row.outcome for row in rows)

        await until(all_done)
        assert len(server.taken) == 1  # theirs, ours, theirs: then we are silent
        messages = await made.rows(Message)
        assert sum(row.automatic is not None for row in messages) == 4
        assert len(await made.rows(Conversation)) == 1
        await made.post(written(From="AIDE@desk.example"))  # our own mail comes back

        async def ignored() -> bool:
            return [row.outcome for row in await made.rows(Message)].count("ignored") == 5

        await until(ignored)
        assert len(server.taken) == 1


def bounce(of: Taken, status: str = "5.1.1", action: str = "failed") -> EmailMessage:
    """Write the notice of a mail server that could not deliver a mail."""
    mail = EmailMessage()
    mail["From"] = "MAILER-DAEMON@mx.client.example"
    mail["To"] = of.sender
    mail["Subject"] = "Undelivered Mail Returned to Sender"
    mail["Message-ID"] = f"<{uuid4().hex}@mx.client.example>"
    mail["Content-Type"] = 'multipart/report; report-type=delivery-status; boundary="b"'
    head = of.raw.partition(b"\r\n\r\n")[0].decode()
    mail.set_payload(
        "--b\r\n\r\nThis is the mail system.\r\n--b\r\nContent-Type: message/delivery-status\r\n"
        f"\r\nReporting-MTA: dns; mx\r\n\r\nFinal-Recipient: rfc822; {of.to[0]}\r\n"
        f"Action: {action}\r\nStatus: {status}\r\n"
        f"\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n{head}\r\n\r\n--b--\r\n"
    )
    return mail


async def test_a_bounce_marks_its_address_and_its_reply_and_opens_nothing(
    quick: None, near: Neighbours, tmp_path: Path
) -> None:
    async with over_smtp(near, tmp_path) as (made, server):
        await made.post(written())
        (sent,) = await until(lambda: server.taken)
        await until(lambda: _sent(made, 1))
        assert await made.post(bounce(sent, "4.4.7", "delayed")) == "bounce"
        assert await made.post(bounce(sent)) == "bounce"
        assert await made.post(bounce(sent)) == "bounce"

        async def failed() -> bool:
            return [row.status for row in await made.rows(Outgoing)] == ["failed"]

        await until(failed)
        (suppressed,) = await made.rows(Suppression)
        assert (suppressed.channel, suppressed.address) == ("email", "ana@client.example")
        assert suppressed.reason == "smtp_5.1.1"
        assert len(await made.rows(Conversation)) == len(await made.rows(Message)) == 1
        assert len(server.taken) == 1


@asynccontextmanager
async def over_sendgrid(near: Neighbours, folder: Path) -> AsyncIterator[tuple[Desk, SendGrid]]:
    async with sendgrid() as server:
        grid = SendGridSettings(
            key=SecretStr(KEY),
            url=server.url,
            events_key=server.signer.public,
            inbound_secret=SecretStr("s"),
        )
        async with desk(near, folder, out="sendgrid", sendgrid=grid) as made:
            server.events_url = f"{made.url}/callbacks/sendgrid/events"
            yield made, server


def taken_by(server: SendGrid, count: int) -> bool:
    return len(server.taken) == count


async def test_what_sendgrid_reports_comes_back_into_the_record(
    quick: None, near: Neighbours, tmp_path: Path
) -> None:
    async with over_sendgrid(near, tmp_path) as (made, server):
        server.moods = [202, 202, "drop"]  # the third is taken, and nobody hears of it
        for number, name in enumerate(("ana", "bounce", "lost", "spam")):
            await made.post(written(From=f"{name}@client.example"))
            await until(partial(taken_by, server, number + 1))

        async def settled() -> dict[str, Outgoing] | None:
            rows = {row.address.partition("@")[0]: row for row in await made.rows(Outgoing)}
            arrived = [name for name, row in rows.items() if row.delivered_at]
            done = {"ana", "lost", "spam"} <= set(arrived) and rows["bounce"].status == "failed"
            return rows if done else None

        rows = await until(settled)
        assert rows["lost"].status == "sent"

        async def suppressed() -> bool:
            found = {row.address: row.reason for row in await made.rows(Suppression)}
            return found == {
                "bounce@client.example": "sendgrid_bounce",
                "spam@client.example": "sendgrid_spamreport",
            }

        await until(suppressed)
        assert len(server.taken) == 4
        assert set(server.posted) == {200}
