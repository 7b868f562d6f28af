"""Minds: documents and their passages, vectors, corrections of findings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.tables.columns import MYSQL, Utc, long_text, raw_bytes

revision = "0011"
down_revision = "0010"

LOST = ("document_passage", "document", "passage_vector", "correction")


def upgrade() -> None:
    """Go one step up."""
    op.create_table(
        "document",
        sa.Column("document_id", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("source", sa.String(1000), nullable=False),
        sa.Column("title", sa.String(512), nullable=False),
        sa.Column("language", sa.String(2), nullable=False),
        sa.Column("brand", sa.String(80), nullable=False),
        sa.Column("models", sa.JSON(), nullable=True),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("pages", sa.Integer(), nullable=False),
        sa.Column("passages", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("in_use", sa.Boolean(), nullable=False),
        sa.Column("approved", sa.Boolean(), nullable=False),
        sa.Column("imported_at", Utc(), nullable=False),
        sa.Column("changed_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("document_id"),
        **MYSQL,
    )
    op.create_index("document_changed", "document", ["changed_at"])
    op.create_table(
        "document_passage",
        sa.Column("document_id", sa.String(40), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("heading", sa.String(500), nullable=False),
        sa.Column("page", sa.Integer(), nullable=False),
        sa.Column("text", long_text(), nullable=False),
        sa.ForeignKeyConstraint(["document_id"], ["document.document_id"]),
        sa.PrimaryKeyConstraint("document_id", "number"),
        **MYSQL,
    )
    op.create_table(
        "passage_vector",
        sa.Column("digest", sa.String(32), nullable=False),
        sa.Column("model", sa.String(16), nullable=False),
        sa.Column("vector", raw_bytes(), nullable=False),
        sa.PrimaryKeyConstraint("digest", "model"),
        **MYSQL,
    )
    op.create_index("article_changed", "article", ["updated_at"])
    op.create_table(
        "correction",
        sa.Column("correction_id", sa.String(36), nullable=False),
        sa.Column("message_id", sa.String(36), nullable=False),
        sa.Column("conversation_id", sa.String(40), nullable=False),
        sa.Column("customer_id", sa.String(40), nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("old", sa.String(255), nullable=False),
        sa.Column("value", sa.String(255), nullable=False),
        sa.Column("words", sa.String(255), nullable=False),
        sa.Column("by", sa.String(80), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("correction_id"),
        **MYSQL,
    )
    op.create_index("correction_of", "correction", ["customer_id", "at"])


def downgrade() -> None:
    """Go back."""
    op.drop_index("article_changed", "article")
    for table in LOST:
        op.drop_table(table)
