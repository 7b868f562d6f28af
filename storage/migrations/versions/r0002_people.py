"""Contacts, consent, history, attachments, devices: what a help desk keeps."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.tables.columns import MYSQL, Utc

revision = "0002"
down_revision = "0001"

LOST = ("printer_model", "device", "contact", "consent", "history", "attachment")


# Tables that were made before there were steps compare texts as their server does by default.
OTHERS = """
    SELECT table_name FROM information_schema.tables
    WHERE table_schema = DATABASE() AND table_type = 'BASE TABLE'
    AND table_collation <> 'utf8mb4_bin' AND table_name IN
    ('customer', 'conversation', 'message', 'threadid', 'outgoing', 'event', 'journal')
"""


KEYS = (("conversation", "customer"), ("message", "conversation"), ("threadid", "conversation"))


def _compare_byte_by_byte() -> None:
    others = op.get_bind().execute(sa.text(OTHERS)).scalars().all()
    if others:  # no column changes while a key refers to it
        for table, _ in KEYS:
            for key in sa.inspect(op.get_bind()).get_foreign_keys(table):
                op.drop_constraint(str(key["name"]), table, "foreignkey")
    for table in others:
        op.execute(f"ALTER TABLE {table} CONVERT TO CHARACTER SET utf8mb4 COLLATE utf8mb4_bin")
    for table, other in KEYS:
        if not sa.inspect(op.get_bind()).get_foreign_keys(table):
            op.create_foreign_key(None, table, other, [f"{other}_id"], [f"{other}_id"])


def upgrade() -> None:
    """Go one step up."""
    if op.get_context().dialect.name == "mysql":
        _compare_byte_by_byte()
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
        **MYSQL,
    )
    op.create_table(
        "device",
        sa.Column("device_id", sa.String(40), nullable=False),
        sa.Column("customer_id", sa.String(40), nullable=False),
        sa.Column("model_id", sa.String(40), nullable=True),
        sa.Column("serial_number", sa.String(100), nullable=False),
        sa.Column("installed_on", sa.Date(), nullable=True),
        sa.Column("warranty_until", sa.Date(), nullable=True),
        sa.Column("location", sa.String(255), nullable=False),
        sa.Column("details", sa.JSON(), nullable=True),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("updated_at", Utc(), nullable=True),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"]),
        sa.ForeignKeyConstraint(["model_id"], ["printer_model.model_id"]),
        sa.PrimaryKeyConstraint("device_id"),
        **MYSQL,
    )
    op.create_index("ix_device_customer_id", "device", ["customer_id"])
    op.create_index("ix_device_model_id", "device", ["model_id"])
    op.create_index("ix_device_serial_number", "device", ["serial_number"])
    op.create_table(
        "contact",
        sa.Column("address", sa.String(340), nullable=False),
        sa.Column("customer_id", sa.String(40), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"]),
        sa.PrimaryKeyConstraint("address"),
        **MYSQL,
    )
    op.create_index("ix_contact_customer_id", "contact", ["customer_id"])
    op.create_table(
        "consent",
        sa.Column("ours", sa.String(340), nullable=False),
        sa.Column("theirs", sa.String(340), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("source", sa.String(80), nullable=False),
        sa.Column("changed_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("ours", "theirs"),
        **MYSQL,
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
        sa.PrimaryKeyConstraint("history_id"),
        **MYSQL,
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
        **MYSQL,
    )
    op.create_index("ix_attachment_message_id", "attachment", ["message_id"])


def downgrade() -> None:
    """Go back."""
    for table in reversed(LOST):
        op.drop_table(table)
