"""From the reading with which an on-delay is over, to the call of the Telegram server.

All stages in a process of their own, with the Telegram server of the tests in this one. The
readings before have come already, warm for as long as the on-delay asks but a moment; time counts
from when the last one was due.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

from benchmarks.brokers import Broker
from benchmarks.desk import NAMES, desk, new_group
from benchmarks.figures import Figure
from benchmarks.places import Place
from benchmarks.plant import declare, lay, letter
from refrigeration.profile import Masks, Profile
from schemas.readings import InboundReading, ReadingReceived
from services.record import RECORDED
from tests.vendors.telegram import TOKEN, Telegram, serving

NAME = "readings"
ALARMS, A_SECOND = 60, 4.0
DELAY_MIN = 2
GOOD_C, BAD_C, HIGH_C = 3.0, 9.0, 6.0
FLOOR_S = 2.0
WAIT_S = 60.0
FIRST_CHAT = 1_001
READINGS = (InboundReading.topic, ReadingReceived.topic)


async def measure(place: Place) -> list[Figure]:
    """Measure in a place; the units have nothing to do with one another."""
    run = uuid4().hex[:6]
    profiles = [_profile(f"{run}-{number}", number) for number in range(ALARMS)]
    telegram = Telegram()
    with place.record() as url, TemporaryDirectory() as folder:
        declare(url, profiles)
        roster = Path(folder) / "roster.yaml"
        roster.write_text(json.dumps({"people": _people()}), "utf-8")
        async with serving(telegram) as server:
            env = {
                "ASTREINTE_TELEGRAM_TOKEN": TOKEN,
                "ASTREINTE_TELEGRAM_URL": server,
                "ASTREINTE_ROSTER_FILE": str(roster),
            }
            due = await _played(place, url, env, profiles, telegram)
    took = sorted(at - due[chat] for chat, at in _calls(telegram).items())
    if len(took) < ALARMS:
        msg = f"{len(took)} of {ALARMS} alarms were told within {WAIT_S:g} s"
        raise RuntimeError(msg)
    ranks = statistics.quantiles(took, n=20)
    what = "limit broken to Telegram called, after the on-delay"
    beside = f"{ALARMS} alarms, {A_SECOND:g} a second; longest {took[-1]:.2f} s"
    return [
        Figure(NAME, place.name, f"{what}: p50", ranks[9], "s"),
        Figure(
            NAME, place.name, f"{what}: p95", ranks[18], "s", FLOOR_S, at_most=True, beside=beside
        ),
    ]


def _profile(unit_id: str, number: int) -> Profile:
    return Profile(
        unit_id=unit_id,
        name=f"Chambre {number}",
        site=f"site {unit_id}",
        high_c=HIGH_C,
        set_point_c=GOOD_C,
        masks=Masks(tAO=DELAY_MIN, PAO=0),
        on_call=(f"Astreinte {number}",),
    )


def _people() -> list[dict[str, object]]:
    return [
        {"name": f"Astreinte {number}", "channels": {"telegram": FIRST_CHAT + number}}
        for number in range(ALARMS)
    ]


def _calls(telegram: Telegram) -> dict[int, float]:
    """Return when each chat was first written to, on the monotonic clock."""
    found: dict[int, float] = {}
    for at, method, form in telegram.calls:
        if method == "sendMessage":
            found.setdefault(int(form["chat_id"]), at)
    return found


async def _played(
    place: Place, url: str, env: dict[str, str], profiles: Sequence[Profile], telegram: Telegram
) -> dict[int, float]:
    """Have each unit warm up; return when each alarm was due, by chat."""
    given = Broker(place.kafka, embedded=False) if place.kafka else None
    group = new_group()
    if given:
        ends = await given.ends(*RECORDED, *READINGS)  # others may have measured there before
        for name in NAMES:
            await given.place(f"{group}.{name}", ends)
    async with desk(url, given, group, env=env) as process:
        broker = given or Broker((await process.line())["address"], embedded=True)
        if given:
            await process.line()
        await lay(broker, [letter(each) for profile in profiles for each in _before(profile)])
        due = await _warm(broker, profiles)
        until = time.monotonic() + WAIT_S
        while len(_calls(telegram)) < ALARMS and time.monotonic() < until:  # noqa: ASYNC110
            await asyncio.sleep(0.1)
        await process.stop()
    return due


def _reading(profile: Profile, at: datetime, celsius: float) -> InboundReading:
    body = {"unit_id": profile.unit_id, "measured_at": at, "measures": {"temperature_c": celsius}}
    return InboundReading.model_validate(body)


def _before(profile: Profile) -> list[InboundReading]:
    """Return the readings until now: good ones, then warm ones; the on-delay is nearly over."""
    now = datetime.now(UTC)
    broken = timedelta(minutes=DELAY_MIN) - timedelta(seconds=1)
    return [
        _reading(profile, now - timedelta(seconds=back), celsius)
        for back, celsius in (
            *((broken.total_seconds() + more, GOOD_C) for more in (180, 120, 60)),
            *((back, BAD_C) for back in (broken.total_seconds(), 60, 30)),
        )
    ]


async def _warm(broker: Broker, profiles: Sequence[Profile]) -> dict[int, float]:
    """Publish the readings with which the on-delays are over, at an even pace."""
    await asyncio.sleep(3.0)
    began = time.monotonic()
    due: dict[int, float] = {}
    async with broker.producer() as producer:
        for number, profile in enumerate(profiles):
            due[FIRST_CHAT + number] = moment = began + number / A_SECOND
            await asyncio.sleep(max(0.0, moment - time.monotonic()))
            key, body, headers = letter(_reading(profile, datetime.now(UTC), BAD_C))
            await producer.send(InboundReading.topic, body, key=key, headers=headers)
        await producer.flush()
    return due
