"""Channels: whom a reply answers, whom nothing is sent to, what providers' errors mean."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from storage.migrations import provider_errors
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
        sa.Column("segments", sa.Integer(), nullable=False, server_default="0"),
    )


LOST = (
    "mailbox",
    "fetched",
    "breaker",
    "suppression",
    "provider_error",
    "silence",
    *(f"outgoing.{column.name}" for column in _columns()),
    "attachment.warning",
    "conversation.follows",
)


def _mailboxes() -> None:
    number = sa.BigInteger()
    op.create_table(
        "mailbox",
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("validity", number, nullable=False),
        sa.Column("first_uid", number, nullable=False),
        sa.Column("next_uid", number, nullable=False),
        sa.Column("looked_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        **MYSQL,
    )
    op.create_table(
        "fetched",
        sa.Column("mailbox", sa.String(255), nullable=False),
        sa.Column("validity", number, autoincrement=False, nullable=False),
        sa.Column("uid", number, autoincrement=False, nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("tries", sa.Integer(), nullable=False),
        sa.Column("detail", sa.String(500), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("mailbox", "validity", "uid"),
        **MYSQL,
    )
    op.create_index("fetched_state", "fetched", ["mailbox", "validity", "state", "uid"])


def upgrade() -> None:
    """Go one step up."""
    _mailboxes()
    with op.batch_alter_table("outgoing") as batch:
        for column in _columns():
            batch.add_column(column)
    op.add_column("attachment", _text("warning", 998))
    op.add_column("conversation", sa.Column("follows", sa.String(40)))
    op.create_index("outgoing_address", "outgoing", ["address", "created_at"])
    op.create_index("alert_address", "alert", ["address", "created_at"])
    op.create_table(
        "breaker",
        sa.Column("opened_at", Utc(), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("detail", sa.String(500), nullable=False),
        sa.Column("until", Utc()),
        sa.Column("closed_at", Utc()),
        sa.Column("closed_by", sa.String(80), nullable=False),
        sa.PrimaryKeyConstraint("opened_at"),
        **MYSQL,
    )
    op.create_table(
        "silence",
        sa.Column("conversation_id", sa.String(40), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("by", sa.String(80), nullable=False),
        sa.Column("since", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("conversation_id"),
        **MYSQL,
    )
    op.create_index("ix_silence_since", "silence", ["since"])
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
    provider_errors.fill()


def downgrade() -> None:
    """Go back."""
    op.drop_table("fetched")
    op.drop_table("mailbox")
    op.drop_table("provider_error")
    op.drop_table("suppression")
    op.drop_table("silence")
    op.drop_table("breaker")
    op.drop_column("conversation", "follows")
    op.drop_column("attachment", "warning")
    op.drop_index("alert_address", "alert")
    op.drop_index("outgoing_address", "outgoing")
    with op.batch_alter_table("outgoing") as batch:
        for column in _columns():
            batch.drop_column(column.name)
