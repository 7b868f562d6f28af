"""What somebody passes on is searched; what they only quote is not."""

from __future__ import annotations

import pytest

from knowledge.extraction.traps import hide_quotes
from knowledge.extraction.words import Reading

ALERT = "Imprimante du hall : code 50.2"


def is_read(text: str) -> bool:
    reading = Reading(text)
    hide_quotes(reading)
    start = text.index(ALERT)
    return not reading.is_hidden(start, start + len(ALERT))


@pytest.mark.parametrize(
    "text",
    [
        f"TR: Alerte\nÀ voir.\n-----Message d'origine-----\nDe : hall@exemple.example\n{ALERT}",
        f"Fwd: Alert\nSee this.\nOn Monday the printer wrote:\n{ALERT}",
        f"WG: Alarm\nBitte.\n> {ALERT}",
        f"Alerte\nÀ voir\n---------- Message transféré ---------\nDe : hall\n{ALERT}",
        f"Début du message transféré :\n> {ALERT}",
    ],
)
def test_what_is_forwarded_is_searched(text: str) -> None:
    assert is_read(text)


@pytest.mark.parametrize(
    "text",
    [
        f"RE: Alerte\nMerci.\n-----Message d'origine-----\nDe : nous\n{ALERT}",
        f"Merci.\n> {ALERT}",
        f"Train en retard\nOui.\nLe lundi 3, Desk a écrit :\n{ALERT}",
    ],
)
def test_what_is_quoted_is_not_searched(text: str) -> None:
    assert not is_read(text)
