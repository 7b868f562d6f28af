"""Last month's mailbox, read from a file: tickets, tables and mails become inbound messages."""

from __future__ import annotations

import codecs
import csv
import json
import re
import unicodedata
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from itertools import chain, islice
from pathlib import Path
from typing import Any, TextIO

from pydantic import ValidationError

from gateways.mail import WINDOWS_1252, fields_of
from schemas.errors import reason_of
from schemas.printer import EMAIL, PHONE, InboundMessage
from schemas.vocabulary import Channel

MAX_FILE_BYTES = 512 * 2**20
MAX_ROW_CHARACTERS = 4 * 2**20
"""Of one row of a table: room for what is refused for its length, an end for a lost quote."""
MAX_IDENTIFIER = 255
MAX_LINES_AGAIN = 1_000_000
"""Of one table: what a lost quote swallowed is read again, but a hostile file must end, too."""

ALIASES = {
    "external_id": "id ticket_id external_id message_id reference ref numero",
    "text": "text content body query message description texte contenu corps question",
    "subject": "subject objet sujet title titre",
    "channel": "channel canal source_channel",
    "customer_ref": "client_id customer_id client customer",
    "to": "to",
    "html": "html",
    "received_at": "received_at created_at date timestamp sent_at",
}
"""The columns of each field, the first that is filled wins; case, accents and `_` do not count."""
NAMES = {field: names.replace("_", "").split() for field, names in ALIASES.items()}
ADDRESSES = (
    "from sender email fromemail expediteur courriel phone telephone fromnumber numerotelephone"
).split()
CHANNELS = {
    word: channel
    for channel, words in {
        Channel.EMAIL: "email mail courriel mel",
        Channel.SMS: "sms texto text",
        Channel.CALL: "call phone telephone tel appel voice voix vocal",
        Channel.CHAT: "chat webchat livechat messagerie",
    }.items()
    for word in words.split()
}
FITTING = {Channel.EMAIL: EMAIL, Channel.SMS: PHONE, Channel.CALL: PHONE}
KINDS: dict[type, str] = {list: "a list", dict: "an object", bool: "true or false"}
DATES: tuple[Callable[[str], datetime], ...] = (
    datetime.fromisoformat,
    lambda text: datetime.strptime(text, "%d/%m/%Y"),  # noqa: DTZ007 - without zone is UTC
    lambda text: datetime.strptime(text, "%d/%m/%Y %H:%M"),  # noqa: DTZ007
    lambda text: datetime.strptime(text, "%d/%m/%Y %H:%M:%S"),  # noqa: DTZ007
)
EPOCH = re.compile(r"[0-9]{9,13}(\.[0-9]+)?")
WORD = re.compile(r"[^\W\d_][\w-]{0,19}")
POSTMARK = re.compile(rb"From .*\d\d:\d\d")
"""The line before each mail of an mbox: a sentence that starts with "From" tells no time."""
QUOTED = re.compile(rb">+From ")
FIRST_MILLISECONDS = 1e11
"""From here on an epoch counts milliseconds: as seconds it would be the year 5138."""

Records = Iterator[tuple[str, object]]
"""The name of its list, if the file has several, and the record: bytes are a mail."""


class UnreadableFile(ValueError):  # noqa: N818 - it names what is the matter
    """The file cannot be read at all."""


class _Unusable(ValueError):  # noqa: N818
    """A record that is no message; says why."""


@dataclass(frozen=True)
class Broken:
    """A record that is no message: the how-manieth of the file, from 1, and why."""

    number: int
    reason: str


def read(
    path: Path, *, default_channel: Channel, now: datetime
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

    Raises
    ------
    UnreadableFile
        At once, with a sentence for the operator.
    """
    try:
        records = _reader_of(path)(path)
        first = list(islice(records, 1))  # so that a bad file says so here
    except OSError as error:
        msg = f"the file cannot be read: {error.strerror or type(error).__name__}"
        raise UnreadableFile(msg) from None
    except UnicodeError:
        msg = "the file is no text in UTF-8, UTF-16 or Windows-1252"
        raise UnreadableFile(msg) from None
    return _items(chain(first, records), default_channel, now)


def _items(records: Records, channel: Channel, now: datetime) -> Iterator[InboundMessage | Broken]:
    positions: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    for number, (name, record) in enumerate(records, 1):
        positions[name] += 1
        item: InboundMessage | Broken
        try:
            fields = {"received_at": now} | _fields(record, channel)
            given = fields.get("external_id") or (positions[name] if name else f"row/{number}")
            own = _unique(f"{name}/{given}" if name else str(given), seen)
            if not (fields.get("sender") or fields.get("customer_ref")):
                fields["customer_ref"] = f"record:{own}"[:MAX_IDENTIFIER]
            item = InboundMessage.model_validate(fields | {"external_id": own})
        except _Unusable as error:
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


# --- from a record to fields ---------------------------------------------------------------------


def _fields(record: object, channel: Channel) -> dict[str, Any]:
    match record:
        case bytes():
            return _mail(record)
        case str():
            return {"channel": channel, "text": record}
        case dict():
            return _columns(record, channel)
        case _Unusable():
            raise record
    msg = f"a record is an object or a text, not {KINDS.get(type(record), 'a number or null')}"
    raise _Unusable(msg)


def _mail(raw: bytes) -> dict[str, Any]:
    try:
        fields = {key: value for key, value in fields_of(raw).items() if value is not None}
    except Exception as error:  # noqa: BLE001 - a mail that no parser survives is one record
        msg = f"a mail that cannot be parsed ({type(error).__name__})"
        raise _Unusable(msg) from None
    return fields | {"channel": Channel.EMAIL}


def _columns(record: Mapping[str, object], default: Channel) -> dict[str, Any]:
    filled: dict[str, object] = {}
    for name, value in record.items():
        if value is not None and not (isinstance(value, str) and not value.strip()):
            filled.setdefault(_fold(name), value)
    fields: dict[str, Any] = {
        field: _text(field, found[0])
        for field, names in NAMES.items()
        if (found := [filled[name] for name in names if name in filled])
    }
    fields["subject"] = " ".join(fields.get("subject", "").splitlines())
    fields["channel"] = _channel(fields["channel"]) if "channel" in fields else default
    if "received_at" in fields:
        fields["received_at"] = _moment(fields["received_at"])
    addresses = [_text("from", filled[name]) for name in ADDRESSES if name in filled]
    fields["sender"] = _sender(addresses, fields["channel"], known="customer_ref" in fields)
    return fields


@lru_cache(1024)
def _fold(name: str) -> str:
    plain = unicodedata.normalize("NFKD", name.lower())
    return "".join(character for character in plain if character.isalnum())


def _text(field: str, value: object) -> str:
    if type(value) in KINDS:
        msg = f"{field}: a text is needed, not {KINDS[type(value)]}"
        raise _Unusable(msg)
    return str(value) if field in {"text", "html"} else str(value).strip()


def _channel(word: str) -> Channel:
    if channel := CHANNELS.get(_fold(word)):
        return channel
    # In a shifted column it may be a customer's sentence: only a word is told.
    told = repr(word) if WORD.fullmatch(word) else f"of {len(word)} characters"
    msg = f"unknown channel {told}"
    raise _Unusable(msg)


def _moment(text: str) -> datetime:
    if EPOCH.fullmatch(text):
        count = float(text)
        return datetime.fromtimestamp(count / (1000 if count >= FIRST_MILLISECONDS else 1), UTC)
    for parse in DATES:
        try:
            moment = parse(text)
        except ValueError:
            continue
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    msg = "received_at: neither ISO 8601, dd/mm/yyyy hh:mm:ss, nor seconds since 1970"
    raise _Unusable(msg)


def _sender(addresses: list[str], channel: Channel, *, known: bool) -> str | None:
    bare = [one.rpartition("<")[2].rstrip("> ") for one in addresses]
    fits = FITTING.get(channel)
    fitting = [one for one in bare if fits is None or fits.fullmatch(one)]
    # An address that does not fit goes on if nothing else tells who writes: the contract
    # says what is wrong with it.
    return next(iter(fitting or ([] if known else bare)), None)


# --- from a file to records ----------------------------------------------------------------------


def _reader_of(path: Path) -> Callable[[Path], Records]:
    if path.is_dir():
        return _folder
    size = path.stat().st_size
    if not path.is_file() or not 0 < size <= MAX_FILE_BYTES:
        msg = f"a file of 1 to {MAX_FILE_BYTES} bytes is needed, this one has {size}"
        raise UnreadableFile(msg)
    if reader := READERS.get(path.suffix.lower()):
        return reader
    with path.open("rb") as stream:
        head = stream.read(4096).removeprefix(codecs.BOM_UTF8)
    for pattern, reader in BY_CONTENT:
        if pattern.match(head):
            return reader
    msg = f"unknown format; known are a folder of .eml, {', '.join(READERS)}"
    raise UnreadableFile(msg)


def _open(path: Path) -> TextIO:
    with path.open("rb") as stream:
        encoding = json.detect_encoding(stream.read(4))  # by its BOM or its zeros
    errors = "strict"
    if encoding.startswith("utf-8"):
        encoding, errors = "utf-8-sig", WINDOWS_1252
    with path.open(encoding=encoding, errors=errors) as stream:
        while stream.read(2**20):  # a bad byte at the end is told at the start
            pass
    return path.open(encoding=encoding, errors=errors, newline="")


def _parse(text: str) -> Any:  # noqa: ANN401 - JSON is anything
    # NaN is what pandas writes for "nothing"; Python refuses to read integers of 4300 digits.
    return json.loads(
        text,
        parse_constant=lambda _: None,
        parse_int=lambda digits: int(digits) if len(digits) < MAX_IDENTIFIER else digits,
    )


def _speaks(columns: Iterable[str]) -> bool:
    words = {*NAMES["text"], *NAMES["subject"], *NAMES["html"]}
    return any(_fold(column) in words for column in columns)


def _json(path: Path) -> Records:
    with _open(path) as stream:
        text = stream.read()
    try:
        data = _parse(text)
    except RecursionError:
        msg = "the JSON is nested too deeply"
        raise UnreadableFile(msg) from None
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and error.lineno == 2:  # noqa: PLR2004 - JSON Lines, misnamed
            yield from _json_lines(path)
            return
        msg = f"broken JSON at line {error.lineno}, column {error.colno}: {error.msg}"
        raise UnreadableFile(msg) from None
    lists = [("", data)] if isinstance(data, list) else list(_lists(data))
    if not lists and isinstance(data, dict) and _speaks(data):
        lists = [("", [data])]
    if not lists:
        msg = "the JSON has no list of messages"
        raise UnreadableFile(msg)
    for name, records in lists:
        yield from ((name if len(lists) > 1 else "", record) for record in records)


def _lists(data: object, above: str = "") -> Iterator[tuple[str, list[object]]]:
    for name, value in data.items() if isinstance(data, dict) else ():
        if isinstance(value, list) and any(isinstance(one, dict | str) for one in value):
            yield f"{above}{name}", value
        elif isinstance(value, dict) and not above:
            yield from _lists(value, f"{name}/")


def _json_lines(path: Path) -> Records:
    with _open(path) as stream:
        for line in filter(str.strip, stream):
            try:
                yield "", _parse(line)
            except json.JSONDecodeError as error:
                yield "", _Unusable(f"broken JSON at column {error.colno}: {error.msg}")
            except RecursionError:
                yield "", _Unusable("the JSON is nested too deeply")


class _Lines(Iterator[str]):
    """Lines that can be given back: a quote never closed must not swallow the rows after it."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._waiting: deque[str] = deque()
        self._budget = MAX_LINES_AGAIN
        self.taken: list[str] = []

    def __next__(self) -> str:
        line = self._waiting.popleft() if self._waiting else next(self._stream)
        self.taken.append(line)
        return line

    def give_back(self) -> None:
        """Give back all that was taken save the first line."""
        if self._budget > 0:
            self._budget -= len(self.taken)
            self._waiting.extendleft(reversed(self.taken[1:]))


def _table(path: Path) -> Records:
    csv.field_size_limit(MAX_ROW_CHARACTERS)
    with _open(path) as stream:
        head = stream.read(65_536).lstrip().split("\n")[0]
        stream.seek(0)
        lines = _Lines(stream)
        # Of the header alone: csv.Sniffer takes the commas of customers' sentences for columns.
        rows = csv.reader(lines, delimiter=max(";,\t", key=head.count), strict=True)
        names = _header(rows)
        while True:
            lines.taken.clear()
            try:
                row = next(rows)
            except StopIteration:
                return
            except csv.Error as error:
                lines.give_back()
                yield "", _Unusable(f"a broken row: {error}")
            else:
                yield from (("", _row(names, row)) for _ in row[:1])


def _header(rows: Iterator[list[str]]) -> list[str]:
    try:
        names = next((row for row in rows if row), [])
    except csv.Error as error:
        msg = f"the header row is broken: {error}"
        raise UnreadableFile(msg) from None
    if not _speaks(names):
        msg = f"no column of text in the header row; known are {ALIASES['text']}"
        raise UnreadableFile(msg)
    return names


def _row(names: list[str], row: list[str]) -> object:
    if len(row) != len(names):
        return _Unusable(f"a row of {len(row)} fields under a header of {len(names)}")
    return {name: value for name, value in reversed([*zip(names, row, strict=True)]) if value}


def _eml(path: Path) -> Records:
    yield "", path.read_bytes()


def _folder(path: Path) -> Records:
    mails = sorted(one for one in path.rglob("*") if one.suffix.lower() == ".eml" and one.is_file())
    if not mails:
        msg = "the folder has no mails (.eml)"
        raise UnreadableFile(msg)
    for one in mails:
        try:
            yield from _reader_of(one)(one)
        except (OSError, UnreadableFile) as error:
            yield "", _Unusable(f"a mail that cannot be read ({type(error).__name__})")


def _mbox(path: Path) -> Records:
    with path.open("rb") as stream:
        if not stream.readline().startswith(b"From "):
            msg = "no mbox: it does not start with 'From '"
            raise UnreadableFile(msg)
        mail: list[bytes] = []
        blank = False
        for line in stream:
            if blank and POSTMARK.match(line):
                yield "", b"".join(mail)
                mail = []
            else:
                mail.append(line[1:] if QUOTED.match(line) else line)
            blank = not line.strip()
        yield "", b"".join(mail)


READERS: dict[str, Callable[[Path], Records]] = {
    ".json": _json,
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".csv": _table,
    ".tsv": _table,
    ".eml": _eml,
    ".mbox": _mbox,
}
BY_CONTENT = (
    (re.compile(rb"From "), _mbox),
    (re.compile(rb"\s*[\[{]"), _json),
    (re.compile(rb"(?i)(return-path|received|from|date|message-id|mime-version):"), _eml),
)
