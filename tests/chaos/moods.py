"""How the played provider behaves: what may happen to a call, and how often."""

from __future__ import annotations

from dataclasses import dataclass, field

TOOK = ("ok", "slow", "late", "error_after", "dropped_after", "hung_after")
"""Whatever happens to the answer, the message is in the provider's hands and in its ledger.

`slow` takes it at once and answers later; `late` takes it later, be the caller still there or not.
"""
LEFT = ("later_429", "later_503", "error_before", "dropped_before", "hung_before", "refused")
"""Nothing was taken: the ledger knows nothing of the call."""
UNKNOWN = (
    "error_after",
    "dropped_after",
    "hung_after",
    "error_before",
    "dropped_before",
    "hung_before",
)
"""The caller cannot know whether the message was taken."""
SILENT = ("error_after", "dropped_after", "hung_after")
"""Taken without an answer that says so: a callback tells, or a look-up."""

CALM: dict[str, float] = {}
ROUGH = {
    "slow": 0.03,
    "late": 0.03,
    "later_429": 0.03,
    "later_503": 0.02,
    "error_before": 0.01,
    "error_after": 0.02,
    "dropped_before": 0.02,
    "dropped_after": 0.03,
    "hung_before": 0.004,
    "hung_after": 0.004,
    "refused": 0.003,
}
"""Shares of calls that meet a fault while the provider has a bad day; the rest is served."""
HANGING = {"hung_before": 0.5, "hung_after": 0.5}
"""Nobody is answered; half of what comes is taken all the same."""


@dataclass(frozen=True)
class Mood:
    """Shares of calls by what happens to them, and of callbacks by how they come.

    `told`: of accepted messages whose answer arrived, the share that is reported as well;
    `settled`: of those whose answer was lost, the share that is reported: the rest has to be
    looked up; `twice`, `disordered`: of reports, the share that comes twice, or `delivered`
    before `sent`; `look_up_fails`: of look-ups, the share that is answered with an error.
    """

    faults: dict[str, float] = field(default_factory=dict)
    told: float = 0.15
    settled: float = 0.6
    twice: float = 0.2
    disordered: float = 0.3
    look_up_fails: float = 0.0
