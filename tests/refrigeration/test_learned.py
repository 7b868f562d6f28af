"""A unit's own normal: learned from good days, kept in its profile, and what diagnosis counts from."""

from __future__ import annotations

import json

import numpy as np
import pytest

from refrigeration.diagnosis import Diagnoser
from refrigeration.history import History
from refrigeration.normal import learn
from refrigeration.profile import Profile
from refrigeration.replay import summaries
from refrigeration.window import Window
from simulation.rooms import history

Learned = tuple[Profile, Profile, Window]


@pytest.fixture(scope="module")
def learned() -> Learned:
    """The profile of a sound unit, the same after two days, and its window a day later."""
    days = history(21, 3, kind="positive_room", every_sensor=True)
    names = tuple(days.columns)
    rows = History(days.times, names, np.column_stack([days.columns[name] for name in names]))
    two_days = len(rows) * 2 // 3
    body = learn(days.profile, summaries(days.profile, rows, two_days))
    window = Window()
    for place in range(two_days, len(rows)):
        reading = rows.values[place]
        values = {n: float(v) for n, v in zip(names, reading, strict=True) if not np.isnan(v)}
        window.add(days.profile, rows.at[place], values)
    return days.profile, days.profile.model_copy(update={"learned": body}), window


def test_a_sound_unit_is_less_suspect_by_its_own_normal_than_by_that_of_others(learned: Learned):
    before, after, window = learned
    diagnoser = Diagnoser.shipped()
    assert diagnoser.diagnose(after, window).score < diagnoser.diagnose(before, window).score


def test_what_was_learned_is_small_and_travels_as_json(learned: Learned):
    _, after, _ = learned
    body = after.model_dump_json()
    assert len(json.dumps(after.learned)) < 10_000
    assert Profile.model_validate_json(body) == after


def test_what_was_learned_anew_counts_at_once(learned: Learned):
    _, after, window = learned
    diagnoser = Diagnoser.shipped()
    first = diagnoser.diagnose(after, window).score
    assert diagnoser.diagnose(after.model_copy(update={"learned": {}}), window).score != first
    assert diagnoser.diagnose(after, window).score == first
