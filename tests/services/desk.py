"""A desk by the clock of a test: a message goes in, what leaves comes out. No broker, no waiting."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlmodel import Session, select

from gateways.mail.bodies import written_now
from knowledge.wording import load_wording
from schemas.printer import MessageClassified, MessageExtracted, MessageGrounded, ReplyDrafted
from schemas.vocabulary import Intent, Language, Priority
from services.clearance import Rules
from services.dispatch.handlers import _plan
from services.ingest.handlers import _take_in
from services.ingest.printer import arrive
from services.quiet import quiet_of
from services.respond.printer import Sender, draft
from services.settings_policy import PolicySettings
from storage import outbox
from storage.database import Database
from storage.tables import Conversation, Outgoing
from tests.conftest import inbound
from tests.events import judged, passage

MORNING = datetime(2025, 2, 4, 9, 0, tzinfo=UTC)
"""A Tuesday, 10:00 in Paris."""
SMS = {"channel": "sms", "from": "+33612345678", "to": "+33937000001"}
MAIL = {"channel": "email", "from": "ana@exemple.example", "to": "aide@desk.example"}
SENDER = Sender("Atelier Print")
FAULT = "bourrage papier, la feuille est coincée"


class Desk:
    """Walks a message's road by the stages' own rules and handlers, at the time of `now`."""

    def __init__(self, database: Database, **policy: Any) -> None:
        self.database = database
        self.now = MORNING
        self.sent: list[Outgoing] = []
        settings = PolicySettings(**policy)
        self.rules = Rules(settings, quiet_of(settings), load_wording(), SENDER.signature)

    async def drafted(self, text: str = FAULT, **message: Any) -> ReplyDrafted:
        """Have a message come in and be answered by an article, or by the rules before that."""
        language = Language(message.pop("language", "fr"))
        seen = judged(
            Intent(message.pop("intent", "fault")),
            language,
            Priority(message.pop("priority", "medium")),
        )
        came = inbound(text, **({"received_at": self.now} | message))
        arrival = arrive(came, written_now(came), self.now)
        ((received,),) = await self.database.write(_take_in, [arrival], self.now)
        classified = MessageClassified.after(received, self.now, classification=seen)  # type: ignore[arg-type]
        extracted = MessageExtracted.after(classified, self.now, findings=())
        passages = (passage(language=language),)
        grounded = MessageGrounded.after(extracted, self.now, passages=passages)
        return draft(grounded, load_wording(), SENDER, self.now)

    async def dispatch(self, *events: ReplyDrafted, door: str = "file") -> list[Outgoing]:
        """Give drafts to dispatch in one batch; return their rows."""
        moments = [self.now + timedelta(microseconds=place) for place in range(len(events))]
        doors = [door] * len(events)
        await self.database.write(_plan, events, doors, moments, self.rules, "")
        return [await self.row(event) for event in events]

    async def say(self, text: str = FAULT, **message: Any) -> Outgoing:
        """Have somebody write; return the row of the reply, after what could leave has left."""
        event = await self.drafted(text, **message)
        await self.dispatch(event)
        await self.deliver()
        return await self.row(event)

    async def deliver(self, status: str = "sent") -> list[Outgoing]:
        """Have all leave that may; return it, oldest first."""
        later = self.now + timedelta(milliseconds=1)
        rows = await self.database.write(outbox.claim, "me", later, 1_000)
        leaving = [row for row in rows if row.status == "sending"]
        for row in leaving:
            row.status = status
        if rows:
            await self.database.write(outbox.mark, rows, later)
            await self.database.write(outbox.mark_told, rows, later)
        self.sent += leaving
        return leaving

    async def row(self, event: ReplyDrafted) -> Outgoing:
        name = str(event.event_id)
        found = await self.database.read(lambda session: session.get(Outgoing, name))
        assert found is not None
        return found

    async def conversations(self) -> Sequence[Conversation]:
        def all_of(session: Session) -> Sequence[Conversation]:
            return session.exec(select(Conversation)).all()

        return await self.database.read(all_of)

    def later(self, **by: float) -> None:
        """Let time pass."""
        self.now += timedelta(**by)
