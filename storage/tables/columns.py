"""The columns that tables share: moments, numbers, long texts, bytes."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    DateTime,
    Dialect,
    Float,
    Integer,
    LargeBinary,
    Text,
    TypeDecorator,
)
from sqlalchemy.dialects.mysql import DATETIME, DOUBLE, MEDIUMBLOB, MEDIUMTEXT

MYSQL: dict[str, Any] = {
    "mysql_engine": "InnoDB",
    "mysql_charset": "utf8mb4",
    "mysql_collate": "utf8mb4_bin",
}
"""Of every table. A server's own defaults may lose emoji, know no transactions, take `Ré` for `re`;
and they change with its version, after which a new table could not refer to an old one."""


class Utc(TypeDecorator[datetime]):
    """A moment: kept as UTC with microseconds and no zone, given back with its zone."""

    impl = DateTime
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        """Keep microseconds in MySQL too."""
        if dialect.name == "mysql":
            return dialect.type_descriptor(DATETIME(fsp=6))
        return dialect.type_descriptor(DateTime())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Take the zone off, after going to UTC."""
        del dialect
        return value.astimezone(UTC).replace(tzinfo=None) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Put the zone back."""
        del dialect
        return value.replace(tzinfo=UTC) if value else None


def counter() -> Any:
    """Return a number of rows without end."""
    return BigInteger().with_variant(Integer(), "sqlite")  # only that one counts by itself there


def decimal() -> Any:
    """Return a number with 15 digits."""
    return Float().with_variant(DOUBLE(), "mysql")


def long_text() -> Any:
    """Return a text of up to 16 MiB: a whole mail, a whole event."""
    return Text().with_variant(MEDIUMTEXT(), "mysql")


def raw_bytes() -> Any:
    """Return bytes of up to 16 MiB, whatever they hold."""
    return LargeBinary().with_variant(MEDIUMBLOB(), "mysql")
