"""The road: customers, conversations, messages, the outbox, events."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.tables.columns import MYSQL, Utc, long_text

revision = "0001"
down_revision = None

LOST = ("customer", "conversation", "message", "threadid", "outgoing", "event", "journal")


def upgrade() -> None:
    """Go one step up."""
    op.create_table(
        "customer",
        sa.Column("customer_id", sa.String(40), nullable=False),
        sa.Column("address", sa.String(340), nullable=False),
        sa.Column("name", sa.String(255), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("customer_id"),
        sa.UniqueConstraint("address"),
        **MYSQL,
    )
    op.create_table(
        "conversation",
        sa.Column("conversation_id", sa.String(40), nullable=False),
        sa.Column("customer_id", sa.String(40), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("subject", sa.String(998), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("trial", sa.Boolean(), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.Column("last_at", Utc(), nullable=False),
        sa.ForeignKeyConstraint(["customer_id"], ["customer.customer_id"]),
        sa.PrimaryKeyConstraint("conversation_id"),
        **MYSQL,
    )
    op.create_index("conversation_of", "conversation", ["customer_id", "channel", "last_at"])
    op.create_index("ix_conversation_last_at", "conversation", ["last_at"])
    op.create_index("ix_conversation_state", "conversation", ["state"])
    op.create_table(
        "message",
        sa.Column("message_id", sa.String(36), nullable=False),
        sa.Column("conversation_id", sa.String(40), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("external_id", sa.String(255), nullable=False),
        sa.Column("subject", sa.String(998), nullable=False),
        sa.Column("text", long_text(), nullable=False),
        sa.Column("received_text", long_text(), nullable=False),
        sa.Column("received_html", long_text(), nullable=True),
        sa.Column("attachments", sa.JSON(), nullable=True),
        sa.Column("received_at", Utc(), nullable=False),
        sa.Column("stored_at", Utc(), nullable=False),
        sa.Column("sender", sa.String(998), nullable=False),
        sa.Column("automatic", sa.String(200), nullable=True),
        sa.Column("trial", sa.Boolean(), nullable=False),
        sa.Column("new_customer", sa.Boolean(), nullable=False),
        sa.Column("new_conversation", sa.Boolean(), nullable=False),
        sa.Column("why", sa.String(500), nullable=False),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.conversation_id"]),
        sa.PrimaryKeyConstraint("message_id"),
        sa.UniqueConstraint("channel", "external_id"),
        **MYSQL,
    )
    op.create_index("ix_message_conversation_id", "message", ["conversation_id"])
    op.create_table(
        "threadid",
        sa.Column("mail_id", sa.String(255), nullable=False),
        sa.Column("conversation_id", sa.String(40), nullable=False),
        sa.ForeignKeyConstraint(["conversation_id"], ["conversation.conversation_id"]),
        sa.PrimaryKeyConstraint("mail_id"),
        **MYSQL,
    )
    op.create_table(
        "outgoing",
        sa.Column("reply_id", sa.String(36), nullable=False),
        sa.Column("message_id", sa.String(36), nullable=False),
        sa.Column("conversation_id", sa.String(40), nullable=False),
        sa.Column("channel", sa.String(16), nullable=False),
        sa.Column("address", sa.String(320), nullable=False),
        sa.Column("subject", sa.String(998), nullable=False),
        sa.Column("text", long_text(), nullable=False),
        sa.Column("action", sa.String(16), nullable=False),
        sa.Column("reason", sa.String(40), nullable=False),
        sa.Column("how", sa.String(120), nullable=False),
        sa.Column("sources", sa.JSON(), nullable=True),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("outbound", sa.String(32), nullable=False),
        sa.Column("provider_id", sa.String(255), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", Utc(), nullable=False),
        sa.Column("claimed_at", Utc(), nullable=True),
        sa.Column("sent_at", Utc(), nullable=True),
        sa.Column("told_at", Utc(), nullable=True),
        sa.Column("last_error", sa.String(500), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("reply_id"),
        sa.UniqueConstraint("message_id"),
        **MYSQL,
    )
    op.create_index("ix_outgoing_conversation_id", "outgoing", ["conversation_id"])
    op.create_index("ix_outgoing_told_at", "outgoing", ["told_at"])
    op.create_index("outgoing_due", "outgoing", ["status", "next_attempt_at"])
    op.create_table(
        "event",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.String(80), nullable=False),
        sa.Column("trace_id", sa.String(32), nullable=False),
        sa.Column("conversation_id", sa.String(40), nullable=False),
        sa.Column("stage", sa.String(20), nullable=False),
        sa.Column("topic", sa.String(64), nullable=False),
        sa.Column("partition_offset", sa.String(40), nullable=False),
        sa.Column("occurred_at", Utc(), nullable=False),
        sa.Column("took_ms", sa.Float(), nullable=False),
        sa.Column("why", sa.String(1000), nullable=False),
        sa.Column("body", long_text(), nullable=False),
        sa.PrimaryKeyConstraint("seq"),
        sa.UniqueConstraint("event_id"),
        **MYSQL,
    )
    op.create_index("event_of_trace", "event", ["trace_id", "occurred_at"])
    op.create_index("ix_event_conversation_id", "event", ["conversation_id"])
    op.create_table(
        "journal",
        sa.Column("event_id", sa.String(36), nullable=False),
        sa.Column("body", long_text(), nullable=False),
        sa.Column("accepted_at", Utc(), nullable=False),
        sa.Column("finished_at", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("event_id"),
        **MYSQL,
    )
    op.create_index("ix_journal_finished_at", "journal", ["finished_at"])


def downgrade() -> None:
    """Go back."""
    for table in reversed(LOST):
        op.drop_table(table)
