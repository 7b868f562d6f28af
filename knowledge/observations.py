"""Observations that tell two faults apart, and the cheapest of them: most bits for a minute."""

from __future__ import annotations

import math
from collections.abc import Collection, Sequence
from functools import cache
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from schemas.frigo import Fact
from schemas.vocabulary import Fault, Language

TESTS = Path(__file__).parent / "next_tests.yaml"
WORTH_BITS = 0.1
"""A test that tells less of two faults that are as likely is not worth a walk."""

Sentence = Annotated[str, StringConstraints(min_length=1, max_length=600, strip_whitespace=True)]


class Strict(BaseModel):
    """A part of a file that ships: frozen; a misspelt name is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Both(Strict):
    """One sentence in both languages."""

    fr: Sentence
    en: Sentence

    def said(self, language: Language) -> str:
        """Return it in `language`."""
        return self.fr if language is Language.FR else self.en


class Test(Strict):
    """An observation: its outcomes, and how likely each is under each fault.

    `told_by`: a unit with these sensors shows it already, so nobody has to go and look.
    `nearer`: with these sensors it can be read from afar, in `nearer_minutes`.
    """

    __test__ = False  # no test of pytest's

    name: str
    minutes: Annotated[float, Field(gt=0, le=240)]
    told_by: tuple[str, ...] = ()
    nearer: tuple[str, ...] = ()
    nearer_minutes: Annotated[float, Field(gt=0)] | None = None
    do: Both
    outcomes: tuple[Both, ...] = Field(min_length=2, max_length=4)
    faults: dict[Fault, tuple[float, ...]]
    """Faults of which it says nothing are left out: the test is not used to tell them."""

    @model_validator(mode="after")
    def _check(self) -> Test:
        for fault, chances in self.faults.items():
            if len(chances) != len(self.outcomes) or abs(sum(chances) - 1) > 1e-6:  # noqa: PLR2004
                msg = f"{self.name}: {fault}: {chances} is no distribution over its outcomes"
                raise ValueError(msg)
        return self

    def bits(self, first: Fault, second: Fault, odds: float = 0.5) -> float:
        """Return what its outcome is expected to tell of two faults, in bits (0 to 1).

        Parameters
        ----------
        first, second
            The faults between which it is asked.
        odds
            Probability of `first`, given that it is one of the two.
        """
        if first not in self.faults or second not in self.faults:
            return 0.0
        given = list(zip(self.faults[first], self.faults[second], strict=True))
        mixed = [odds * one + (1 - odds) * other for one, other in given]
        return _entropy(mixed) - sum(
            share * _entropy(self.faults[fault])
            for share, fault in ((odds, first), (1 - odds, second))
        )

    def is_told(self, sensors: Collection[str]) -> bool:
        """Say whether a unit with these sensors shows it already."""
        return bool(self.told_by) and set(self.told_by) <= set(sensors)

    def taking(self, sensors: Collection[str]) -> float:
        """Return the minutes that it takes on a unit with these sensors."""
        if self.nearer and self.nearer_minutes and set(self.nearer) <= set(sensors):
            return self.nearer_minutes
        return self.minutes

    def asked(self, first: Fault, second: Fault, sensors: Collection[str]) -> Fact:
        """Return it as a sentence that says what either outcome would mean."""
        chances = list(zip(self.faults[first], self.faults[second], strict=True))
        lead = [one - other for one, other in chances]
        for_first = self.outcomes[lead.index(max(lead))]
        for_second = self.outcomes[lead.index(min(lead))]
        minutes = f"{self.taking(sensors):.0f} min"
        return Fact(
            fr=f"{self.do.fr} ({minutes}). Si {for_first.fr} : plutôt {first.fr} ; "
            f"si {for_second.fr} : plutôt {second.fr}.",
            en=f"{self.do.en} ({minutes}). If {for_first.en}: rather {first.en}; "
            f"if {for_second.en}: rather {second.en}.",
        )


def _entropy(chances: Sequence[float]) -> float:
    return -sum(chance * math.log2(chance) for chance in chances if chance > 0)


@cache
def shipped_tests() -> tuple[Test, ...]:
    """Return the table of tests that ships."""
    found = yaml.load(TESTS.read_text("utf-8"), Loader=yaml.CSafeLoader)
    return tuple(Test.model_validate(each) for each in found)


def next_test(
    first: Fault, second: Fault, sensors: Collection[str] = (), odds: float = 0.5
) -> Fact | None:
    """Return the cheapest observation that tells two causes apart: most bits for a minute.

    Parameters
    ----------
    first, second
        The two likeliest causes.
    sensors
        Those that the unit has: what they show is known already, what they help with is nearer.
    odds
        Probability of `first`, given that it is one of the two.
    """
    worth = [test for test in shipped_tests() if test.bits(first, second) >= WORTH_BITS]
    new = [test for test in worth if not test.is_told(sensors)]
    best = max(
        new or worth,  # a contact may lie: a look beside it is better than nothing
        key=lambda test: test.bits(first, second, odds) / test.taking(sensors),
        default=None,
    )
    return best.asked(first, second, sensors) if best else None
