"""From what people have, files, folders or a database, to the rows of tables."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from astreinte.columns import Unusable, speaks
from astreinte.formats import lists_in, mails_in, reader_of
from astreinte.importing.rows import Read, Remark, Row, Skip
from astreinte.importing.tables import TABLES, WORKINGS, key_of, origin_of
from astreinte.mailbox import Broken
from astreinte.mailbox import read as read_mail
from astreinte.texts import UnreadableFile, check_size, open_text
from schemas.vocabulary import Channel
from storage.elsewhere import tables_of

LISTS = {".json", ".jsonl", ".ndjson", ".csv", ".tsv"}
MAILS = {".eml", ".mbox"}
MAX_LINE = 64 * 2**20
SQL = re.compile(rb"\s*(--|/\*|INSERT\s|CREATE\s|SET\s|DROP\s|USE\s)", re.IGNORECASE)
PACKED = (b"\x1f\x8b", b"PK\x03\x04", b"BZh", b"\xfd7zXZ\x00", b"\x28\xb5\x2f\xfd")
CP1252 = "not UTF-8 throughout: read as Windows-1252 where it is not"


def read(source: str) -> Iterator[Read]:
    """Read one path or the URL of an old database; what cannot be read is said, never raised.

    Raises
    ------
    WrongDatabase
        The URL names a database that cannot be read.
    """
    if "://" in source:
        for table, number, values in tables_of(source, TABLES.keys() | WORKINGS):
            yield Row(table, f"{table} row {number}", values, origin_of(table, values, ""))
        return
    path = Path(source)
    files = sorted(p for p in path.iterdir() if p.is_file()) if path.is_dir() else [path]
    wanted = [p for p in files if p.suffix.lower() in {".sql", ".mbox", *LISTS}]
    for file in wanted if path.is_dir() else files:
        yield from _safely(file)
    if path.is_dir() and (mails_in(path) or not wanted):
        yield from _safely(path)


def _safely(path: Path) -> Iterator[Read]:
    reason = ""
    try:
        for each in _file(path):
            if isinstance(each, Remark):
                yield Remark(f"{path.name}: {each.text}")
            elif isinstance(each, Skip):
                yield replace(each, place=f"{path.name} {each.place}")
            else:
                origin = origin_of(each.table, each.values, path.stem)
                yield replace(each, place=f"{path.name} {each.place}", origin=origin)
    except UnreadableFile as error:
        reason = str(error)
    except UnicodeError:
        reason = "no text in UTF-8, UTF-16 or Windows-1252"
    except OSError as error:
        reason = f"it cannot be read: {error.strerror or type(error).__name__}"
    if reason:
        yield Skip("", path.name or str(path), reason)


def _file(path: Path) -> Iterator[Read]:
    if path.is_dir():
        yield from _mail(path)
        return
    check_size(path)
    suffix = path.suffix.lower()
    with path.open("rb") as stream:
        head = stream.read(65_536).removeprefix(codecs.BOM_UTF8)
    if head.startswith(PACKED):
        msg = "it is packed: unpack it first"
        raise UnreadableFile(msg)
    is_text = suffix not in MAILS
    if (
        is_text
        and b"\x00" in head
        and not head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    ):
        msg = "it is no text"
        raise UnreadableFile(msg)
    if is_text and not _is_utf8(path):
        yield Remark(CP1252)
    if suffix == ".sql" or (suffix not in LISTS | MAILS and SQL.match(head)):
        yield from _dump(path)
    elif suffix in LISTS:
        yield from _lists(path)
    else:
        yield from _mail(path)


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as stream:
        begin = stream.read(4)
        if begin.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return True
        try:
            decoder.decode(begin)
            while part := stream.read(2**20):
                decoder.decode(part)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def _dump(path: Path) -> Iterator[Read]:
    from astreinte.importing import dump  # noqa: PLC0415 - the parser is heavy

    with open_text(path) as stream:
        yield from dump.rows_of(_lines(stream))


def _lines(stream: Any) -> Iterator[str]:
    while line := stream.readline(MAX_LINE):
        if len(line) == MAX_LINE:
            msg = f"a line of more than {MAX_LINE} characters"
            raise UnreadableFile(msg)
        yield line


def _lists(path: Path) -> Iterator[Read]:
    if path.suffix.lower() == ".json":
        lists = lists_in(path)
    else:
        lists = [("", [record for _, record in reader_of(path)(path)])]
    customers = next((records for name, records in lists if name == "customers"), [])
    for name, records in lists:
        table = name.rpartition("/")[2].lower() or _table(path.stem.lower(), records)
        for number, record in enumerate(records, 1):
            place = f"{name} row {number}".strip()
            if isinstance(record, dict) or table not in TABLES:
                yield Row(table, place, _with_customer(record, customers))
            else:
                why = str(record) if isinstance(record, Unusable) else "a row is an object"
                yield Skip(table, place, why)


def _table(name: str, records: list[object]) -> str:
    """Return the table that a file is of, by its name; what customers wrote are tickets."""
    first = next((record for record in records if isinstance(record, dict)), {})
    return "tickets" if name not in TABLES and speaks(first) else name


def _with_customer(record: object, customers: list[object]) -> dict[str, Any]:
    """Name the customer whom a row counts from the start of its file's list of customers."""
    if not isinstance(record, dict):
        return {}
    place = record.get("customer_index")
    if not isinstance(place, int) or not 0 <= place < len(customers):
        return record
    customer = customers[place]
    named = {"customer_id": key_of("customers", customer)} if isinstance(customer, dict) else {}
    return record | named


def _mail(path: Path) -> Iterator[Read]:
    # A mail without a date is as old as nothing: it sorts before all others, each time alike.
    undated = datetime(2000, 1, 1, tzinfo=UTC)
    mails = read_mail(path, default_channel=Channel.CHAT, now=undated, apart=False)
    for number, item in enumerate(mails, 1):
        if isinstance(item, Broken):
            yield Skip("mail", f"record {item.number}", item.reason)
        else:
            yield Row("mail", f"record {number}", {"inbound": item.model_dump_json(by_alias=True)})
