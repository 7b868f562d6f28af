"""Indexes for the queries that there are, and only these; wider numbers on MySQL."""

from __future__ import annotations

from alembic import op

revision = "0007"
down_revision = "0006"

LOST = ()

NOT_ASKED = (
    ("ix_attempt_reply_id", "attempt", ["reply_id"]),
    ("ix_device_serial_number", "device", ["serial_number"]),
    ("ix_extraction_message_id", "extraction", ["message_id"]),
    ("ix_history_conversation_id", "history", ["conversation_id"]),
    ("metric_named", "metric", ["name", "at"]),
    ("ix_prediction_message_id", "prediction", ["message_id"]),
    ("ix_retrieval_message_id", "retrieval", ["message_id"]),
)

# SQLite's numbers are as wide from the start. A server that takes in 1,000 events a second would
# be at the end of an INTEGER in 24 days, and a FLOAT of MySQL has six digits.
NUMBERS = (
    ("attempt", "attempt_id", "BIGINT", "INTEGER", "NOT NULL AUTO_INCREMENT"),
    ("conversation", "confidence", "DOUBLE", "FLOAT", "NULL"),
    ("event", "seq", "BIGINT", "INTEGER", "NOT NULL AUTO_INCREMENT"),
    ("event", "took_ms", "DOUBLE", "FLOAT", "NOT NULL"),
    ("metric", "value", "DOUBLE", "FLOAT", "NOT NULL"),
    ("prediction", "confidence", "DOUBLE", "FLOAT", "NOT NULL"),
    ("retrieval", "best_score", "DOUBLE", "FLOAT", "NULL"),
)


def upgrade() -> None:
    """Go one step up."""
    op.create_index("ix_conversation_last_message_id", "conversation", ["last_message_id"])
    for name, table, _ in NOT_ASKED:
        op.drop_index(name, table)
    if op.get_context().dialect.name == "mysql":
        for table, column, wide, _, rest in NUMBERS:
            op.execute(f"ALTER TABLE {table} MODIFY {column} {wide} {rest}")


def downgrade() -> None:
    """Go back."""
    if op.get_context().dialect.name == "mysql":
        for table, column, _, narrow, rest in NUMBERS:
            op.execute(f"ALTER TABLE {table} MODIFY {column} {narrow} {rest}")
    for name, table, columns in NOT_ASKED:
        op.create_index(name, table, columns)
    op.drop_index("ix_conversation_last_message_id", "conversation")
