"""Which model is asked: the largest that fits here and answers in time, and each says why."""

from __future__ import annotations

import pytest

from ai.choice import Speed, Terms, chosen, proposal, weighed
from ai.hardware import Gpu, Machine
from ai.llm import Installed

GB = 10**9
HALF, ONE, THREE, SEVEN = (
    Installed("half", int(0.28 * GB)),
    Installed("one", int(0.7 * GB)),
    Installed("three", int(1.74 * GB)),
    Installed("seven", 4 * GB),
)
ALL = (HALF, SEVEN, ONE, THREE)
ROOMY = Machine(memory=64 * GB, free=60 * GB, cores=2)


def name(*models: Installed, **terms: object) -> str:
    found = chosen(weighed(models or ALL, Terms(**terms)))  # type: ignore[arg-type]
    return found.model.name if found else ""


def why(model: Installed, *models: Installed, **terms: object) -> str:
    ranked = weighed(models or ALL, Terms(**terms))  # type: ignore[arg-type]
    return next(str(each.reason) for each in ranked if each.model == model)


@pytest.mark.parametrize(
    ("seconds", "expected"), [(10, "half"), (25, "one"), (60, "three"), (120, "seven"), (1, "")]
)
def test_on_a_processor_it_is_the_largest_that_answers_in_time(
    seconds: float, expected: str
) -> None:
    assert name(machine=ROOMY, limit_s=seconds) == expected


def test_expected_times_are_those_that_were_measured_on_two_cores() -> None:
    for model, measured_s in ((ONE, 13.5), (THREE, 38), (SEVEN, 88)):
        (found,) = weighed([model], Terms(machine=ROOMY, limit_s=999))
        assert found.speed
        assert found.speed.seconds() == pytest.approx(measured_s, rel=0.15)


@pytest.mark.parametrize(("free", "expected"), [(6, "three"), (3, "one"), (1, "half"), (0.5, "")])
def test_twice_its_size_fits_into_six_tenths_of_the_free_memory(free: float, expected: str) -> None:
    tight = Machine(memory=8 * GB, free=int(free * GB), cores=2)
    assert name(machine=tight) == expected


def test_why_not_is_said_with_its_figures() -> None:
    tight = Machine(memory=8 * GB, free=4 * GB, cores=2)
    assert why(SEVEN, machine=tight) == "it needs 8.0 GB, of which 2.4 GB are free"
    assert why(SEVEN, machine=ROOMY) == "a reply would take 84 s, and 60 s is the limit"
    assert why(HALF, machine=ROOMY) == "a larger one fits"
    assert "answers in time (36 s)" in why(THREE, machine=ROOMY)


@pytest.mark.parametrize(("memory", "expected"), [(24, "seven"), (4, "three"), (1, "one")])
def test_with_a_gpu_it_is_the_largest_that_fits_into_it(memory: int, expected: str) -> None:
    gpu = Gpu("NVIDIA X", memory * GB, memory * GB)
    small = Machine(gpu, 2 * GB, 2 * GB, 2)
    assert name(machine=small) == expected


def test_what_fits_into_no_gpu_may_still_fit_into_memory() -> None:
    assert name(machine=Machine(Gpu("X", GB, GB), 64 * GB, 60 * GB, 2), limit_s=60) == "three"


def test_a_model_in_memory_has_its_place_and_is_not_dropped_for_having_filled_it() -> None:
    loaded = Installed("three", THREE.size, loaded=True)
    full = Machine(memory=8 * GB, free=GB // 10, cores=2)
    assert name(HALF, loaded, machine=full, current="three") == "three"


def test_what_is_in_memory_makes_room_and_no_more_than_there_is() -> None:
    loaded = Installed("three", THREE.size, loaded=True)
    for memory, expected in ((16, "seven"), (13, "three")):  # seven needs 8 of six tenths
        here = Machine(memory=memory * GB, free=int(12.5 * GB), cores=2)
        assert name(loaded, SEVEN, machine=here, limit_s=999) == expected
    card = Installed("three", THREE.size, loaded=True, on_gpu=1.0)
    for memory, expected in ((5, "seven"), (4, "three")):
        here = Machine(Gpu("X", memory * GB, 4 * GB), GB, GB, 2)
        assert name(card, SEVEN, machine=here, limit_s=999) == expected


def test_what_was_measured_here_counts_more_than_what_is_usual() -> None:
    quick = {"seven": Speed(500, 40)}
    slow = {"three": Speed(5, 1), "one": Speed(5, 1)}
    assert name(machine=ROOMY, speeds=quick) == "seven"
    assert name(machine=ROOMY, speeds=slow) == "half"


def test_a_named_model_is_taken_whatever_its_size_and_no_other() -> None:
    assert name(machine=Machine(free=GB, cores=1), named="seven", limit_s=1) == "seven"
    assert name(Installed("seven:latest"), named="seven") == "seven:latest"
    assert name(named="eight") == ""
    assert why(ONE, named="eight") == "another one is named in the settings"


def test_a_model_that_only_embeds_is_never_asked_even_where_it_is_named() -> None:
    assert name(Installed("bge-m3", GB, chats=False), named="bge-m3") == ""


def test_what_leaves_needs_leave_and_what_runs_here_comes_first() -> None:
    cloud = Installed("gpt-oss:120b-cloud", 384, leaves=True)
    assert name(cloud) == ""
    assert name(cloud, remote=True) == "gpt-oss:120b-cloud"
    assert name(cloud, HALF, remote=True) == "half"


def test_a_catalogue_needs_a_name() -> None:
    many = [Installed(f"model-{n}") for n in range(20)]
    assert name(*many) == ""
    assert name(*many, named="model-3") == "model-3"


def test_of_equals_the_one_in_use_stays() -> None:
    twins = Installed("a", GB), Installed("b", GB)
    assert name(*twins, current="a") == "a"
    assert name(*twins, current="b") == "b"


def test_a_model_is_proposed_for_each_kind_of_machine() -> None:
    proposals = [
        proposal(Machine(Gpu("X", 24 * GB, GB))),
        proposal(Machine(Gpu("X", 8 * GB, GB))),
        proposal(Machine()),
        proposal(None),
    ]
    assert proposals == ["qwen3:8b", "qwen3:4b", "qwen3:1.7b", "qwen3:1.7b"]
