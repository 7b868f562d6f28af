"""Customers, their printers, and what the company knows, as an export tells of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from sqlalchemy import update
from sqlmodel import Session, SQLModel, col, select

from storage.customers import Card, recognise
from storage.database import insert_new
from storage.imports.ledger import Item, Verdict, Work, Written, fitted
from storage.tables import (
    Article,
    ArticleVersion,
    Attachment,
    Customer,
    Device,
    History,
    PrinterModel,
)


def customers(work: Work) -> Written:
    """Write customers; one whom the record knows learns what the export says."""
    cards = [Card(item.addresses, fitted(Customer, item.values)) for item in work.items]
    written: Written = {}
    found = recognise(work.session, cards, work.now)
    for item, card, (owner, is_new) in zip(work.items, cards, found, strict=True):
        said = {name: value for name, value in card.values.items() if value}
        said.pop("created_at", None)
        if said and not is_new:
            work.session.execute(
                update(Customer)
                .where(col(Customer.customer_id) == owner)
                .values(updated_at=work.now, **said)
            )
        written[item.external_id] = owner
    return written


def models(work: Work) -> Written:
    """Write models of printers; one that is there under its name is that one."""
    there = model_names(work.session)
    rows: list[tuple[Item, dict[str, Any]]] = []
    written: Written = {}
    for item in work.items:
        name = f"{item.values['manufacturer']} {item.values['name']}".lower()
        target = there.setdefault(name, work.target(item))
        rows.append((item, item.values | {"model_id": target}))
        written[item.external_id] = target
    work.write(PrinterModel, rows)
    return written


def model_names(session: Session) -> dict[str, str]:
    """Return the ids of all models by `manufacturer name`, in small letters."""
    rows = session.exec(select(PrinterModel))
    return {f"{row.manufacturer} {row.name}".lower(): row.model_id for row in rows}


def _model_of(work: Work) -> Callable[[Item], str | None]:
    by_id, by_name = work.targets("model"), model_names(work.session)

    def find(item: Item) -> str | None:
        found = by_id.get(item.refs.get("model", ""))
        return found or by_name.get(item.refs.get("model_name", "").lower())

    return find


def devices(work: Work) -> Written:
    """Write customers' printers."""
    owners = recognise(work.session, [Card(item.addresses) for item in work.items], work.now)
    model = _model_of(work)
    rows = [
        (
            item,
            {"created_at": work.now}
            | item.values
            | {"device_id": work.target(item), "customer_id": owner, "model_id": model(item)},
        )
        for item, (owner, _) in zip(work.items, owners, strict=True)
    ]
    work.write(Device, rows)
    return {item.external_id: work.target(item) for item in work.items}


def articles(work: Work) -> Written:
    """Write articles of the company's own; one that changed gets a version more."""
    model = _model_of(work)
    names = {item.external_id: work.target(item) for item in work.items}
    there = select(Article).where(col(Article.article_id).in_(list(names.values())))
    versions = {row.article_id: row.version for row in work.session.exec(there)}
    rows: list[tuple[Item, dict[str, Any]]] = []
    bodies: list[dict[str, Any]] = []
    for item in work.items:
        name = names[item.external_id]
        version = versions.get(name, 0) + 1
        keys = {"article_id": name, "version": version, "model_id": model(item)}
        made = {"created_at": work.now} if version == 1 else {}
        rows.append((item, made | item.values | keys | {"updated_at": work.now}))
        body = json.dumps({"id": name} | item.more, ensure_ascii=False)
        by = {"changed_by": f"import {work.origin}"[:80], "changed_at": work.now}
        bodies.append({"article_id": name, "version": version, "body": body} | by)
    work.write(Article, rows)
    insert_new(work.session, ArticleVersion, bodies)
    return dict(names)


def histories(work: Work) -> Written:
    """Write what was done with tickets."""
    return _belonging(work, "ticket", History, ("history_id", "conversation_id"), at=work.now)


def attachments(work: Work) -> Written:
    """Write the files that came with messages."""
    return _belonging(work, "message", Attachment, ("attachment_id", "message_id"))


def _belonging(
    work: Work, parent: str, table: type[SQLModel], keys: tuple[str, str], **otherwise: Any
) -> Written:
    """Write rows that belong to another row of the export; `otherwise`: what it may not tell."""
    parents = work.targets(parent)
    lost = Verdict("skipped", f"its {parent} was not imported")
    written: Written = dict.fromkeys((item.external_id for item in work.items), lost)
    rows = []
    for item in work.items:
        if found := parents.get(item.refs.get(parent, "")):
            own = written[item.external_id] = work.target(item)
            rows.append(
                (item, otherwise | item.values | dict(zip(keys, (own, found), strict=True)))
            )
    work.write(table, rows)
    return written
