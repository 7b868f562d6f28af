"""Detectors of histories: with labels by conditions, without labels, and neither looks ahead."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from refrigeration import unlabelled
from refrigeration.history import History, starts, trailing, unsteady, usual_difference
from refrigeration.replay import by_training, by_wandering
from refrigeration.residuals import Polynomial, find_drivers
from refrigeration.training import grouped
from tests.refrigeration.chillers import FAULTS, NAMES, joined, run

STATES = ("normal", "less_condenser_water", "non_condensables", "overcharge")
HELD = tuple(f"c{number}" for number in (2, 10, 13, 21, 25))


@pytest.fixture(scope="module")
def chiller() -> tuple[History, History]:
    whole = joined(*(run(1, state, rows=40, level=1.5) for state in STATES))
    held = np.isin(np.array(whole.groups), HELD)
    return whole.rows(~held), whole.rows(held)


@pytest.fixture(scope="module")
def trained(chiller):
    taught, shown = chiller
    return by_training(
        taught, replace(shown, labels=(), groups=()), 0.05, ("TEO", "TCI", "TEI"), window_s=120
    )


def test_conditions_that_were_never_seen_are_told_apart(chiller, trained) -> None:
    labels = np.array(chiller[1].labels)
    found, _ = trained
    strong = np.isin(labels, ("less_condenser_water", "non_condensables"))
    assert found.is_fault[strong].mean() > 0.8
    assert found.is_fault[labels == "normal"].mean() < 0.2
    causes = np.array(found.cause)
    assert (causes[strong & found.is_fault] == labels[strong & found.is_fault]).mean() > 0.9
    assert found.probabilities.sum(axis=1) == pytest.approx(np.ones(len(labels)))


def test_what_is_said_of_a_row_needs_no_later_row(chiller, trained) -> None:
    shown = replace(chiller[1], labels=(), groups=())
    whole, model = trained
    part = model.results(shown.rows(np.arange(len(shown) // 2)))
    assert part.score == pytest.approx(whole.score[: len(part.score)])
    assert part.cause == whole.cause[: len(part.cause)]


def test_rows_in_no_order_stand_alone(chiller) -> None:
    taught, shown = chiller
    mixed = np.random.default_rng(1).permutation(len(taught))[::3]
    other = np.random.default_rng(2).permutation(len(shown))
    at = 10.0 * np.arange(len(taught))  # no times were told: rows are counted
    found, model = by_training(
        replace(taught.rows(mixed), at=at[: len(mixed)]),
        replace(shown.rows(other), at=at[: len(shown)], labels=(), groups=()),
        0.05,
        ("TEO", "TCI", "TEI"),
    )
    labels = np.array(shown.labels)[other]
    assert model.rows == 1
    strong = np.isin(labels, ("less_condenser_water", "non_condensables"))
    assert found.is_fault[labels == "normal"].mean() < 0.25
    assert found.is_fault[strong].mean() > 0.8


def test_the_drivers_are_found_among_unknown_names(chiller) -> None:
    taught, _ = chiller
    labels = np.array([STATES.index(label) for label in taught.labels])
    sets = find_drivers(taught.values, labels, grouped(taught))
    found = {NAMES[place] for place in sets[-1]}
    assert found & {"TCI"}
    assert not found & {"FWC", "TCA", "TRC_sub"}


def test_a_polynomial_takes_away_what_the_drivers_explain() -> None:
    drawn = np.random.default_rng(1).normal(size=(400, 2))
    told = 2 + drawn[:, 0] - 0.5 * drawn[:, 1] + 0.3 * drawn[:, 0] * drawn[:, 1]
    table = np.column_stack([drawn, told])
    left = Polynomial((0, 1), table[:300]).residuals(table[300:])
    assert np.abs(left[:, 2]).max() < 0.05


def test_labels_without_a_normal_row_are_refused(chiller) -> None:
    taught, shown = chiller
    faulty = taught.rows(np.array(taught.labels) != "normal")
    with pytest.raises(ValueError, match="normal"):
        by_training(faulty, shown, 0.01)
    with pytest.raises(ValueError, match="nosuch"):
        by_training(taught, shown, 0.01, ("nosuch",))


def test_only_normal_labels_still_show_what_departs(chiller) -> None:
    taught, shown = chiller
    found, model = by_training(taught.rows(np.array(taught.labels) == "normal"), shown, 0.01)
    assert model is None
    labels = np.array(shown.labels)
    strange, usual = labels == "less_condenser_water", labels == "normal"
    assert np.median(found.score[strange]) > np.median(found.score[usual])


def wandering(count: int = 1200) -> np.ndarray:
    rng = np.random.default_rng(3)
    noise = rng.normal(size=(count, 4))
    noise[:, 3] = np.cumsum(rng.normal(size=count)) * 0.2  # warms up as it likes
    return noise + 10


def test_a_step_is_found_and_a_sensor_that_wanders_is_not() -> None:
    values = wandering()
    values[800:1000, 0] += 4
    found = by_wandering(History(np.arange(1200.0), ("a", "b", "c", "d"), values), 400)
    assert found.is_fault[812:1000].mean() > 0.9
    # the limit is a sensitive one (SKAB: 16 % false alarms for 21 % missed)
    assert found.is_fault[400:800].mean() < 0.3
    assert found.is_fault[1030:].mean() < 0.3
    assert np.median(found.score[812:1000]) > 3 * np.median(found.score[400:800])


def test_without_labels_nothing_looks_ahead_either() -> None:
    values = wandering()
    values[800:, 1] -= 5
    whole = by_wandering(History(np.arange(1200.0), ("a", "b", "c", "d"), values), 400)
    part = by_wandering(History(np.arange(700.0), ("a", "b", "c", "d"), values[:700]), 400)
    assert part.score == pytest.approx(whole.score[:700])


def test_too_few_or_dead_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="too few"):
        unlabelled.fit(np.ones((10, 2)), np.zeros(10, np.int64))
    with pytest.raises(ValueError, match="moves"):
        unlabelled.fit(np.ones((100, 2)), np.zeros(100, np.int64))


def test_a_gap_a_unit_and_a_jump_begin_a_run_anew() -> None:
    at = np.array([0.0, 10, 20, 900, 910, 5, 15])
    values = np.random.default_rng(1).normal(size=(7, 6))
    history = History(at, tuple("abcdef"), values, units=("x",) * 6 + ("y",))
    first = starts(history, usual_difference(values), 10.0)
    assert first.tolist() == [0, 0, 0, 3, 3, 5, 6]
    means = trailing(values, first, 2)
    assert means[3] == pytest.approx(values[3])
    assert means[4] == pytest.approx(values[3:5].mean(axis=0))
    assert np.isinf(unsteady(values, first, 4, np.ones(6))[3])


@pytest.mark.filterwarnings("error")
def test_a_stretch_without_any_value_is_steady_and_says_nothing() -> None:
    values = np.random.default_rng(1).normal(size=(60, 3))
    values[20:45] = np.nan
    found = unsteady(values, np.zeros(60, np.int64), 6, np.ones(3))
    assert np.isfinite(found[1:]).all()
    assert found[40] == 0


def test_missing_values_are_no_numbers() -> None:
    values = wandering()
    values[500:520] = np.nan
    values[:, 2][::3] = np.nan
    found = by_wandering(History(np.arange(1200.0), ("a", "b", "c", "d"), values), 400)
    assert np.isfinite(found.score).all()
    assert len(FAULTS) == 7
