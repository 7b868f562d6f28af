"""Indexes of the outbox by which the oldest are claimed, however many wait."""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"

LOST = ()


def upgrade() -> None:
    """Go one step up."""
    op.create_index("outgoing_queue", "outgoing", ["status", "created_at"])
    op.create_index("outgoing_turn", "outgoing", ["conversation_id", "status", "created_at"])
    op.drop_index("outgoing_due", "outgoing")
    op.drop_index("ix_outgoing_conversation_id", "outgoing")


def downgrade() -> None:
    """Go back."""
    op.create_index("ix_outgoing_conversation_id", "outgoing", ["conversation_id"])
    op.create_index("outgoing_due", "outgoing", ["status", "next_attempt_at"])
    op.drop_index("outgoing_turn", "outgoing")
    op.drop_index("outgoing_queue", "outgoing")
