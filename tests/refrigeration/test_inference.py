"""From diagnoses to one episode."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace

from refrigeration.detector import Memory, Sample, Transition, advance
from refrigeration.profile import Profile
from refrigeration.window import Window
from schemas.frigo import Cause
from schemas.vocabulary import Change, Fault

START = 1_700_000_040.0
PROFILE = Profile(unit_id="cf-1", name="Chambre 1", set_point_c=3, low_c=0, high_c=7)
LEARNED = PROFILE.model_copy(update={"learned": {"windows": 1}})
HOUR = 60
DRIFTS = 12 * 86_400.0


class Says:
    """A diagnoser that says what a function of the minute says, and counts how often."""

    def __init__(self, shares: Callable[[float], dict[str, float]]) -> None:
        self.shares, self.asked = shares, 0

    def diagnose(self, profile: Profile, window: Window) -> SimpleNamespace:
        self.asked += 1
        shares = self.shares((window.at - START) / 60)
        shares = {"normal": 1 - sum(shares.values()), **shares}
        causes = tuple(Cause(fault=name, probability=share) for name, share in shares.items())
        sigmas = {"subcooling_k": -5.0 if window.at > START + DRIFTS else 0.1}
        return SimpleNamespace(probabilities=shares, causes=causes, sigmas=sigmas)


def lived(
    says: Says,
    minutes: int,
    profile: Profile = LEARNED,
    values: Callable[[int], dict[str, float]] = lambda _: {},
) -> list[tuple[float, Transition]]:
    memory, found = Memory(), []
    for i in range(minutes):
        reading = {"temperature_c": 3 + i % 5 * 0.1, "compressor": 1.0, **values(i)}
        told = advance(memory, profile, Sample(START + i * 60, reading), says)
        found += [(i / HOUR, transition) for transition in told]
    return found


def test_what_is_likely_for_long_is_raised_once_and_clears() -> None:
    says = Says(lambda i: {"leak": 0.9} if 600 <= i < 1200 else {"leak": 0.02})
    (at, raised), (end, cleared) = lived(says, 1500)
    assert (raised.fault, raised.change) == (Fault.LEAK, Change.RAISED)
    assert 10.3 < at < 11.5
    assert raised.causes[0].fault == "leak"
    assert (cleared.change, cleared.episode_id) == (Change.CLEARED, raised.episode_id)
    assert 23 < end < 24.5


def test_a_fault_that_comes_and_goes_all_day_is_one_alarm() -> None:
    says = Says(lambda i: {"thermostat": 0.97} if i > 600 and i % 150 < 60 else {"leak": 0.01})
    (_, raised), *rest = lived(says, 3000)
    assert raised.change is Change.RAISED
    assert rest == []


def test_what_is_found_after_weeks_says_since_when_it_drifts() -> None:
    says = Says(lambda i: {"leak": 0.97} if i > 26 * 1440 else {})
    ((_, raised),) = lived(says, 26 * 1440 + 300)
    assert raised.causes[0].evidence[-1].startswith("subcooling_k drift since 2023-11-2")


def test_a_moment_is_not_enough() -> None:
    assert lived(Says(lambda i: {"leak": 0.95} if i % 240 < 15 else {}), 1500) == []


def test_a_unit_that_just_began_has_no_diagnosis_and_an_unlearned_one_has_to_be_surer() -> None:
    (first,) = lived(Says(lambda _: {"leak": 0.97}), 600)
    assert first[0] > 4
    assert lived(Says(lambda _: {"leak": 0.85}), 1500, PROFILE) == []
    assert len(lived(Says(lambda _: {"leak": 0.97}), 1500, PROFILE)) == 1


def test_a_better_cause_updates_the_episode() -> None:
    says = Says(lambda i: {"unknown": 0.9} if i < 800 else {"unknown": 0.2, "overcharge": 0.75})
    (_, raised), (_, updated) = lived(says, 1500)
    assert raised.fault is Fault.UNKNOWN
    assert (updated.change, updated.fault) == (Change.UPDATED, Fault.OVERCHARGE)
    assert (updated.previous, updated.episode_id) == (Fault.UNKNOWN, raised.episode_id)


def test_causes_that_alternate_do_not_alternate_in_what_is_told() -> None:
    two = ("leak", "liquid_restriction")
    found = lived(Says(lambda i: {two[int(i // 180) % 2]: 0.9}), 3000)
    assert len(found) <= 3


def test_a_diagnosed_cause_becomes_the_parent_of_its_symptom() -> None:
    found = lived(
        Says(lambda i: {"leak": 0.9} if i > 600 else {}),
        1500,
        values=lambda i: {"temperature_c": 9.0 + i % 3} if i > 1000 else {},
    )
    (leak,) = [t for _, t in found if t.fault is Fault.LEAK]
    (warm,) = [t for _, t in found if t.fault is Fault.HIGH_TEMPERATURE]
    assert warm.parent_id == leak.episode_id


def test_what_a_stopped_compressor_looks_like_is_no_second_alarm() -> None:
    found = lived(
        Says(lambda i: {"leak": 0.9} if i > 630 else {}),
        1500,
        values=lambda i: (
            {"compressor": 0.0, "defrost": 0.0, "temperature_c": 6.0 + i % 3} if i > 600 else {}
        ),
    )
    assert [t.fault for _, t in found] == [Fault.COMPRESSOR_STOPPED]


def test_a_diagnosis_is_asked_seldom() -> None:
    says = Says(lambda _: {})
    lived(says, 600)
    assert 55 <= says.asked <= 61
