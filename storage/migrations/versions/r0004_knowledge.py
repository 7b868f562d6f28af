"""Knowledge with versions, imports, cold rooms and their episodes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.tables.columns import MYSQL, Utc, long_text

revision = "0004"
down_revision = "0003"

LOST = ("article", "article_version", "imported", "unit", "episode")


def upgrade() -> None:
    """Go one step up."""
    op.create_table(
        "article",
        sa.Column("article_id", sa.String(80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(512), nullable=False),
        sa.Column("model_id", sa.String(40), nullable=True),
        sa.Column("source", sa.String(255), nullable=False),
        sa.Column("error_codes", sa.JSON(), nullable=True),
        sa.Column("tags", sa.JSON(), nullable=True),
        sa.Column("in_use", sa.Boolean(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("updated_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["model_id"], ["printer_model.model_id"]),
        sa.PrimaryKeyConstraint("article_id"),
        **MYSQL,
    )
    op.create_index("ix_article_model_id", "article", ["model_id"])
    op.create_table(
        "article_version",
        sa.Column("article_id", sa.String(80), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", long_text(), nullable=False),
        sa.Column("changed_by", sa.String(80), nullable=False),
        sa.Column("changed_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["article_id"], ["article.article_id"]),
        sa.PrimaryKeyConstraint("article_id", "version"),
        **MYSQL,
    )
    op.create_table(
        "imported",
        sa.Column("origin", sa.String(80), nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("external_id", sa.String(255), nullable=False),
        sa.Column("target_id", sa.String(80), nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("imported_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("origin", "kind", "external_id"),
        **MYSQL,
    )
    op.create_table(
        "unit",
        sa.Column("unit_id", sa.String(80), nullable=False),
        sa.Column("customer_id", sa.String(40), nullable=True),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("profile", sa.JSON(), nullable=True),
        sa.Column("state", sa.JSON(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("updated_at", Utc(), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"]),
        sa.PrimaryKeyConstraint("unit_id"),
        **MYSQL,
    )
    op.create_table(
        "episode",
        sa.Column("episode_id", sa.String(40), nullable=False),
        sa.Column("unit_id", sa.String(80), nullable=False),
        sa.Column("fault", sa.String(40), nullable=False),
        sa.Column("severity", sa.String(16), nullable=False),
        sa.Column("evidence", sa.JSON(), nullable=True),
        sa.Column("acknowledged_by", sa.String(80), nullable=False),
        sa.Column("acknowledged_at", Utc(), nullable=True),
        sa.Column("shelved_until", Utc(), nullable=True),
        sa.Column("began_at", Utc(), nullable=False),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.unit_id"]),
        sa.PrimaryKeyConstraint("episode_id"),
        **MYSQL,
    )
    op.create_index("episode_of", "episode", ["unit_id", "ended_at"])


def downgrade() -> None:
    """Go back."""
    for table in reversed(LOST):
        op.drop_table(table)
