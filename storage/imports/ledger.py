"""What people bring along, once: rows of an export become rows of ours, and are remembered.

`imported` says which row of which export became what, and how it looked. A row that looks the
same again is left alone; one that changed changes what it became.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Any, NamedTuple
from uuid import uuid5

from sqlalchemy import update
from sqlmodel import Session, SQLModel, col, select

from schemas.event import ASTREINTE
from storage.database import insert_new
from storage.tables import Imported

IMPORTED = "imported"
"""The outcome of messages that were brought along, and the reason of their conversations' state.
It is also the `last_message_id` of these: no trial changes what the export says of a ticket."""


class Verdict(NamedTuple):
    """What became of a row: `new`, `updated`, `unchanged` or `skipped`, and then why."""

    outcome: str
    reason: str = ""


@dataclass(frozen=True)
class Item:
    """One row of an export, in our columns.

    `addresses` are those of its customer; `refs` name the rows of the same export that it belongs
    to, by kind; `more` is what is kept beside the row (of a ticket: its first message).
    """

    kind: str
    external_id: str
    values: dict[str, Any]
    addresses: tuple[str, ...] = ()
    refs: Mapping[str, str] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """How it looks."""
        parts = [self.values, self.addresses, dict(self.refs), self.more]
        return sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


@dataclass
class Work:
    """The rows of one kind that are new or changed, and what those that changed became before."""

    session: Session
    origin: str
    now: datetime
    items: Sequence[Item]
    before: dict[str, str]

    def target(self, item: Item) -> str:
        """Return the id of what an item became, or becomes."""
        return self.before.get(item.external_id) or name_of(
            self.origin, item.kind, item.external_id
        )

    def targets(self, kind: str) -> dict[str, str]:
        """Return what the rows that the items refer to became, by their ids there."""
        wanted = {item.refs[kind] for item in self.items if kind in item.refs}
        return targets(self.session, self.origin, kind, wanted)

    def write(self, table: type[SQLModel], rows: Sequence[tuple[Item, dict[str, Any]]]) -> None:
        """Write rows as they are now: insert those of new items, change the others."""
        fresh = [fitted(table, row) for item, row in rows if item.external_id not in self.before]
        changed = [fitted(table, row) for item, row in rows if item.external_id in self.before]
        insert_new(self.session, table, fresh)
        if changed:
            self.session.execute(update(table), changed)


Written = dict[str, str | Verdict]
"""By the item's id there: the id of what it became, or why it became nothing."""
Writer = Callable[[Work], Written]


def name_of(origin: str, kind: str, external_id: str) -> str:
    """Return the id of what a row becomes; a message may become a conversation, as a ticket."""
    letter = "c" if kind in {"ticket", "message"} else kind[0]
    return f"{letter}{uuid5(ASTREINTE, f'{origin} {kind} {external_id}').hex[:20]}"


def targets(session: Session, origin: str, kind: str, names: Iterable[str]) -> dict[str, str]:
    """Return what rows of an export became."""
    rows = session.exec(
        select(Imported.external_id, Imported.target_id).where(
            col(Imported.origin) == origin,
            col(Imported.kind) == kind,
            col(Imported.external_id).in_(list(names)),
        )
    )
    return dict(rows.all())


def fitted(table: type[SQLModel], row: dict[str, Any]) -> dict[str, Any]:
    """Return the row with texts cut to their columns; what is long has a column that takes it."""
    columns = SQLModel.metadata.tables[str(table.__tablename__)].columns
    lengths = {column.name: getattr(column.type, "length", None) for column in columns}
    return {
        name: value[: lengths.get(name)] if isinstance(value, str) else value
        for name, value in row.items()
    }


def bring(
    session: Session, writer: Writer, origin: str, items: Sequence[Item], now: datetime
) -> list[Verdict]:
    """Write rows of one kind, no two of which have the same id; say what became of each."""
    kind = items[0].kind
    seen = session.exec(
        select(Imported).where(
            col(Imported.origin) == origin,
            col(Imported.kind) == kind,
            col(Imported.external_id).in_([item.external_id for item in items]),
        )
    )
    known = {row.external_id: row for row in seen}
    digests = {item.external_id: item.digest for item in items}
    fresh = [
        item
        for item in items
        if item.external_id not in known
        or known[item.external_id].digest != digests[item.external_id]
    ]
    before = {name: row.target_id for name, row in known.items()}
    written = writer(Work(session, origin, now, fresh, before)) if fresh else {}
    made = {name: target for name, target in written.items() if isinstance(target, str)}
    remember(session, origin, kind, {n: (made[n], digests[n]) for n in made if n not in known}, now)
    for name in made.keys() & known.keys():
        known[name].sqlmodel_update({"digest": digests[name], "imported_at": now})
    return [
        _verdict(written.get(item.external_id), is_known=item.external_id in known)
        for item in items
    ]


def _verdict(written: str | Verdict | None, *, is_known: bool) -> Verdict:
    if written is None:
        return Verdict("unchanged")
    if isinstance(written, Verdict):
        return written
    return Verdict("updated" if is_known else "new")


def remember(
    session: Session, origin: str, kind: str, made: dict[str, tuple[str, str]], now: datetime
) -> None:
    """Note what rows became, as (target, digest) by their ids there."""
    rows = [
        {
            "origin": origin,
            "kind": kind,
            "external_id": name,
            "target_id": target,
            "digest": digest,
            "imported_at": now,
        }
        for name, (target, digest) in made.items()
    ]
    insert_new(session, Imported, rows)
