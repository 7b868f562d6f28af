"""What stages found, attempts to send, dead letters."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from storage.tables.columns import MYSQL, Utc, raw_bytes

revision = "0003"
down_revision = "0002"

LOST = ("prediction", "extraction", "retrieval", "metric", "attempt", "latch", "dead_letter")


def upgrade() -> None:
    """Go one step up."""
    op.create_table(
        "prediction",
        sa.Column("event_id", sa.String(80), nullable=False),
        sa.Column("task", sa.String(20), nullable=False),
        sa.Column("message_id", sa.String(36), nullable=False),
        sa.Column("conversation_id", sa.String(40), nullable=False),
        sa.Column("label", sa.String(40), nullable=False),
        sa.Column("confidence", sa.Float(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", "task"),
        **MYSQL,
    )
    op.create_index("ix_prediction_message_id", "prediction", ["message_id"])
    op.create_table(
        "extraction",
        sa.Column("event_id", sa.String(80), nullable=False),
        sa.Column("message_id", sa.String(36), nullable=False),
        sa.Column("conversation_id", sa.String(40), nullable=False),
        sa.Column("fields", sa.JSON(), nullable=True),
        sa.Column("at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("event_id"),
        **MYSQL,
    )
    op.create_index("ix_extraction_message_id", "extraction", ["message_id"])
    op.create_table(
        "retrieval",
        sa.Column("event_id", sa.String(80), nullable=False),
        sa.Column("message_id", sa.String(36), nullable=False),
        sa.Column("conversation_id", sa.String(40), nullable=False),
        sa.Column("passages", sa.JSON(), nullable=True),
        sa.Column("best_score", sa.Float(), nullable=True),
        sa.Column("at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("event_id"),
        **MYSQL,
    )
    op.create_index("ix_retrieval_message_id", "retrieval", ["message_id"])
    op.create_table(
        "metric",
        sa.Column("event_id", sa.String(80), nullable=False),
        sa.Column("name", sa.String(40), nullable=False),
        sa.Column("conversation_id", sa.String(40), nullable=False),
        sa.Column("value", sa.Float(), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("event_id", "name"),
        **MYSQL,
    )
    op.create_index("metric_named", "metric", ["name", "at"])
    op.create_table(
        "attempt",
        sa.Column("attempt_id", sa.Integer(), nullable=False),
        sa.Column("reply_id", sa.String(36), nullable=False),
        sa.Column("outbound", sa.String(32), nullable=False),
        sa.Column("outcome", sa.String(16), nullable=False),
        sa.Column("provider_id", sa.String(255), nullable=False),
        sa.Column("detail", sa.String(500), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("attempt_id"),
        **MYSQL,
    )
    op.create_index("ix_attempt_reply_id", "attempt", ["reply_id"])
    op.create_table(
        "latch",
        sa.Column("name", sa.String(40), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        **MYSQL,
    )
    op.create_table(
        "dead_letter",
        sa.Column("dead_id", sa.String(36), nullable=False),
        sa.Column("stage", sa.String(20), nullable=False),
        sa.Column("error", sa.String(80), nullable=False),
        sa.Column("reason", sa.String(1000), nullable=False),
        sa.Column("topic", sa.String(64), nullable=False),
        sa.Column("place", sa.String(40), nullable=False),
        sa.Column("record_key", raw_bytes(), nullable=True),
        sa.Column("headers", sa.JSON(), nullable=True),
        sa.Column("body", raw_bytes(), nullable=False),
        sa.Column("cut_bytes", sa.Integer(), nullable=False),
        sa.Column("trace_id", sa.String(32), nullable=False),
        sa.Column("message_id", sa.String(36), nullable=False),
        sa.Column("died_at", Utc(), nullable=False),
        sa.Column("state", sa.String(10), nullable=False),
        sa.Column("replays", sa.Integer(), nullable=False),
        sa.Column("replayed_at", Utc(), nullable=True),
        sa.Column("ended_at", Utc(), nullable=True),
        sa.PrimaryKeyConstraint("dead_id"),
        **MYSQL,
    )
    op.create_index("dead_letter_of", "dead_letter", ["state", "stage", "died_at"])
    op.create_index("dead_letter_trace", "dead_letter", ["trace_id", "state"])


def downgrade() -> None:
    """Go back."""
    for table in reversed(LOST):
        op.drop_table(table)
