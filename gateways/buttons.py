"""The buttons under an alarm: what they say, and the 64 bytes that come back when one is pressed.

`ack:ID`, `shelve:ID`, `was:ID` (shows the causes), `was:ID:FAULT`, `was:ID:-` (nothing was wrong),
`back:ID`; ID is the episode's UUID as 22 characters of base64.
"""

from __future__ import annotations

import base64
import binascii
from typing import NamedTuple
from uuid import UUID

from schemas.vocabulary import Fault, Language

NOTHING = "-"
"""In the place of a fault: it was a false alarm."""
SHELVE_H = 1
SYMPTOMS = frozenset(
    {
        Fault.HIGH_PRESSURE,
        Fault.LOW_PRESSURE,
        Fault.HIGH_TEMPERATURE,
        Fault.LOW_TEMPERATURE,
        Fault.NO_DATA,
        Fault.COMMS,
        Fault.DETECTOR_DOWN,
        Fault.UNKNOWN,
    }
)
"""What nobody answers to the question what it was."""
CAUSES = tuple(fault for fault in Fault if fault not in SYMPTOMS)
ACTIONS = frozenset({"ack", "shelve", "was", "back"})

Rows = list[list[tuple[str, str]]]
"""Rows of buttons: label and data."""

_WORDS = {
    Language.FR: ("✅ Je m'en occupe", "💤 Silence 1 h", "🔧 C'était…"),
    Language.EN: ("✅ I take it", "💤 Silence 1 h", "🔧 It was…"),
}
_MORE = {
    Language.FR: ("Autre cause", "Fausse alerte", "← Retour"),
    Language.EN: ("Another cause", "False alarm", "← Back"),
}


class Press(NamedTuple):
    """A button that was pressed; `fault`: of `was`, a `Fault`, `NOTHING`, or not chosen yet."""

    action: str
    episode_id: str
    fault: str = ""


def short_of(episode_id: str) -> str:
    """Return a UUID as 22 characters.

    Raises
    ------
    ValueError
        It is none.
    """
    return base64.urlsafe_b64encode(UUID(episode_id).bytes).rstrip(b"=").decode()


def read_press(data: str) -> Press:
    """Return what a button means.

    Raises
    ------
    ValueError
        It is none of ours.
    """
    action, _, rest = data.partition(":")
    short, _, fault = rest.partition(":")
    try:
        whole = base64.b64decode(short + "==", altchars=b"-_", validate=True)
        episode_id = str(UUID(bytes=whole))
    except (binascii.Error, ValueError):
        episode_id = ""
    known = not fault or (action == "was" and fault in {*Fault, NOTHING})
    if action not in ACTIONS or not episode_id or not known:
        msg = "no button of ours"
        raise ValueError(msg)
    return Press(action, episode_id, fault)


def first_row(episode_id: str, language: Language, *, acknowledged: bool = False) -> Rows:
    """Return the buttons under an open alarm."""
    short = short_of(episode_id)
    take, shelve, was = _WORDS[language]
    row = [(take, f"ack:{short}"), (shelve, f"shelve:{short}"), (was, f"was:{short}")]
    return [row[acknowledged:]]


def causes(episode_id: str, language: Language) -> Rows:
    """Return the buttons that ask what it was, two in a row."""
    short = short_of(episode_id)
    other, nothing, back = _MORE[language]
    found = [(fault.label(language), f"was:{short}:{fault}") for fault in CAUSES]
    found += [(other, f"was:{short}:{Fault.UNKNOWN}"), (nothing, f"was:{short}:{NOTHING}")]
    rows = [found[place : place + 2] for place in range(0, len(found), 2)]
    return [*rows, [(back, f"back:{short}")]]
