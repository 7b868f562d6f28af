"""When automatic replies of a channel may leave: quiet hours and holidays. Pure."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from services.settings_policy import PolicySettings, holidays_of, hours_of

MAX_DAYS = 30
"""Of waiting: no country has more holidays in a row."""


@dataclass(frozen=True)
class Quiet:
    """The quiet hours of each channel, by the clock of `zone`; its holidays are quiet all day.

    A channel that has no quiet hours has no holidays either: its replies leave at once.
    """

    hours: Mapping[str, tuple[time, time]]
    zone: ZoneInfo
    holidays: Container[date] = field(default=frozenset())

    def may_leave(self, channel: str, now: datetime) -> datetime:
        """Return the first moment, `now` at the earliest, at which a reply may leave."""
        if channel not in self.hours:
            return now
        start, end = self.hours[channel]
        here = now.astimezone(self.zone)
        for days in range(MAX_DAYS):
            day = here.date() + timedelta(days=days)
            if day in self.holidays:
                continue
            at = here if not days else self._at(day, time(0))
            if not _within(at.time(), start, end):
                return max(now, at.astimezone(UTC))
            morning = self._at(day, end)
            if morning > at:
                return max(now, morning.astimezone(UTC))
        return now  # a calendar without a working day is a mistake: no reply waits for ever

    def _at(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, self.zone)


def _within(clock: time, start: time, end: time) -> bool:
    if start <= end:
        return start <= clock < end
    return clock >= start or clock < end


def quiet_of(settings: PolicySettings) -> Quiet:
    """Return what the settings say."""
    return Quiet(
        hours_of(settings.quiet), ZoneInfo(settings.time_zone), holidays_of(settings.holidays)
    )
