"""The roster: who is told of an alarm, when, by which door. A YAML file.

```yaml
time_zone: Europe/Paris
escalation_min: [15, 30]      # not acknowledged: the second person after 15, the third after 30
renotify_min: 60              # acknowledged or not, while it goes on: said again; 0: never
people:
  - name: Léa Martin
    language: fr
    channels: {telegram: 123456789, console: true}
    hours: {mon-fri: "08:00-18:00", sat: ["09:00-12:00", "14:00-17:00"]}
  - name: Paul Durand         # no hours: at any time
    channels: {sms: "+33639981201", call: "+33639981201", email: paul@example.org}
```
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, NamedTuple, Self
from zoneinfo import ZoneInfo

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)

from gateways.ways import addresses
from schemas.errors import reason_of
from schemas.vocabulary import Language

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
JOURS = ("lun", "mar", "mer", "jeu", "ven", "sam", "dim")
DAY_MIN = 1440
_SPAN = re.compile(r"(\d\d):(\d\d)\s*-\s*(\d\d):(\d\d)")

Name = Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^[^\x00-\x1f]{1,80}$")]
Minutes = Annotated[float, Field(gt=0, le=10_080, allow_inf_nan=False)]
Hours = tuple[tuple[int, int], ...]
"""Spans of a week in minutes since Monday 0:00; one may run beyond its end."""


def _zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        msg = f"no time zone {name!r}; one is called e.g. Europe/Paris"
        raise ValueError(msg) from None
    return name


Zone = Annotated[str, AfterValidator(_zone)]


def _days(word: str) -> Iterable[int]:
    """Return the days of `mon`, `lundi`, `mon-fri`, `sam-dim`."""
    ends = []
    for end in str(word).lower().split("-"):
        short = end.strip()[:3]
        if short not in DAYS and short not in JOURS:
            msg = f"no weekday {word!r}; days are {', '.join(DAYS)}, or e.g. mon-fri"
            raise ValueError(msg)
        ends.append((DAYS if short in DAYS else JOURS).index(short))
    first, last = ends[0], ends[-1]
    return [(first + step) % 7 for step in range((last - first) % 7 + 1)]


def _span(text: object) -> tuple[int, int]:
    """Return the minutes of `08:00-18:00`; an end before its begin is on the next day."""
    if found := _SPAN.fullmatch(str(text).strip()):
        hour, minute, last_hour, last_minute = map(int, found.groups())
        begin, end = hour * 60 + minute, last_hour * 60 + last_minute
        if max(minute, last_minute) < 60 and max(begin, end) <= DAY_MIN:  # noqa: PLR2004
            return begin, end + DAY_MIN * (end <= begin)
    msg = f"hours are written 08:00-18:00, not {text!r}"
    raise ValueError(msg)


def _week(given: Any) -> Any:
    if not isinstance(given, Mapping):
        return given
    spans = []
    for days, texts in given.items():
        for text in texts if isinstance(texts, list) else [texts]:
            begin, end = _span(text)
            spans += [(day * DAY_MIN + begin, day * DAY_MIN + end) for day in _days(days)]
    return tuple(sorted(spans))


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Person(_Part):
    """Somebody who can be told. `hours`: those of duty, in `time_zone`; none: at any time."""

    name: Name
    language: Language = Language.FR
    channels: Annotated[dict[str, str], BeforeValidator(addresses)] = Field(min_length=1)
    hours: Annotated[Hours, BeforeValidator(_week)] = ()
    time_zone: Zone = "Europe/Paris"

    @model_validator(mode="before")
    @classmethod
    def _sign(cls, given: Any) -> Any:
        """Have the console say whose alarm it shows: `console: true` is met by name."""
        if not isinstance(given, dict) or not isinstance(given.get("channels"), dict):
            return given
        channels = dict(given["channels"])
        if channels.get("console") is True and isinstance(given.get("name"), str):
            channels["console"] = given["name"].strip()
        return given | {"channels": channels}

    def on_duty(self, now: datetime) -> bool:
        """Say whether `now` is within the hours, on this person's clock."""
        local = now.astimezone(ZoneInfo(self.time_zone))
        minute = local.weekday() * DAY_MIN + local.hour * 60 + local.minute
        week = 7 * DAY_MIN
        return not self.hours or any(
            begin <= minute < end or begin <= minute + week < end for begin, end in self.hours
        )


class Step(NamedTuple):
    """Whom to tell when nobody has acknowledged `after` so long since the episode began."""

    after: timedelta
    person: Person


class Roster(_Part):
    """Everybody who can be told, and how long each has before the next is."""

    time_zone: Zone = "Europe/Paris"
    escalation_min: tuple[Minutes, ...] = Field(
        default=(15.0, 30.0), max_length=20, description="when the second, third … person is told"
    )
    renotify_min: Annotated[float, Field(ge=0, le=10_080)] = Field(
        default=0.0, description="minutes after which an open episode is said again; 0: never"
    )
    people: tuple[Person, ...] = Field(min_length=1, max_length=500)

    @model_validator(mode="before")
    @classmethod
    def _share_the_zone(cls, given: Any) -> Any:
        if isinstance(given, dict) and isinstance(given.get("people"), list):
            zone = {"time_zone": given.get("time_zone", "Europe/Paris")}
            people = [zone | one if isinstance(one, dict) else one for one in given["people"]]
            return given | {"people": people}
        return given

    @model_validator(mode="after")
    def _check(self) -> Self:
        if list(self.escalation_min) != sorted(set(self.escalation_min)):
            msg = "escalation_min has to rise: each is counted from the beginning of the episode"
            raise ValueError(msg)
        names = [person.name for person in self.people]
        if double := sorted({name for name in names if names.count(name) > 1}):
            msg = f"more than one of the people is called {', '.join(double)}"
            raise ValueError(msg)
        # A group may be the address of many; a person's own chat is one person's.
        chats = [person.channels.get("telegram", "-") for person in self.people]
        if double := sorted({c for c in chats if c[0] != "-" and chats.count(c) > 1}):
            msg = f"more than one of the people has the Telegram chat {', '.join(double)}"
            raise ValueError(msg)
        return self

    @classmethod
    def read(cls, path: Path) -> Self:
        """Return the roster of a file.

        Raises
        ------
        ValueError
            It is no YAML, or no roster; the sentence names each field that is wrong.
        """
        try:
            return cls.model_validate(yaml.safe_load(path.read_text("utf-8")))
        except ValidationError as error:
            msg = f"{path}: {reason_of(error)}"
        except (OSError, ValueError, yaml.YAMLError) as error:
            msg = f"{path}: {' '.join(str(error).split())[:300]}"
        raise ValueError(msg)

    def person_at(self, door: str, address: str) -> Person | None:
        """Return who is met at an address of a door; of a group, the first who names it."""
        found = (one for one in self.people if one.channels.get(door) == address)
        return next(found, None)


def on_call(roster: Roster, names: Sequence[str], now: datetime) -> tuple[Step, ...]:
    """Return whom to tell, one after the other, until somebody acknowledges.

    Parameters
    ----------
    roster
        Everybody.
    names
        Those who look after the unit, the first first (`Profile.on_call`). None of them known:
        everybody of the roster does. An unknown name never makes an alarm silent.
    now
        With its zone. Who is off duty then comes after those on duty, instead of nobody.

    With more people than `escalation_min` has steps, those who are left are told at the last one.
    """
    by_name = {person.name: person for person in roster.people}
    named = [by_name[name] for name in dict.fromkeys(names) if name in by_name]
    moment = now.astimezone(UTC)
    # Sorting is stable: within each half the order is that of the names.
    people = sorted(named or roster.people, key=lambda person: not person.on_duty(moment))
    steps = (0.0, *roster.escalation_min)
    return tuple(
        Step(timedelta(minutes=steps[min(place, len(steps) - 1)]), person)
        for place, person in enumerate(people)
    )
