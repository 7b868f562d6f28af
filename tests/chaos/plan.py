"""What a trial does, and for how long: the calm, the short and the long form."""

from __future__ import annotations

from dataclasses import dataclass, replace

DISK_FULL = "database's disk is full"
AWAY = "detector is away"
TROUBLES = (
    "broker killed",
    "member comes and goes",
    "database killed",
    "provider hangs",
    "member comes and is killed",
    "database stopped",
    AWAY,
    DISK_FULL,
)


@dataclass(frozen=True)
class Plan:
    """Kills go on, one every `kill_every_s` in the mean, until there were `kills`; meanwhile the
    `troubles` come in turn, with `trouble_every_s` between them.

    `rate`: messages a second, to `customers` conversations; `calm_s`, `last_calm_s`: load without
    faults, before and after; `settle_s`: in which all must come to its end once the load ended.
    `rooms`: cold rooms, with excursions of these `excursions` in turn, the last of which begins
    `rooms_s` after the start.
    """

    kills: int
    kill_every_s: float
    troubles: tuple[str, ...]
    trouble_every_s: float
    calm_s: float
    last_calm_s: float
    settle_s: float
    hang_s: float = 30.0
    database_s: float = 30.0
    full_s: float = 20.0
    poison_every_s: float = 4.0
    rate: float = 33.0
    customers: int = 240
    rooms: int = 16
    excursions: tuple[str, ...] = ("door", "door", "door", "quiet")
    rooms_s: float = 50.0
    away_s: float = 100.0
    seed: int = 1


SHORT = Plan(
    kills=20,
    kill_every_s=4.0,
    troubles=("broker killed", "member comes and is killed", "database killed"),
    trouble_every_s=6.0,
    calm_s=10.0,
    last_calm_s=0.0,
    settle_s=420.0,
)
LONG = Plan(
    kills=200,
    kill_every_s=6.0,
    troubles=TROUBLES,
    trouble_every_s=20.0,
    calm_s=60.0,
    last_calm_s=240.0,
    settle_s=900.0,
    rooms=48,
    excursions=("door", "warm", "power", "door", "warm", "quiet"),
    rooms_s=900.0,
)
CALM = replace(SHORT, kills=0, troubles=(), calm_s=60.0, rooms_s=40.0)
FORMS = {"short": SHORT, "long": LONG, "calm": CALM}
