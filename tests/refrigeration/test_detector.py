"""One unit, reading by reading."""

from __future__ import annotations

import json

from refrigeration.detector import Memory, Sample, Transition, advance, due, pass_time
from refrigeration.profile import Profile
from schemas.vocabulary import Change, Fault

START = 1_700_000_000.0
PROFILE = Profile(unit_id="cf-1", name="Chambre 1", set_point_c=3, low_c=0, high_c=6)


def told(
    memory: Memory, values: dict[str, float], start: float, count: int, step: float = 60
) -> list[Transition]:
    return [
        transition
        for i in range(count)
        for transition in advance(memory, PROFILE, Sample(start + i * step, values))
    ]


def test_a_warm_room_is_an_alarm_after_its_on_delay_and_clears_by_its_differential() -> None:
    memory = Memory.of({})
    assert told(memory, {"temperature_c": 4}, START, 10) == []
    (raised,) = told(memory, {"temperature_c": 9}, START + 600, 20)
    assert (raised.change, raised.fault) == (Change.RAISED, Fault.HIGH_TEMPERATURE)
    assert (raised.since, raised.at) == (START + 600, START + 1500)
    assert raised.causes[0].contributions[0].normal == 6
    assert told(memory, {"temperature_c": 5}, START + 1800, 30) == []
    (cleared,) = told(memory, {"temperature_c": 3}, START + 3600, 10)
    assert (cleared.change, cleared.episode_id) == (Change.CLEARED, raised.episode_id)


def test_silence_is_an_alarm_and_a_reading_ends_it() -> None:
    memory = Memory.of({})
    told(memory, {"temperature_c": 4}, START, 10)
    last = START + 540
    assert pass_time(memory, PROFILE, last + 600) == ()
    when = due(memory, PROFILE)
    assert when is not None
    assert last + 600 < when < last + 601
    (raised,) = pass_time(memory, PROFILE, when)
    assert raised.fault is Fault.NO_DATA
    assert due(memory, PROFILE) is None
    (cleared,) = told(memory, {"temperature_c": 4}, when + 60, 3)
    assert (cleared.change, cleared.fault) == (Change.CLEARED, Fault.NO_DATA)


def test_a_restart_changes_nothing() -> None:
    memory = Memory.of({})
    told(memory, {"temperature_c": 9}, START, 10)
    assert memory.changed
    memory = Memory.of(json.loads(json.dumps(memory.body())))
    assert not memory.changed
    (raised,) = told(memory, {"temperature_c": 9}, START + 600, 20)
    assert (raised.since, raised.at) == (START, START + 900)
