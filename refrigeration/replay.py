"""A history walked through a detector: a labelled one's, the shipped one's, or one without labels.

All three say the same of each row, from it and the rows before it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from refrigeration import unlabelled
from refrigeration.diagnosis import ENOUGH, NORMAL, Diagnoser
from refrigeration.history import History, starts, usual_difference
from refrigeration.labelled import Results, Trained
from refrigeration.normal import MINUTES_APART, Normal, learn
from refrigeration.profile import Kind, Profile
from refrigeration.window import MINUTE, Window
from schemas.vocabulary import Fault

ROOMS = frozenset({Kind.POSITIVE_ROOM, Kind.NEGATIVE_ROOM, Kind.CABINET, Kind.FREEZER_CABINET})
LEAST_SENSORS = 4
EVERY_S = 300.0
"""Between two diagnoses of a history; rows between hold the last one."""


def is_room(profile: Profile, history: History) -> bool:
    """Say whether the shipped detector of cold rooms fits: kind, and some sensors it knows."""
    known = {"temperature_c", "low_pressure_bar", "high_pressure_bar", "current_a", "suction_c"}
    known |= {"discharge_c", "liquid_c", "ambient_c", "air_off_c", "power_w", "air_flow_m3_h"}
    return profile.kind in ROOMS and len(known & set(history.names)) >= LEAST_SENSORS


def by_wandering(history: History, normal_rows: int) -> Results:
    """Return what departs from the first rows, taken as normal; the cause stays unknown."""
    taught = history.rows(np.arange(min(normal_rows, len(history))))
    usual = usual_difference(taught.values)
    first = starts(history, usual, taught.step_s())
    known = unlabelled.fit(taught.values, first[: len(taught)])
    distance, faulty = unlabelled.distances(known, history.values, first)
    share = distance**4 / (distance**4 + unlabelled.LIMIT**4)
    causes = tuple(Fault.UNKNOWN.value if f else NORMAL for f in faulty)
    shares = np.column_stack([1 - share, share])
    return Results(distance, faulty, causes, (NORMAL, Fault.UNKNOWN.value), shares)


def by_training(
    taught: History,
    history: History,
    false_alarms: float,
    drivers: Sequence[str] = (),
    window_s: float = 900.0,
) -> tuple[Results, Trained | None]:
    """Return what a labelled history teaches of another; with normal labels only: what departs.

    Raises
    ------
    ValueError
        The two have different columns, there is no normal row, or a driver is no column.
    """
    from refrigeration.training import train  # noqa: PLC0415 - loads scikit-learn

    shared = [name for name in taught.names if name in history.names]
    gone = [name for name in drivers if name not in shared]
    if not shared or gone:
        msg = f"not in both files: {', '.join(gone or taught.names)}"
        raise ValueError(msg)
    taught, history = _only(taught, shared), _only(history, shared)
    if set(taught.labels) == {NORMAL}:
        usual = usual_difference(taught.values)
        step = taught.step_s()
        known = unlabelled.fit(taught.values, starts(taught, usual, step))
        distance, _ = unlabelled.distances(known, history.values, starts(history, usual, step))
        limit = max(unlabelled.LIMIT, 1.0)
        share = distance**4 / (distance**4 + limit**4)
        causes = tuple(Fault.UNKNOWN.value if d > limit else NORMAL for d in distance)
        shares = np.column_stack([1 - share, share])
        told = (NORMAL, Fault.UNKNOWN.value)
        return Results(distance, distance > limit, causes, told, shares), None
    trained = train(taught, false_alarms, drivers, window_s)
    return trained.results(history), trained


def _only(history: History, names: Sequence[str]) -> History:
    places = [history.names.index(name) for name in names]
    return History(
        history.at,
        tuple(names),
        history.values[:, places],
        history.labels,
        history.groups,
        history.units,
    )


def by_rooms(profile: Profile, history: History, normal_rows: int) -> Results:
    """Return what the shipped detector says of a cold room whose first rows were normal."""
    learned = Normal.of(learn(profile, summaries(profile, history, normal_rows)))
    diagnoser = Diagnoser.shipped()
    classes = (*diagnoser.classes, Fault.UNKNOWN.value)
    shares = np.zeros((len(history), len(classes)))
    shares[:, 0] = 1.0
    window, due = Window(), -np.inf
    current = shares[0].copy()
    for place, (at, row) in enumerate(zip(history.at.tolist(), history.values, strict=True)):
        values = {n: float(v) for n, v in zip(history.names, row, strict=True) if v == v}  # noqa: PLR0124 - NaN is not itself
        window.add(profile, at, values)
        if at >= due:
            due = at + EVERY_S
            said = diagnoser.diagnose(profile, window, learned).probabilities
            if said:
                current = np.array([said[name] for name in classes])
        shares[place] = current
    score = 1 - shares[:, 0]
    faulty = score >= ENOUGH
    best = 1 + np.argmax(shares[:, 1:], axis=1)
    causes = tuple(classes[b] if f else NORMAL for b, f in zip(best, faulty, strict=True))
    return Results(score, faulty, causes, classes, shares)


def summaries(profile: Profile, history: History, rows: int) -> list[dict[str, float]]:
    """Return the windows of the first rows, one every `MINUTES_APART`."""
    window, due, found = Window(), -np.inf, []
    for at, row in zip(history.at[:rows].tolist(), history.values[:rows], strict=True):
        values = {n: float(v) for n, v in zip(history.names, row, strict=True) if v == v}  # noqa: PLR0124 - NaN is not itself
        window.add(profile, at, values)
        if at >= due:
            due = at + MINUTES_APART * MINUTE
            found.append(window.summary())
    return found
