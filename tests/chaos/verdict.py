"""What a judgement comes to."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Violation:
    """A promise that was not kept, and by which message, if it is one's."""

    kind: str
    what: str
    message_id: str = ""


@dataclass
class Verdict:
    """What is wrong; and what was counted on the way."""

    violations: list[Violation] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)

    def broken(self, kind: str, what: str, message_id: str = "") -> None:
        """Note a promise that was not kept."""
        self.violations.append(Violation(kind, what, message_id))

    def of(self, kind: str) -> int:
        """Return how often a promise was broken."""
        return sum(violation.kind == kind for violation in self.violations)
