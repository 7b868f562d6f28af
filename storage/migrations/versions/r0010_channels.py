"""Channels: whom a reply answers, whom nothing is sent to, what providers' errors mean."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from storage.tables.columns import MYSQL, Utc

revision = "0010"
down_revision = "0009"


def _text(name: str, length: int) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length), nullable=False, server_default="")


def _columns() -> tuple[sa.Column[Any], ...]:
    return (
        _text("ours", 998),
        _text("mail_id", 255),
        _text("in_reply_to", 998),
        sa.Column("mail_references", sa.JSON()),
    )


LOST = (
    "suppression",
    "provider_error",
    "silence",
    *(f"outgoing.{column.name}" for column in _columns()),
)


def upgrade() -> None:
    """Go one step up."""
    with op.batch_alter_table("outgoing") as batch:
        for column in _columns():
            batch.add_column(column)
    op.create_table(
        "silence",
        sa.Column("conversation_id", sa.String(40), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("by", sa.String(80), nullable=False),
        sa.Column("since", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("conversation_id"),
        **MYSQL,
    )
    op.create_table(
        "suppression",
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("address", sa.String(320), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("detail", sa.String(500), nullable=False),
        sa.Column("source", sa.String(80), nullable=False),
        sa.Column("since", Utc(), nullable=False),
        sa.Column("until", Utc()),
        sa.PrimaryKeyConstraint("channel", "address"),
        **MYSQL,
    )
    op.create_table(
        "provider_error",
        sa.Column("provider", sa.String(32), nullable=False),
        sa.Column("code", sa.String(16), nullable=False),
        sa.Column("effect", sa.String(16), nullable=False),
        sa.Column("meaning", sa.String(255), nullable=False),
        sa.PrimaryKeyConstraint("provider", "code"),
        **MYSQL,
    )


def downgrade() -> None:
    """Go back."""
    op.drop_table("provider_error")
    op.drop_table("suppression")
    op.drop_table("silence")
    with op.batch_alter_table("outgoing") as batch:
        for column in _columns():
            batch.drop_column(column.name)
