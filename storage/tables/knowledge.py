"""What was learned or brought along: articles with their versions, and what was imported."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import JSON, Column
from sqlmodel import Field, SQLModel

from storage.tables.columns import Utc, long_text


class Article(SQLModel, table=True):
    """An article of the company's own, at its newest version."""

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


class Imported(SQLModel, table=True):
    """What came from elsewhere, so that it comes once: `origin` names the export."""

    origin: str = Field(primary_key=True, max_length=80)
    kind: str = Field(primary_key=True, max_length=20)
    external_id: str = Field(primary_key=True, max_length=255)
    target_id: str = Field(max_length=80)
    digest: str = Field(max_length=64)
    imported_at: datetime = Field(sa_type=Utc)
