"""Who is on call, as the settings say."""

from __future__ import annotations

from gateways.roster import Person, Roster
from services.settings_frigo import RosterSettings


def roster_of(settings: RosterSettings) -> Roster:
    """Return the roster of the settings; without a file, the console stands for everybody.

    Raises
    ------
    ValueError
        The file is no roster; the text says where.
    """
    if settings.file:
        return Roster.read(settings.file)
    return Roster(people=(Person(name="Astreinte", channels={"console": "Astreinte"}),))
