"""What MQTT messages mean: topics with placeholders, and paths into their JSON. Pure.

```yaml
readings:
  - topic: sites/+/units/{unit_id}/readings   # the body is a reading: see docs/how-to/readings.md
  - topic: gateways/{gateway}/up
    unit_id: device.name                       # where the topic does not say it
    measured_at: rx.time                       # ISO, seconds or milliseconds; else on arrival
    measures: object                           # an object with the sensors; else the whole body
  - topic: loggers/{unit_id}
    sensors: {temperature_c: "values[0].v", Pression_BP: "values[1].v"}
  - topic: shelly/{unit_id}/{sensor}           # one number a message
links:
  - topic: sites/+/units/{unit_id}/status
    down: [offline]
  - topic: gateways/north/status
    units: [cf-1, cf-2]                        # all that speak through it
```
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    model_validator,
)
from pydantic_core import from_json

from gateways.payloads import TIME_KEYS, UNIT_KEYS, at, first, measures_of, moment_of, reading
from schemas.errors import Rejected, reason_of
from schemas.frigo import InboundReading

SOURCE = "mqtt"
_WORD = re.compile(r"\{([a-z_]+)\}")
NAMES = frozenset({"unit_id", "sensor"})


def _topic(topic: str) -> str:
    levels = topic.split("/")
    for place, level in enumerate(levels):
        last = place == len(levels) - 1
        fits = level == "+" or (level == "#" and last) or not set(level) & set("+#{}\x00")
        if not fits and not _WORD.fullmatch(level):
            msg = f"{level!r} is no level of a topic: a word, {{unit_id}}, +, or # at the end"
            raise ValueError(msg)
    return topic


Topic = Annotated[str, StringConstraints(min_length=1, max_length=500), AfterValidator(_topic)]
Path_ = Annotated[str, StringConstraints(max_length=200)]


class _Rule(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    topic: Topic

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """What a topic looks like; its named levels are groups."""
        parts, names = [], set[str]()
        for level in self.topic.split("/"):
            word = _WORD.fullmatch(level)
            if word and word[1] not in names:
                names.add(word[1])
                parts.append(f"(?P<{word[1]}>[^/]+)")
            else:
                parts.append({"+": "[^/]*", "#": ".*"}.get(level, re.escape(level)))
        return re.compile("/".join(parts), re.DOTALL)

    @property
    def subscription(self) -> str:
        """The topic as MQTT subscribes to it."""
        return _WORD.sub("+", self.topic)

    @property
    def words(self) -> set[str]:
        """The names of its levels."""
        return set(_WORD.findall(self.topic))


class ReadingRule(_Rule):
    """Messages that are readings; paths are like `device.id` or `values[0].v`."""

    unit_id: Path_ = ""
    measured_at: Path_ = ""
    measures: Path_ = ""
    sensors: dict[Annotated[str, StringConstraints(min_length=1, max_length=80)], Path_] = Field(
        default_factory=dict, max_length=200
    )

    def read(self, names: dict[str, str], payload: bytes, now: datetime) -> InboundReading:
        """Return the reading of a message; `names`: the named levels of its topic.

        Raises
        ------
        Rejected
            It is none; the reason repeats nothing of it.
        """
        try:
            body = from_json(payload)
        except ValueError:
            msg = "no JSON"
            raise Rejected(msg) from None
        single = "sensor" in names and not isinstance(body, dict)
        if not isinstance(body, dict) and not single:
            msg = "no JSON object"
            raise Rejected(msg)
        measures = {names["sensor"]: body} if single else self._measures(body)
        asked = at(body, self.unit_id) if self.unit_id else None
        unit_id = asked or names.get("unit_id") or (None if single else first(body, UNIT_KEYS))
        try:
            found = reading(unit_id, measures, self._moment(body, now), SOURCE)
            found.model_dump_json()  # what cannot be written in UTF-8 is refused here
        except ValidationError as error:
            raise Rejected(reason_of(error)) from None
        except ValueError as error:
            raise Rejected(str(error)[:200]) from None
        if not found.measures:
            msg = "no sensors in it"
            raise Rejected(msg)
        return found

    def _measures(self, body: dict[str, Any]) -> dict[str, Any]:
        if self.sensors:
            found = {name: at(body, path) for name, path in self.sensors.items()}
            return {name: value for name, value in found.items() if value is not None}
        nest = at(body, self.measures) if self.measures else body
        return measures_of(nest) if isinstance(nest, dict) else {}

    def _moment(self, body: Any, now: datetime) -> datetime:
        if self.measured_at:
            said = at(body, self.measured_at)
        else:
            said = first(body, TIME_KEYS) if isinstance(body, dict) else None
        return now if said is None else moment_of(said)


class LinkRule(_Rule):
    """Messages by which those who publish say that they are there; a last will says the other."""

    up: tuple[str, ...] = ("online", "up", "1", "true", "connected")
    down: tuple[str, ...] = ("offline", "down", "0", "false", "disconnected", "")
    units: tuple[str, ...] = Field(default=(), max_length=1000)

    @model_validator(mode="after")
    def _check(self) -> Self:
        if bool(self.units) == ("unit_id" in self.words):
            msg = f"{self.topic}: a link has either {{unit_id}} in its topic, or a list of units"
            raise ValueError(msg)
        return self

    def read(self, names: dict[str, str], payload: bytes, now: datetime) -> list[InboundReading]:
        """Return what a message says of the link of each unit. Raises as `ReadingRule.read`."""
        said = payload.decode("utf-8", "replace").strip().strip('"').lower()
        if said not in {*self.up, *self.down}:
            msg = "neither up nor down"
            raise Rejected(msg)
        link = "down" if said in self.down else "up"
        units: Iterable[str] = self.units or (names["unit_id"],)
        try:
            return [reading(unit, {}, now, f"{SOURCE} status", link=link) for unit in units]
        except ValidationError as error:
            raise Rejected(reason_of(error)) from None


class Rules(BaseModel):
    """All of them; the first whose topic fits is asked."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    readings: tuple[ReadingRule, ...] = Field(min_length=1, max_length=200)
    links: tuple[LinkRule, ...] = Field(default=(), max_length=200)

    @classmethod
    def simple(cls, topic: str, status_topic: str) -> Self:
        """Return rules for readings at a topic, and statuses at another, if any."""
        links = [{"topic": status_topic}] if status_topic else []
        return cls.model_validate({"readings": [{"topic": topic}], "links": links})

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return the rules of a file.

        Raises
        ------
        ValueError
            It is no YAML, or holds no rules; the sentence names each field that is wrong.
        """
        try:
            return cls.model_validate(yaml.safe_load(path.read_text("utf-8")))
        except ValidationError as error:
            msg = f"{path}: {reason_of(error)}"
        except (OSError, ValueError, yaml.YAMLError) as error:
            msg = f"{path}: {' '.join(str(error).split())[:300]}"
        raise ValueError(msg)

    @property
    def subscriptions(self) -> tuple[str, ...]:
        """The topics to subscribe to, each once."""
        return tuple(dict.fromkeys(rule.subscription for rule in (*self.links, *self.readings)))

    def read(self, topic: str, payload: bytes, now: datetime) -> list[InboundReading]:
        """Return what a message says.

        Raises
        ------
        Rejected
            No rule is for its topic, or it is not what the rule expects.
        """
        for link in self.links:
            if found := link.pattern.fullmatch(topic):
                return link.read(found.groupdict(), payload, now)
        for rule in self.readings:
            if found := rule.pattern.fullmatch(topic):
                return [rule.read(found.groupdict(), payload, now.astimezone(UTC))]
        msg = "no rule for its topic"
        raise Rejected(msg)
