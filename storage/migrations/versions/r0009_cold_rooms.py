"""Cold rooms: what their detector keeps, the life of an alarm, the messages that it makes."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa
from alembic import op

from storage.tables.columns import MYSQL, Utc

revision = "0009"
down_revision = "0008"


def _text(name: str, length: int) -> sa.Column[Any]:
    return sa.Column(name, sa.String(length), nullable=False, server_default="")


def _columns() -> dict[str, tuple[sa.Column[Any], ...]]:
    return {
        "unit": (
            sa.Column("declared", sa.Boolean(), nullable=False, server_default=sa.false()),
            sa.Column("profile_at", Utc()),
            sa.Column("untold", sa.JSON()),
            sa.Column("due_at", Utc()),
            sa.Column("read_at", Utc()),
            _text("out_of_service_by", 80),
            sa.Column("out_of_service_at", Utc()),
        ),
        "episode": (
            _text("leader_id", 40),
            _text("parent_id", 80),
            _text("gathering", 100),
            sa.Column("card", sa.JSON()),
            sa.Column("on_call", sa.JSON()),
            _text("trace_id", 32),
            _text("shelved_by", 80),
            _text("label", 40),
            _text("label_by", 80),
            _text("label_note", 2000),
            sa.Column("changed_at", Utc()),
            sa.Column("announced_at", Utc()),
            sa.Column("reminded_at", Utc()),
            sa.Column("told_steps", sa.Integer(), nullable=False, server_default="0"),
            sa.Column("due_at", Utc()),
        ),
    }


LOST = (
    "alert",
    "heartbeat",
    *(f"{table}.{column.name}" for table, columns in _columns().items() for column in columns),
)


def upgrade() -> None:
    """Go one step up."""
    for table, columns in _columns().items():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.add_column(column)
    op.create_index("ix_unit_profile_at", "unit", ["profile_at"])
    op.create_index("ix_unit_due_at", "unit", ["due_at"])
    op.create_index("ix_episode_due_at", "episode", ["due_at"])
    op.create_index("ix_episode_leader_id", "episode", ["leader_id"])
    op.create_index("episode_gathered", "episode", ["gathering", "announced_at"])
    _create_alert()
    op.create_table(
        "heartbeat",
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
        **MYSQL,
    )
    op.execute("INSERT INTO latch (name) VALUES ('alerts')")


def _create_alert() -> None:
    op.create_table(
        "alert",
        sa.Column("alert_id", sa.String(36), nullable=False),
        sa.Column("episode_id", sa.String(40), nullable=False),
        sa.Column("unit_id", sa.String(80), nullable=False),
        sa.Column("trace_id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("outbound", sa.String(32), nullable=False),
        sa.Column("recipient", sa.String(80), nullable=False),
        sa.Column("address", sa.String(320), nullable=False),
        sa.Column("card", sa.JSON()),
        sa.Column("urgency", sa.Integer(), nullable=False),
        sa.Column("wanted", sa.Integer(), nullable=False),
        sa.Column("shown", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(16), nullable=False),
        sa.Column("reference", sa.String(255), nullable=False),
        sa.Column("owner", sa.String(64), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", Utc(), nullable=False),
        sa.Column("claimed_at", Utc()),
        sa.Column("sent_at", Utc()),
        sa.Column("told_at", Utc()),
        sa.Column("last_error", sa.String(500), nullable=False),
        sa.Column("created_at", Utc(), nullable=False),
        sa.PrimaryKeyConstraint("alert_id"),
        **MYSQL,
    )
    op.create_index("alert_due", "alert", ["status", "next_attempt_at"])
    op.create_index("ix_alert_episode_id", "alert", ["episode_id"])
    op.create_index("ix_alert_told_at", "alert", ["told_at"])


def downgrade() -> None:
    """Go back."""
    op.execute("DELETE FROM latch WHERE name = 'alerts'")
    op.drop_table("heartbeat")
    op.drop_table("alert")
    for name, table in (
        ("episode_gathered", "episode"),
        ("ix_episode_leader_id", "episode"),
        ("ix_episode_due_at", "episode"),
        ("ix_unit_due_at", "unit"),
        ("ix_unit_profile_at", "unit"),
    ):
        op.drop_index(name, table)
    for table, columns in _columns().items():
        with op.batch_alter_table(table) as batch:
            for column in columns:
                batch.drop_column(column.name)
