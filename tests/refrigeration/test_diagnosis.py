"""The shipped diagnosis: on units it never saw, with evidence; and a unit's normal."""

from __future__ import annotations

import json
import time

import numpy as np
import pytest

from evaluation.episodes import Harm, episode, learned, readings, samples
from refrigeration.diagnosis import NORMAL, Diagnoser, damped
from refrigeration.normal import Normal, learn, pool
from refrigeration.profile import Profile
from refrigeration.window import Window

SEED = 200_001


@pytest.fixture(scope="module")
def unit():
    return learned(SEED, 3)


def windows_of(seed: int, fault: str, severity: float = 0.9) -> list[dict[str, float]]:
    return [s.summary for s in samples(episode(seed, fault, severity, 0.0))][60:120:10]


def said_of(unit, summary: dict[str, float]) -> dict[str, float]:
    profile, normal, _ = unit
    shipped = Diagnoser.shipped()
    shares = shipped.probabilities(shipped.inputs(normal.deviations(profile, summary)))
    return dict(zip((*shipped.classes, "unknown"), shares.tolist(), strict=True))


@pytest.mark.parametrize("fault", ["leak", "condenser_fouling", "expansion_open", "door"])
def test_a_grave_fault_of_a_new_unit_is_named(unit, fault: str) -> None:
    shares = [said_of(unit, summary) for summary in windows_of(SEED, fault)]
    mean = {name: np.mean([s[name] for s in shares]) for name in shares[0]}
    assert max(mean, key=mean.__getitem__) == fault


def test_normal_operation_is_normal(unit) -> None:
    profile, normal, past = unit
    del profile, normal
    shares = [said_of(unit, s.summary) for s in samples(past)[60::20]]
    assert np.mean([s[NORMAL] for s in shares]) > 0.8


def test_probabilities_add_up_and_causes_carry_signed_evidence(unit) -> None:
    profile, normal, _ = unit
    window = Window()
    shown = episode(SEED, "leak", 0.9, 0.0)
    for at, values in readings(shown):
        window.add(profile, at, values)
    found = Diagnoser.shipped().of_unit(normal).diagnose(profile, window)
    assert sum(found.probabilities.values()) == pytest.approx(1)
    assert found.fault == "leak"
    assert found.causes[0].fault == "leak"
    assert found.causes[0].probability >= found.causes[1].probability
    told = {c.feature: c for c in found.causes[0].contributions}
    assert told
    assert all("sigma" in line for line in found.causes[0].evidence)
    for one in told.values():
        assert (one.value > one.normal) == (one.sigma > 0)


def test_an_empty_window_says_nothing() -> None:
    profile = Profile(unit_id="u", name="u")
    found = Diagnoser.shipped().diagnose(profile, Window())
    assert 0 <= found.score < 0.9


def test_a_normal_goes_through_json_and_leaves_the_pool_alone(unit) -> None:
    profile, _, past = unit
    before = pool().noise.copy(), pool().mean.copy()
    history = [s.summary for s in samples(past)[24:]]
    body = json.loads(json.dumps(learn(profile, history)))
    assert len(json.dumps(body)) < 10_000
    one, two = Normal.of(body), Normal.of(body)
    assert one.deviations(profile, history[-1]) == two.deviations(profile, history[-1])
    assert (pool().noise == before[0]).all()
    assert (pool().mean == before[1]).all()


def test_what_was_learned_is_nearer_than_what_is_usual_elsewhere(unit) -> None:
    profile, normal, past = unit
    summary = samples(past)[-1].summary
    own, generic = (
        n.deviations(profile, summary)["approach_k"] for n in (normal, Normal.generic())
    )
    assert abs(own.value - own.normal) < abs(generic.value - generic.normal) + 0.5
    assert abs(own.sigma) < 4
    assert Normal.of({}).windows == 0
    assert learn(profile, []) == {}


def test_without_the_ambient_probe_deviations_are_smaller_not_larger(unit) -> None:
    profile, normal, _ = unit
    summary = windows_of(SEED, "condenser_fouling")[-1]
    less = {n: v for n, v in summary.items() if n not in {"ambient_c", "approach_k", "liquid_k"}}
    whole, lost = normal.deviations(profile, summary), normal.deviations(profile, less)
    assert abs(lost["sct_c"].sigma) <= abs(whole["sct_c"].sigma) + 3
    assert "approach_k" not in lost


def test_a_lost_probe_is_missing_not_zero() -> None:
    found = damped(np.array([[2.0, np.nan]]))
    assert found[0].tolist() == pytest.approx([np.log(3), 0, 0, 0, 0, 1])
    lost = samples(episode(SEED, "leak", 0.5, 0.0), Harm(lost="suction_c"))[-1]
    assert "superheat_k" not in lost.summary


def test_a_diagnosis_takes_less_than_two_milliseconds(unit) -> None:
    profile, normal, past = unit
    window = Window()
    for at, values in list(readings(past))[:300]:
        window.add(profile, at, values)
    fitted = Diagnoser.shipped().of_unit(normal)
    fitted.diagnose(profile, window)
    began = time.process_time()
    for _ in range(20):
        fitted.diagnose(profile, window)
    assert (time.process_time() - began) / 20 < 2e-3
