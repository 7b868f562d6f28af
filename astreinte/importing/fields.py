"""Columns of foreign rows, read for what they may hold."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from astreinte.columns import Unusable, moment_of
from schemas.printer import EMAIL, PHONE
from schemas.vocabulary import Channel
from services.addresses import spelling

MAX_REFERENCE = 255
"""As the contract of inbound messages takes it."""

Values = Mapping[str, Any]


def text(values: Values, *names: str) -> str:
    """Return the first of these columns that is filled, on its edges clean; else nothing."""
    for name in names:
        value = values.get(name)
        if isinstance(value, dict | list):
            value = json.dumps(value, ensure_ascii=False)
        # Neither a database nor JSON takes a NUL, or half of a pair of surrogates.
        found = "" if value is None else str(value).encode("utf-8", "replace").decode()
        if found := found.replace("\x00", "").strip():
            return found
    return ""


def whole(value: Any) -> Any:
    """Return what a JSON column holds, be it read already, a text of JSON, or only a text."""
    if isinstance(value, str):
        try:
            return json.loads(value, parse_constant=lambda _: None)
        except (ValueError, RecursionError):
            return text({"value": value}, "value")
    return value


def words(values: Values, *names: str) -> list[str]:
    """Return the texts of a list: of JSON, or one a line."""
    for name in names:
        found = whole(values.get(name))
        if isinstance(found, str):
            found = found.splitlines()
        if isinstance(found, list) and found:
            return [told for each in found if (told := text({"each": each}, "each"))]
    return []


def moment(values: Values, *names: str) -> datetime | None:
    """Return the first of these columns that is a date and time of this century."""
    for name in names:
        try:
            found = moment_of(text(values, name))
        except (Unusable, OverflowError, OSError):
            continue
        if 2000 <= found.year < 2100:  # noqa: PLR2004 - as the contract
            return found
    return None


def day(values: Values, name: str) -> date | None:
    """Return a column that is a date."""
    try:
        return date.fromisoformat(text(values, name)[:10])
    except ValueError:
        return None


def truth(values: Values, name: str, *, otherwise: bool) -> bool:
    """Return a column that is true or false."""
    told = text(values, name).lower()
    return told not in {"0", "false", "no", "non"} if told else otherwise


def rest(values: Values, known: Iterable[str]) -> dict[str, Any]:
    """Return what else a row says, and we have no column for."""
    names = [name for name in values if name not in set(known)]
    return {name: _clean(whole(values[name])) for name in names if text(values, name)}


def _clean(value: Any) -> Any:
    """Return a value that JSON in a database takes."""
    match value:
        case str():
            return text({"value": value}, "value")
        case list():
            return [_clean(each) for each in value]
        case dict():
            return {text({"name": name}, "name"): _clean(each) for name, each in value.items()}
        case float() if not math.isfinite(value):
            return None
    return value


def reference(origin: str, name: str) -> str:
    """Return the address of a customer who is known by a number of the export."""
    return f"ref:{origin}/{name}"[: MAX_REFERENCE + len("ref:")]


def addresses(*told: str) -> tuple[str, ...]:
    """Return the addresses and numbers among these texts, each in its one spelling."""
    found = []
    for one in told:
        bare = one.rpartition("<")[2].rstrip("> ")
        if EMAIL.fullmatch(bare) and len(bare) <= 320:  # noqa: PLR2004 - RFC 5321, as the contract
            found.append(spelling(Channel.EMAIL, bare))
        elif PHONE.fullmatch(bare):
            found.append(spelling(Channel.SMS, bare))
    return tuple(dict.fromkeys(found))
