"""Columns of tickets, customers, messages and replies; what they hold is filled from the rest."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from storage.tables.columns import Utc

revision = "0005"
down_revision = "0004"


def _text(name: str, length: int) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length), nullable=False, server_default="")


def _columns() -> dict[str, tuple[sa.Column[Any], ...]]:
    return {
        "conversation": (
            sa.Column("device_id", sa.String(40)),
            sa.Column("external_ref", sa.String(255)),
            _text("priority", 16),
            _text("category", 40),
            sa.Column("confidence", sa.Float()),
            _text("language", 2),
            _text("assigned_to", 80),
            _text("last_message_id", 36),
            sa.Column("version", sa.Integer(), nullable=False, server_default="0"),
            sa.Column("resolved_at", Utc()),
        ),
        "customer": (
            _text("company", 255),
            _text("postal_address", 1000),
            _text("language", 2),
            sa.Column("details", sa.JSON()),
            sa.Column("updated_at", Utc()),
        ),
        "message": (
            _text("recipient", 998),
            _text("in_reply_to", 998),
            sa.Column("mail_references", sa.JSON()),
        ),
        "outgoing": (sa.Column("delivered_at", Utc()),),
    }


LOST = (
    "contact",
    *(f"{table}.{column.name}" for table, columns in _columns().items() for column in columns),
)

CONTACTS = """
    INSERT INTO contact (address, customer_id)
    SELECT k.address, k.customer_id FROM customer k
    LEFT JOIN contact c ON c.address = k.address WHERE c.address IS NULL
"""

# The newest message of a conversation: its outcome is the conversation's.
LAST_MESSAGES = """
    UPDATE conversation SET last_message_id = COALESCE((
        SELECT MAX(m.message_id) FROM message m
        WHERE m.conversation_id = conversation.conversation_id AND m.stored_at = (
            SELECT MAX(n.stored_at) FROM message n
            WHERE n.conversation_id = conversation.conversation_id)
    ), '')
"""


def upgrade() -> None:
    """Go one step up."""
    for table, columns in _columns().items():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.add_column(column)
    op.create_index("conversation_external_ref", "conversation", ["external_ref"], unique=True)
    op.create_index("conversation_waiting", "conversation", ["state", "priority", "created_at"])
    op.drop_index("ix_conversation_state", "conversation")
    op.create_index("message_outcome", "message", ["outcome", "stored_at"])
    op.execute(CONTACTS)
    op.execute(LAST_MESSAGES)
    op.execute("INSERT INTO latch (name) VALUES ('outbox')")


def downgrade() -> None:
    """Go back."""
    op.execute("DELETE FROM latch")
    op.execute("DELETE FROM contact")
    op.drop_index("message_outcome", "message")
    op.create_index("ix_conversation_state", "conversation", ["state"])
    op.drop_index("conversation_waiting", "conversation")
    op.drop_index("conversation_external_ref", "conversation")
    for table, columns in _columns().items():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.drop_column(column.name)
