"""What a step that stopped half way has done already is not done again.

MySQL and MariaDB commit each change of a table on its own, so a step may stop in its middle: the
disk is full, the connection is lost. Whoever mends that runs it once more.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from alembic.operations import Operations, ops, toimpl
from sqlalchemy import Inspector, inspect


def _has_column(found: Inspector, operation: Any, name: str) -> bool:
    return name in {column["name"] for column in found.get_columns(operation.table_name)}


DONE: dict[Any, tuple[Callable[..., Any], Callable[[Inspector, Any], bool]]] = {
    ops.CreateTableOp: (
        toimpl.create_table,
        lambda found, todo: found.has_table(todo.table_name),
    ),
    ops.DropTableOp: (
        toimpl.drop_table,
        lambda found, todo: not found.has_table(todo.table_name),
    ),
    ops.CreateIndexOp: (
        toimpl.create_index,
        lambda found, todo: found.has_index(todo.table_name, todo.index_name),
    ),
    ops.DropIndexOp: (
        toimpl.drop_index,
        lambda found, todo: not found.has_index(todo.table_name, todo.index_name),
    ),
    ops.AddColumnOp: (
        toimpl.add_column,
        lambda found, todo: _has_column(found, todo, todo.column.name),
    ),
    ops.DropColumnOp: (
        toimpl.drop_column,
        lambda found, todo: not _has_column(found, todo, todo.column_name),
    ),
}
"""How each change is made, and how one sees that it was."""


def _carefully(kind: Any) -> Callable[[Operations, Any], Any]:
    make, is_made = DONE[kind]

    def change(operations: Operations, todo: Any) -> Any:
        connection = operations.get_bind()
        # SQLite takes a whole migration back; and in a batch the table is another one.
        if connection.dialect.name != "sqlite" and is_made(inspect(connection), todo):
            return None
        return make(operations, todo)

    return change


def install() -> None:
    """Have Alembic look before it changes something."""
    for kind in DONE:
        Operations.implementation_for(kind, replace=True)(_carefully(kind))
