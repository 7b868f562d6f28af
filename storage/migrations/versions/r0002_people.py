"""Contacts, consent, history, attachments, devices: what a help desk keeps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.tables.columns import Utc, exact

revision = "0002"
down_revision = "0001"

TABLES = ("printer_model", "device", "contact", "consent", "history", "attachment")


def upgrade() -> None:
    """Go one step up."""
    op.create_table(
        "printer_model",
        sa.Column("model_id", sa.String(40), nullable=False),
        sa.Column("manufacturer", sa.String(100), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("code", sa.String(100), nullable=False),
        sa.Column("specifications", sa.JSON(), nullable=True),
        sa.Column("manual_url", sa.String(512), nullable=False),
        sa.PrimaryKeyConstraint("model_id"),
        sa.UniqueConstraint("manufacturer", "name"),
        mysql_charset="utf8mb4",
    )
    op.create_table(
        "device",
        sa.Column("device_id", sa.String(40), nullable=False),
        sa.Column("customer_id", sa.String(40), nullable=False),
        sa.Column("model_id", sa.String(40), nullable=True),
        sa.Column("serial_number", exact(100), nullable=False),
        sa.Column("installed_on", sa.Date(), nullable=True),
        sa.Column("warranty_until", sa.Date(), nullable=True),
        sa.Column("location", sa.String(255), nullable=False),
        sa.Column("details", sa.JSON(), nullable=True),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("updated_at", Utc(), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"]),
        sa.ForeignKeyConstraint(["model_id"], ["printer_model.model_id"]),
        sa.PrimaryKeyConstraint("device_id"),
        mysql_charset="utf8mb4",
    )
    op.create_index("ix_device_customer_id", "device", ["customer_id"])
    op.create_index("ix_device_model_id", "device", ["model_id"])
    op.create_index("ix_device_serial_number", "device", ["serial_number"])
    op.create_table(
        "contact",
        sa.Column("address", exact(340), nullable=False),
        sa.Column("customer_id", sa.String(40), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"]),
        sa.PrimaryKeyConstraint("address"),
        mysql_charset="utf8mb4",
    )
    op.create_index("ix_contact_customer_id", "contact", ["customer_id"])
    op.create_table(
        "consent",
        sa.Column("ours", exact(340), nullable=False),
        sa.Column("theirs", exact(340), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("source", sa.String(80), nullable=False),
        sa.Column("changed_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("ours", "theirs"),
        mysql_charset="utf8mb4",
    )
    op.create_table(
        "history",
        sa.Column("history_id", sa.String(80), nullable=False),
        sa.Column("conversation_id", sa.String(40), nullable=False),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("actor_type", sa.String(16), nullable=False),
        sa.Column("actor", sa.String(80), nullable=False),
        sa.Column("detail", sa.JSON(), nullable=True),
        sa.Column("at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.conversation_id"]),
        sa.PrimaryKeyConstraint("history_id"),
        mysql_charset="utf8mb4",
    )
    op.create_index("ix_history_conversation_id", "history", ["conversation_id"])
    op.create_table(
        "attachment",
        sa.Column("attachment_id", sa.String(40), nullable=False),
        sa.Column("message_id", sa.String(36), nullable=False),
        sa.Column("name", sa.String(998), nullable=False),
        sa.Column("content_type", sa.String(998), nullable=False),
        sa.Column("size_bytes", sa.Integer(), nullable=False),
        sa.Column("reference", sa.String(998), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["message.message_id"]),
        sa.PrimaryKeyConstraint("attachment_id"),
        mysql_charset="utf8mb4",
    )
    op.create_index("ix_attachment_message_id", "attachment", ["message_id"])


def downgrade() -> None:
    """Go back."""
    for table in reversed(TABLES):
        op.drop_table(table)
