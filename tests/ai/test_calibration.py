"""What a confidence is worth."""

from __future__ import annotations

import math

import numpy as np
import pytest

from ai import calibration

ORDERED = np.linspace(1, 0.001, 1_000)


def test_margins_that_are_right_by_chance_get_a_temperature_that_says_so() -> None:
    random = np.random.default_rng(0)
    places = random.integers(0, 2, 4_000)
    margins = np.zeros((4_000, 2))
    margins[np.arange(4_000), np.where(random.random(4_000) < 0.75, places, 1 - places)] = 5
    factor = calibration.temperature(margins, places)
    assert 1 / (1 + math.exp(-5 * factor)) == pytest.approx(0.75, abs=0.02)


def test_the_calibration_error_is_the_gap_between_confidence_and_truth() -> None:
    right = np.arange(1_000) % 2 == 0
    assert calibration.calibration_error(np.full(1_000, 0.5), right) == pytest.approx(0)
    assert calibration.calibration_error(np.full(1_000, 1.0), right) == pytest.approx(0.5)


def test_a_threshold_leaves_out_those_that_are_wrong() -> None:
    right = np.arange(1_000) < 600
    found = calibration.threshold(ORDERED, right, 0.02)
    kept = found <= ORDERED
    assert kept.sum() >= 600
    assert (~right[kept]).mean() <= 0.02


def test_a_promise_needs_enough_texts_even_when_none_was_wrong() -> None:
    assert calibration.threshold(ORDERED[:100], np.full(100, fill_value=True), 0.02) == math.inf
    assert calibration.threshold(ORDERED[:250], np.full(250, fill_value=True), 0.02) < 1


def test_a_promise_is_kept_on_texts_that_were_not_seen() -> None:
    kept = 0
    for seed in range(200):
        random = np.random.default_rng(seed)
        confidence = random.random(4_000)
        right = random.random(4_000) < 0.5 + confidence / 2
        found = calibration.threshold(confidence[:2_000], right[:2_000], 0.05)
        answered = confidence[2_000:] >= found
        kept += not answered.any() or 1 - found <= 0.2  # the true share of wrong: (1 - found) / 4
    assert kept >= 180


def test_equal_confidences_are_taken_or_left_together() -> None:
    confidence = np.full(400, 0.9)
    right = np.arange(400) < 380
    assert calibration.threshold(confidence, right, 0.02) == math.inf


def test_nothing_held_out_promises_nothing() -> None:
    nothing = np.zeros(0)
    assert calibration.threshold(nothing, nothing.astype(bool), 0.02) == math.inf
    assert calibration.coverage(nothing, nothing.astype(bool), 0.98) == 0


def test_coverage_is_the_share_that_can_be_taken_at_a_precision() -> None:
    assert calibration.coverage(ORDERED, np.arange(1_000) < 500, 1.0) == pytest.approx(0.5)
    assert calibration.coverage(ORDERED, np.full(1_000, fill_value=True), 0.98) == 1


def test_no_more_than_agreed_are_refused_and_few_texts_refuse_nobody() -> None:
    scores = np.random.default_rng(0).random(3_000)
    found = calibration.refusal(scores, 0.05)
    assert 0.035 < (scores < found).mean() < 0.05
    assert calibration.refusal(scores[:50], 0.05) == 0
