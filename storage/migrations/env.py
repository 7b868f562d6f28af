"""Run by Alembic for each command; the connection comes from `storage.schema`."""

from __future__ import annotations

from alembic import context
from sqlmodel import SQLModel

from storage import tables as _tables  # noqa: F401 - registers the tables
from storage.migrations import again

again.install()
context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=SQLModel.metadata,
    render_as_batch=True,  # SQLite cannot alter a table: Alembic makes it anew
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
