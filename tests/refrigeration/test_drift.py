"""Drift of residuals: found and dated, not where nothing changed, kept as JSON."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime

import numpy as np

from refrigeration.drift import DAY, FOLLOWED, KEPT, Drift, parted

FIRST = datetime(2026, 3, 1, tzinfo=UTC).timestamp()


def followed(days: int, shift: float, since: int) -> Drift:
    rng = np.random.default_rng(5)
    drift = Drift()
    for part in range(days * 24):
        day = part // 24
        sigma = float(rng.normal()) + (shift if day >= since else 0.0)
        drift.take({"subcooling_k": sigma, "td_k": float(rng.normal())}, FIRST + part * DAY / 24)
    return drift


def test_a_charge_that_goes_is_dated() -> None:
    found = followed(25, -6.0, 14).found()
    assert found is not None
    assert found.feature == "subcooling_k"
    assert abs(found.since - (FIRST + 14 * DAY)) <= DAY
    assert found.now < -5
    assert abs(found.before) < 1


def test_nothing_is_dated_where_nothing_changed() -> None:
    assert followed(25, 0.0, 0).found() is None
    noise = np.random.default_rng(1).normal(size=(400, KEPT))
    assert sum(parted(row.tolist()) is not None for row in noise) <= 2


def test_what_came_back_to_normal_is_no_drift() -> None:
    assert parted([-4.0] * 12 + [0.0] * 12) is None


def test_days_without_a_window_are_no_days() -> None:
    drift = followed(22, -6.0, 10)
    drift.take({}, FIRST + 26 * DAY)
    assert drift.found() is not None
    assert sum(map(math.isnan, drift.means[:: len(FOLLOWED)])) == 4
    drift.take({}, FIRST + 400 * DAY)
    assert drift.found() is None


def test_it_goes_through_json_and_is_small() -> None:
    drift = followed(40, -6.0, 25)
    body = json.dumps(drift.body())
    assert len(body) < 1_100
    again = Drift.of(json.loads(body))
    assert again.found() == drift.found()
    assert again.body() == drift.body()
    assert Drift.of({}).body() == {}
