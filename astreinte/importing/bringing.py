"""Rows into the record, some hundred in a transaction, what others refer to first."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from itertools import groupby, islice
from typing import Any, TypeVar, cast

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session

from astreinte.columns import Unusable
from astreinte.importing import mapping, tickets
from astreinte.importing.report import Report
from astreinte.importing.rows import Read, Remark, Row, Shelf, Skip
from astreinte.importing.tables import TABLES, WORKINGS
from gateways.mail.bodies import written_now
from schemas.errors import Rejected, Unavailable
from schemas.printer import InboundMessage
from services.ingest.handlers import place
from services.ingest.printer import Arrival, arrive
from storage.database import Database
from storage.imports import ledger
from storage.imports.ledger import Item, Verdict
from storage.imports.messages import as_history
from storage.imports.writers import WRITERS

AT_ONCE = 200
WAITS_S = (0.1, 1.0, 5.0)
T = TypeVar("T")
Advance = Callable[[int], None]

MAPPERS: dict[str, Callable[[Row], Item]] = {
    "customers": mapping.customer,
    "clients": mapping.customer,
    "printer_models": mapping.model,
    "devices": mapping.device,
    "knowledge_base": mapping.article,
    "resolutions": mapping.article,
    "messages": tickets.message,
    "attachments": tickets.attachment,
    "responses": tickets.response,
    "ticket_history": tickets.history,
}


def gather(reads: Iterable[Read], shelf: Shelf, report: Report, origin: str = "") -> None:
    """Sort what is read onto the shelf; `origin` names the export, unless its shape does."""
    left: dict[str, int] = {}
    for read in reads:
        if isinstance(read, Remark):
            report.remark(read)
        elif isinstance(read, Skip):
            report.skip(read)
        elif read.table not in TABLES:
            left[read.table] = left.get(read.table, 0) + 1
        else:
            try:
                shelf.put(Row(read.table, read.place, read.values, origin or read.origin))
            except RecursionError:
                report.skip(Skip(read.table, read.place, "nested too deeply"))
    for table, count in left.items():
        why = "what the old stages noted of their work" if table in WORKINGS else "unknown table"
        report.skip(Skip(table, f"{count} row(s)", why), count)


@dataclass
class Bringing:
    """Brings what is on a shelf into the record; without one, it only says what could be used."""

    shelf: Shelf
    report: Report
    database: Database | None
    advance: Advance = lambda _: None
    _seen: set[tuple[str, str, str]] = field(default_factory=set)

    async def run(self) -> None:
        """Bring all tables in."""
        for table in TABLES:
            for origin in self.shelf.origins(table):
                if table == "mail":
                    await self._mails(origin)
                else:
                    await self._table(table, origin)

    async def _table(self, table: str, origin: str) -> None:
        told = tickets.Told()
        if table == "tickets" and origin in self.shelf.origins("messages"):
            told = tickets.Told.by(self.shelf.rows("messages", origin))
        mapper = MAPPERS.get(table) or partial(tickets.ticket, told=told)
        for rows in _batches(self.shelf.rows(table, origin)):
            mapped = [(row, item) for row in rows if (item := self._mapped(mapper, row))]
            mapped.sort(key=lambda one: one[1].kind)
            for _, group in groupby(mapped, key=lambda one: one[1].kind):
                some = list(group)
                verdicts = await self._write(origin, [item for _, item in some])
                for (row, _), verdict in zip(some, verdicts, strict=True):
                    self.report.count(table, row.place, verdict)
            self.advance(len(rows))

    def _mapped(self, mapper: Callable[[Row], Item], row: Row) -> Item | None:
        try:
            item = mapper(row)
        except (Unusable, RecursionError) as error:
            why = str(error) if isinstance(error, Unusable) else "nested too deeply"
            self.report.skip(Skip(row.table, row.place, why))
            return None
        name = (row.origin, item.kind, item.external_id)
        if name in self._seen:
            self.report.skip(Skip(row.table, row.place, "a row of the same id was read before"))
            return None
        self._seen.add(name)
        return item

    async def _write(self, origin: str, items: Sequence[Item]) -> list[Verdict]:
        if self.database is None:
            return [Verdict("usable") for _ in items]
        writer, now = WRITERS[items[0].kind], datetime.now(UTC)
        try:
            return await self._patiently(ledger.bring, writer, origin, items, now)
        except (SQLAlchemyError, OverflowError) as error:
            if len(items) > 1:  # one of them is refused: which?
                return [(await self._write(origin, [item]))[0] for item in items]
            return [Verdict("skipped", f"the database refuses it ({type(error).__name__})")]

    async def _patiently(self, work: Callable[..., T], *args: Any) -> T:
        """Write; a desk that runs meanwhile may hold the rows for a moment."""
        database = cast("Database", self.database)
        for wait_s in WAITS_S:
            try:
                return await database.write(work, *args)
            except Unavailable:
                await asyncio.sleep(wait_s)
        return await database.write(work, *args)

    async def _mails(self, origin: str) -> None:
        arrivals = [pair for row in self.shelf.rows("mail", origin) if (pair := self._arrived(row))]
        # Oldest first: an answer finds the conversation of what it answers to.
        arrivals.sort(key=lambda one: one[1].inbound.received_at)
        for some in _batches(iter(arrivals)):
            now = datetime.now(UTC)
            verdict = {True: Verdict("new"), False: Verdict("unchanged")}
            found: set[str] | None = None
            if self.database:
                arrived = [arrival for _, arrival in some]
                found = await self._patiently(_past, arrived, origin, now)
            for row, arrival in some:
                name = str(arrival.inbound.event_id)
                told = Verdict("usable") if found is None else verdict[name in found]
                self.report.count("mail", row.place, told)
                (found or set()).discard(name)  # the same mail again is one mail
            self.advance(len(some))

    def _arrived(self, row: Row) -> tuple[Row, Arrival] | None:
        inbound = InboundMessage.model_validate_json(row.values["inbound"])
        try:
            return row, arrive(inbound, written_now(inbound), datetime.now(UTC))
        except Rejected as error:
            self.report.skip(Skip("mail", row.place, str(error)))
            return None


def _past(session: Session, arrivals: Sequence[Arrival], origin: str, now: datetime) -> set[str]:
    _, additions = place(session, arrivals, now)
    return as_history(session, additions, origin, now)


def _batches(rows: Iterator[T]) -> Iterator[list[T]]:
    while some := list(islice(rows, AT_ONCE)):
        yield some
