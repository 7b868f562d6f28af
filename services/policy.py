"""How a stage works, and how it says it is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from schemas.event import Event

Handler = Callable[[Sequence[Any]], Awaitable[Sequence[Sequence[Event]]]]
"""Takes events, returns for each what to tell, in the same order."""


@dataclass(frozen=True)
class Policy:
    """How a stage works through its topic.

    `batch`: records a unit of work; `concurrency`: units side by side; `backlog`: records taken
    over before the partitions are paused; `dead_in_a_row`: dead letters without a success
    between them after which the stage stops, because then something is wrong with us;
    `unit_timeout_s`: after which a handler counts as hung, and its unit is tried again;
    `let_go`: called when partitions go, with nothing in hand, before the last commit.
    """

    batch: int = 1
    concurrency: int = 1
    backlog: int = 2_000
    dead_in_a_row: int = 50
    unit_timeout_s: float = 240.0
    commit_every_s: float = 0.1
    drain_s: float = 8.0
    let_go: Callable[[], Awaitable[None]] | None = None


@dataclass
class Health:
    """What a runner can say of itself.

    `assigned`: partitions held; 0: a standby, as others hold them all; None: not in its group.
    `note`: of a stage, what people should know although it is ready.
    """

    stage: str
    assigned: int | None = None
    in_hand: int = 0
    lag: int = 0
    waiting_for: str = ""
    stopped: str = ""
    stalled: str = ""
    handled: int = 0
    dead: int = 0
    last_progress: datetime | None = None
    note: str = ""

    @property
    def held_up(self) -> str:
        """Why it is not ready, or nothing."""
        joining = "joining its group" if self.assigned is None else ""
        return self.stopped or self.waiting_for or joining or self.stalled

    @property
    def ready(self) -> bool:
        """It is in its group, and nothing holds it up."""
        return not self.held_up

    @property
    def standby(self) -> bool:
        """It is ready and has nothing to do: others of its group hold all partitions."""
        return self.ready and not self.assigned


def together(stage: str, parts: Sequence[Health]) -> Health:
    """Return the health of a stage from those of its consumers: ready when all of them are."""
    joined = [part.assigned for part in parts if part.assigned is not None]
    return Health(
        stage,
        assigned=sum(joined) if len(joined) == len(parts) else None,
        in_hand=sum(part.in_hand for part in parts),
        lag=sum(part.lag for part in parts),
        waiting_for=next((part.waiting_for for part in parts if part.waiting_for), ""),
        stopped=next((part.stopped for part in parts if part.stopped), ""),
        stalled=next((part.stalled for part in parts if part.stalled), ""),
        handled=sum(part.handled for part in parts),
        dead=sum(part.dead for part in parts),
        last_progress=max((p.last_progress for p in parts if p.last_progress), default=None),
    )
