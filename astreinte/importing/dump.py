"""From a SQL dump to its rows. Nothing in it is executed: only literals of INSERT are read."""

from __future__ import annotations

import contextlib
import logging
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import sqlglot
from sqlglot import exp

from astreinte.importing.rows import Read, Remark, Row, Skip
from astreinte.importing.statements import Broken, statements_of

_READ = re.compile(r"\b(INSERT|REPLACE|CREATE)\b", re.IGNORECASE)
_INTO = re.compile(r"\bINTO\s+(?:`?\w+`?\s*\.\s*)?`?(\w+)", re.IGNORECASE)
_CHANGES = re.compile(r"\s*(UPDATE|DELETE|LOAD|CALL|TRUNCATE|RENAME)\b", re.IGNORECASE)

# What it says of statements holds what customers wrote.
logging.getLogger("sqlglot").setLevel(logging.CRITICAL + 1)


Columns = dict[str, dict[str, Any]]
"""Of each table, by CREATE TABLE: its columns in their order, with their defaults."""


class _NoLiteralError(ValueError):
    """A value that the database would have to work out."""


def rows_of(lines: Iterable[str]) -> Iterator[Read]:
    """Give the rows of a dump as their tables and columns, and what cannot be read of it."""
    columns: Columns = {}
    left_alone: Counter[str] = Counter()
    for number, statement in statements_of(lines):
        if isinstance(statement, Remark):
            yield statement
        elif isinstance(statement, Broken):
            yield Skip(table_of(statement.head), f"line {number}", statement.reason)
        elif change := _CHANGES.match(statement):
            left_alone[change[1].upper()] += 1
        elif _READ.search(statement):
            yield from _parsed(statement, f"line {number}", columns)
    for word, count in left_alone.items():
        yield Remark(f"{count} {word} left alone: only INSERT is read")


def _parsed(statement: str, place: str, columns: Columns) -> Iterator[Read]:
    try:
        parsed = sqlglot.parse(statement, read="mysql")
    except Exception as error:  # noqa: BLE001 - a parser's own trouble with what anybody wrote
        yield Skip(
            table_of(statement),
            place,
            f"a statement that cannot be parsed ({type(error).__name__})",
        )
        return
    for one in parsed:
        if isinstance(one, exp.Create) and isinstance(one.this, exp.Schema):
            defined = [each for each in one.this.expressions if isinstance(each, exp.ColumnDef)]
            columns[one.this.this.name.lower()] = {n.name.lower(): _default(n) for n in defined}
        elif isinstance(one, exp.Insert):
            yield from _inserted(one, place, columns)
        elif isinstance(one, exp.Command) and one.name.upper() == "REPLACE":
            yield from _parsed(f"INSERT {one.expression.name}", place, columns)


def table_of(statement: str) -> str:
    """Return the table that a statement writes to, as far as one can tell without parsing it."""
    found = _INTO.search(statement)
    return found[1].lower() if found else ""


def _inserted(insert: exp.Insert, place: str, columns: Columns) -> Iterator[Read]:
    target, values = insert.this, insert.expression
    with_list = isinstance(target, exp.Schema)
    table = (target.this if with_list else target).name.lower()
    if not isinstance(values, exp.Values):
        yield Skip(table, place, "not a list of values")
        return
    defaults = columns.get(table, {})
    names = [each.name.lower() for each in target.expressions] if with_list else list(defaults)
    if not names:
        yield Skip(table, place, "no list of columns, and no CREATE TABLE before it")
        return
    for number, row in enumerate(values.expressions, 1):
        where = f"{place}, row {number}"
        found = row.expressions
        if len(found) != len(names):
            yield Skip(table, where, f"{len(found)} values for {len(names)} columns")
            continue
        try:
            values_of = {n: _value(v) for n, v in zip(names, found, strict=True)}
        except (_NoLiteralError, RecursionError):
            yield Skip(table, where, "a value that is no literal")
        else:
            yield Row(table, where, defaults | values_of)


def _default(column: exp.ColumnDef) -> Any:
    """Return what stands in a column that an INSERT does not name."""
    for constraint in column.find_all(exp.DefaultColumnConstraint):
        with contextlib.suppress(_NoLiteralError):
            return _value(constraint.this)
    return None


def _value(node: Any) -> Any:
    for kind, read in _LITERALS.items():
        if isinstance(node, kind):
            return read(node)
    if isinstance(node, str) or (node.name.upper() in {"NOW", "DEFAULT"} and not node.expressions):
        return node if isinstance(node, str) else None  # what the database would have put there
    raise _NoLiteralError


def _number(text: str) -> int | float | str:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _minus(value: Any) -> int | float:
    if not isinstance(value, int | float):
        raise _NoLiteralError
    return -value


def _bytes(digits: str) -> str | None:
    try:
        return bytes.fromhex(digits if len(digits) % 2 == 0 else f"0{digits}").decode("utf-8")
    except ValueError:
        return None  # an embedding, a picture: nothing that is read here


_LITERALS: dict[type[exp.Expression], Callable[[Any], Any]] = {
    exp.Literal: lambda node: node.this if node.is_string else _number(node.this),
    exp.Null: lambda _: None,
    exp.Boolean: lambda node: bool(node.this),
    exp.Neg: lambda node: _minus(_value(node.this)),
    exp.HexString: lambda node: _bytes(node.this),
    exp.BitString: lambda node: int(node.this, 2),
    exp.Introducer: lambda node: _value(node.expression),
    exp.Concat: lambda node: "".join(str(_value(each)) for each in node.expressions),
    **dict.fromkeys((exp.Paren, exp.Collate, exp.Cast, exp.National), lambda n: _value(n.this)),
    **dict.fromkeys((exp.CurrentTimestamp, exp.CurrentDate), lambda _: None),
}
