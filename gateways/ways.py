"""The ways to a person on call, as the roster names them: a door, and an address of its kind."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from schemas.printer import EMAIL

NUMBER = re.compile(r"\+[1-9]\d{6,14}")
ADDRESSES = {
    "telegram": re.compile(r"-?[1-9]\d{0,15}"),
    "console": re.compile(r".{1,80}"),
    "sms": NUMBER,
    "call": NUMBER,
    "mail": EMAIL,
}
"""The doors that there are, and what an address of each looks like."""
SPELLINGS = {"email": "mail"}
SHORTEST_NUMBER = 10**9
"""YAML reads +33639981201 as a number, but 0612345670 as another one: those have to be quoted."""


def addresses(given: Any) -> Any:
    """Return doors and addresses as text, without those that are `false`.

    Raises
    ------
    ValueError
        There is no such door, or that is no address of it.
    """
    if not isinstance(given, Mapping):
        return given
    found = {}
    for name, address in given.items():
        door = SPELLINGS.get(name, name)
        if door not in ADDRESSES:
            msg = f"no door {name!r}; there are: {', '.join(ADDRESSES)}"
            raise ValueError(msg)
        if address is False:
            continue
        found[door] = _number(address) if ADDRESSES[door] is NUMBER else str(address)
        if not ADDRESSES[door].fullmatch(found[door]):
            more = ' (a number is written "+33639981201")' if ADDRESSES[door] is NUMBER else ""
            msg = f"{address!r} is no address of {name}{more}"
            raise ValueError(msg)
    return found


def _number(given: Any) -> str:
    if isinstance(given, int) and given >= SHORTEST_NUMBER:
        return f"+{given}"
    return re.sub(r"[ .]", "", given) if isinstance(given, str) else ""
