"""What was learned or brought along: articles with their versions, documents, what was imported."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Column, Index
from sqlmodel import Field, SQLModel

from storage.tables.columns import Utc, long_text, raw_bytes


class Article(SQLModel, table=True):
    """An article of the company's own, at its newest version."""

    __table_args__ = (Index("article_changed", "updated_at"),)

    article_id: str = Field(primary_key=True, max_length=80)
    version: int = 1
    title: str = Field(max_length=512)
    model_id: str | None = Field(
        default=None, foreign_key="printer_model.model_id", max_length=40, index=True
    )
    source: str = Field(default="", max_length=255)
    error_codes: list[str] = Field(default_factory=list, sa_column=Column(JSON))
    tags: list[str] = Field(default_factory=list, sa_column=Column(JSON))
    in_use: bool = True
    created_at: datetime = Field(sa_type=Utc)
    updated_at: datetime = Field(sa_type=Utc)


class ArticleVersion(SQLModel, table=True):
    """What an article said, for good: `body` is the article as JSON."""

    __tablename__ = "article_version"

    article_id: str = Field(primary_key=True, foreign_key="article.article_id", max_length=80)
    version: int = Field(primary_key=True)
    body: str = Field(sa_column=Column(long_text(), nullable=False))
    changed_by: str = Field(default="", max_length=80)
    changed_at: datetime = Field(sa_type=Utc)


class Document(SQLModel, table=True):
    """A file or page that search knows passage by passage, or a conversation that was solved.

    `source`: a path, a URL, or the conversation's id. `version` counts changes; one that is not
    `in_use` was removed: its passages are gone, its row tells those who have them in memory.
    `approved`: of a conversation, that a person lets replies rest on it alone.
    """

    __table_args__ = (Index("document_changed", "changed_at"),)

    document_id: str = Field(primary_key=True, max_length=40)
    kind: str = Field(max_length=16)
    source: str = Field(max_length=1000)
    title: str = Field(default="", max_length=512)
    language: str = Field(default="", max_length=2)
    brand: str = Field(default="", max_length=80)
    models: list[str] = Field(default_factory=list, sa_column=Column(JSON))
    digest: str = Field(max_length=64)
    pages: int = 0
    passages: int = 0
    version: int = 1
    in_use: bool = True
    approved: bool = True
    imported_at: datetime = Field(sa_type=Utc)
    changed_at: datetime = Field(sa_type=Utc)


class DocumentPassage(SQLModel, table=True):
    """A part of a document, as search finds it; `heading`: the headings above it, outermost first.

    `page`: where it begins, from 1; 0: the document has none.
    """

    __tablename__ = "document_passage"

    document_id: str = Field(primary_key=True, foreign_key="document.document_id", max_length=40)
    number: int = Field(primary_key=True)
    heading: str = Field(default="", max_length=500)
    page: int = 0
    text: str = Field(sa_column=Column(long_text(), nullable=False))


class PassageVector(SQLModel, table=True):
    """What an embedding model made of a text, so that it is asked once for all processes.

    `digest`: of the text; `model`: the model's fingerprint; `vector`: 16-bit floats.
    """

    __tablename__ = "passage_vector"

    digest: str = Field(primary_key=True, max_length=32)
    model: str = Field(primary_key=True, max_length=16)
    vector: bytes = Field(sa_column=Column(raw_bytes(), nullable=False))


class Imported(SQLModel, table=True):
    """What came from elsewhere, so that it comes once: `origin` names the export."""

    origin: str = Field(primary_key=True, max_length=80)
    kind: str = Field(primary_key=True, max_length=20)
    external_id: str = Field(primary_key=True, max_length=255)
    target_id: str = Field(max_length=80)
    digest: str = Field(max_length=64)
    imported_at: datetime = Field(sa_type=Utc)
