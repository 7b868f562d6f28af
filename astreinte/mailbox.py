"""Last month's mailbox, read from a file: tickets, tables and mails become inbound messages."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import chain, islice
from pathlib import Path

from pydantic import ValidationError

from astreinte.columns import Unusable, fields_from
from astreinte.formats import Records, reader_of
from astreinte.texts import UnreadableFile
from schemas.errors import reason_of
from schemas.printer import InboundMessage
from schemas.vocabulary import Channel

__all__ = ["Broken", "UnreadableFile", "read"]

MAX_IDENTIFIER = 255


@dataclass(frozen=True)
class Broken:
    """A record that is no message: its number in the file, from 1, and why."""

    number: int
    reason: str


def read(
    path: Path, *, default_channel: Channel, now: datetime, apart: bool = True
) -> Iterator[InboundMessage | Broken]:
    """Read a mailbox: one item for each record, in order.

    Parameters
    ----------
    path
        JSON, JSON Lines, CSV, TSV, an mbox, a mail (.eml), or a folder of mails.
    default_channel
        The channel of records that name none. Mails are mails.
    now
        The time of records that tell none, with its zone.
    apart
        Two records of one id are two messages; else they are one, told twice.

    Raises
    ------
    UnreadableFile
        At once, with a sentence for the operator.
    """
    try:
        records = reader_of(path)(path)
        first = list(islice(records, 1))  # so that a bad file says so here
    except OSError as error:
        msg = f"the file cannot be read: {error.strerror or type(error).__name__}"
        raise UnreadableFile(msg) from None
    except UnicodeError:
        msg = "the file is no text in UTF-8, UTF-16 or Windows-1252"
        raise UnreadableFile(msg) from None
    return _items(chain(first, records), default_channel, now, apart=apart)


def _items(
    records: Records, channel: Channel, now: datetime, *, apart: bool
) -> Iterator[InboundMessage | Broken]:
    positions: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for number, (name, record) in enumerate(records, 1):
        positions[name] += 1
        item: InboundMessage | Broken
        try:
            fields = {"received_at": now} | fields_from(record, channel)
            given = fields.get("external_id") or (positions[name] if name else f"row/{number}")
            own = f"{name}/{given}" if name else str(given)
            own = _unique(own, seen) if apart else own
            if not (fields.get("sender") or fields.get("customer_ref")):
                fields["customer_ref"] = f"record:{own}"[:MAX_IDENTIFIER]
            item = InboundMessage.model_validate(fields | {"external_id": own})
        except Unusable as error:
            item = Broken(number, str(error))
        except ValidationError as error:
            item = Broken(number, reason_of(error))
        yield item


def _unique(name: str, seen: Counter[str]) -> str:
    while times := seen[name]:
        seen[name] += 1
        name = f"{name}#{times + 1}"
    seen[name] = 1
    return name
