"""Documents: what was imported beside articles, its passages, and what changed since when."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import delete, insert
from sqlmodel import Session, col, select

from storage.database import insert_new
from storage.tables import (
    Article,
    ArticleVersion,
    Document,
    DocumentPassage,
    PassageVector,
    PrinterModel,
)

AT_ONCE = 500
"""Names that one statement lists."""


class Change(NamedTuple):
    """What became of an article or document: `revision` counts its changes."""

    name: str
    kind: str
    revision: int
    removed: bool


class Told(NamedTuple):
    """An article as the record keeps it: `body` is its newest version as JSON.

    `brand` and `model` are those of the printer that it was imported for; empty: for any.
    """

    name: str
    revision: int
    body: str
    in_use: bool
    brand: str
    model: str


def put(
    session: Session, row: dict[str, Any], passages: Sequence[dict[str, Any]], now: datetime
) -> Change:
    """Write a document with its passages, instead of those that it had; return what became of it.

    Parameters
    ----------
    session
        Of the record.
    row
        Columns of `document`, without its version and its times.
    passages
        Columns of `document_passage`, without the document's id and the number.
    now
        When.
    """
    name = row["document_id"]
    found = session.get(Document, name)
    times = {"changed_at": now, "imported_at": now, "in_use": True, "passages": len(passages)}
    if found is None:
        found = Document.model_validate(row | times | {"version": 1})
    else:
        found.sqlmodel_update(row | times | {"version": found.version + 1})
    session.add(found)
    session.flush()
    session.execute(delete(DocumentPassage).where(col(DocumentPassage.document_id) == name))
    numbered = [
        {"document_id": name, "number": number} | passage
        for number, passage in enumerate(passages, 1)
    ]
    if numbered:
        session.execute(insert(DocumentPassage), numbered)
    return Change(name, found.kind, found.version, removed=False)


def digests(session: Session, names: Collection[str]) -> dict[str, str]:
    """Return how documents that are in use looked when they were imported, by their ids."""
    rows = session.exec(
        select(Document.document_id, Document.digest).where(
            col(Document.document_id).in_(list(names)), col(Document.in_use).is_(True)
        )
    )
    return dict(rows.all())


def remove(session: Session, name: str, now: datetime) -> Change | None:
    """Take a document or an article of the record out of use; nothing where there is none."""
    article = session.get(Article, name)
    if article and article.in_use:
        # The words stay as versions; the next one that is written counts on from here.
        article.sqlmodel_update({"in_use": False, "updated_at": now})
        return Change(name, "article", article.version, removed=True)
    found = session.get(Document, name)
    if found is None or not found.in_use:
        return None
    found.sqlmodel_update(
        {"in_use": False, "changed_at": now, "version": found.version + 1, "passages": 0}
    )
    session.execute(delete(DocumentPassage).where(col(DocumentPassage.document_id) == name))
    return Change(name, found.kind, found.version, removed=True)


def put_article(
    session: Session, row: dict[str, Any], body: str, by: str, now: datetime
) -> Change | None:
    """Write an article of the company's own; nothing where it says that already."""
    name = row["article_id"]
    found = session.get(Article, name)
    if found and found.in_use:
        newest = session.get(ArticleVersion, (name, found.version))
        if newest and newest.body == body:
            return None
    version = found.version + 1 if found else 1
    values = row | {"version": version, "in_use": True, "updated_at": now}
    if found:
        found.sqlmodel_update(values)
    else:
        found = Article.model_validate(values | {"created_at": now})
    session.add(found)
    session.flush()
    written = {"article_id": name, "version": version, "body": body}
    insert_new(session, ArticleVersion, [written | {"changed_by": by[:80], "changed_at": now}])
    return Change(name, "article", version, removed=False)


def changed(session: Session, since: datetime | None, names: Collection[str]) -> list[Change]:
    """Return what changed from a time on, or all, and what is named; what was removed too."""
    articles = select(Article.article_id, Article.version, Article.in_use)
    documents = select(Document.document_id, Document.kind, Document.version, Document.in_use)
    asked = [(articles, documents)]
    if since:
        late = col(Article.updated_at) >= since, col(Document.changed_at) >= since
        asked = [(articles.where(late[0]), documents.where(late[1]))]
        if names:
            named = col(Article.article_id).in_(names), col(Document.document_id).in_(names)
            asked.append((articles.where(named[0]), documents.where(named[1])))
    found = {
        change
        for of_articles, of_documents in asked
        for change in (
            *(Change(name, "article", n, not used) for name, n, used in session.exec(of_articles)),
            *(Change(name, k, n, not used) for name, k, n, used in session.exec(of_documents)),
        )
    }
    return sorted(found)


def articles(session: Session, names: Sequence[str]) -> list[Told]:
    """Return articles of the record as they are now."""
    rows = session.exec(
        select(Article, ArticleVersion.body, PrinterModel.manufacturer, PrinterModel.name)
        .join(
            ArticleVersion,
            (col(ArticleVersion.article_id) == col(Article.article_id))
            & (col(ArticleVersion.version) == col(Article.version)),
        )
        .join(PrinterModel, col(PrinterModel.model_id) == col(Article.model_id), isouter=True)
        .where(col(Article.article_id).in_(names))
    )
    return [
        Told(row.article_id, row.version, body, row.in_use, brand or "", model or "")
        for row, body, brand, model in rows.all()
    ]


def documents(
    session: Session, names: Sequence[str]
) -> list[tuple[Document, list[DocumentPassage]]]:
    """Return documents with their passages, in order."""
    rows = session.exec(select(Document).where(col(Document.document_id).in_(names))).all()
    passages: dict[str, list[DocumentPassage]] = {row.document_id: [] for row in rows}
    found = session.exec(
        select(DocumentPassage)
        .where(col(DocumentPassage.document_id).in_(names))
        .order_by(col(DocumentPassage.document_id), col(DocumentPassage.number))
    )
    for passage in found:
        passages[passage.document_id].append(passage)
    return [(row, passages[row.document_id]) for row in rows]


def everything(session: Session) -> tuple[list[Article], list[Document]]:
    """Return all articles of the record and all documents that are in use, newest first."""
    articles = select(Article).where(col(Article.in_use).is_(True))
    documents = select(Document).where(col(Document.in_use).is_(True))
    return (
        list(session.exec(articles.order_by(col(Article.updated_at).desc()))),
        list(session.exec(documents.order_by(col(Document.changed_at).desc()))),
    )


def vectors(session: Session, model: str, names: Sequence[str]) -> dict[str, bytes]:
    """Return what a model made of texts, by their digests, of those that it has seen."""
    found: dict[str, bytes] = {}
    for start in range(0, len(names), AT_ONCE):
        rows = session.exec(
            select(PassageVector.digest, PassageVector.vector).where(
                col(PassageVector.digest).in_(names[start : start + AT_ONCE]),
                col(PassageVector.model) == model,
            )
        )
        found |= dict(rows.all())
    return found


def keep_vectors(session: Session, model: str, made: dict[str, bytes]) -> None:
    """Write what a model made of texts, by their digests."""
    rows = [{"digest": name, "model": model, "vector": vector} for name, vector in made.items()]
    insert_new(session, PassageVector, rows)


def forget_vectors(session: Session, names: Sequence[str]) -> None:
    """Forget what any model made of texts."""
    for start in range(0, len(names), AT_ONCE):
        some = names[start : start + AT_ONCE]
        session.execute(delete(PassageVector).where(col(PassageVector.digest).in_(some)))
