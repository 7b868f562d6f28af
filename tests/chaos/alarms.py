"""The judgement of cold rooms: each excursion is one alarm and one end, and nothing else is. Pure.

What may be there twice is a message whose answer Telegram's caller cannot have heard; it is counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid5

from schemas.event import ASTREINTE
from schemas.frigo import AlertSent, FeedbackGiven, InboundReading, ReadingReceived
from schemas.vocabulary import Fault
from services.cards import DETECTOR
from tests.chaos.absence import without
from tests.chaos.evidence import Alarms, Topics
from tests.chaos.messages import judge_messages
from tests.chaos.rooms import FAULT
from tests.chaos.verdict import Verdict

DETECTOR_S = 60.0
"""`ASTREINTE_ALARM_DETECTOR_S`, as it is without a setting."""
BEAT_S = 15.0
"""A sign of life is so old at most while the detector works."""
SURELY_S = DETECTOR_S + 25.0


def judge_alarms(case: Alarms, topics: Topics, verdict: Verdict) -> None:
    """Compare what was measured with the record, the topics and Telegram's ledger."""
    told = _by_event(topics)
    _readings(case, told, verdict)
    _episodes(case, verdict)
    _detector(case, verdict)
    judge_messages(case, verdict)
    _presses(case, told, verdict)
    for alert in case.alerts:
        name = uuid5(ASTREINTE, f"alert {alert['alert_id']}/sent")
        if alert["status"] != "sent" or not alert["told_at"]:
            what = f"the {alert['kind']} message of {alert['unit_id']} is {alert['status']}"
            verdict.broken("alarm row", what)
        elif AlertSent.topic not in told[str(name)]:
            verdict.broken("alarm row", f"no {AlertSent.topic} of {alert['unit_id']}")


def _by_event(topics: Topics) -> dict[str, dict[str, int]]:
    """Return how often each event was told, by topic."""
    found: dict[str, dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for road in topics.roads.values():
        for topic, all_seen in road.items():
            for seen in all_seen:
                found[seen.event_id][topic] += 1
    return found


def _readings(case: Alarms, told: dict[str, dict[str, int]], verdict: Verdict) -> None:
    """Every accepted reading has come through, and the newest is in its unit's row."""
    newest: dict[str, float] = {}
    for reading in case.readings:
        if not reading.accepted_at:
            verdict.broken("reading", f"one of {reading.unit_id} was never handed in")
            continue
        newest[reading.unit_id] = max(reading.at, newest.get(reading.unit_id, 0.0))
        received = str(uuid5(UUID(reading.event_id), f"{ReadingReceived.topic}/0"))
        for name, topic in (
            (reading.event_id, InboundReading.topic),
            (received, ReadingReceived.topic),
        ):
            times = told[name].get(topic, 0)
            verdict.counts["readings told again"] += max(times - 1, 0)
            if not times:
                verdict.broken("reading", f"one of {reading.unit_id} is not in {topic}")
    verdict.counts["readings accepted"] = sum(bool(each.accepted_at) for each in case.readings)
    for unit, at in newest.items():
        if abs(case.read_at.get(unit, 0.0) - at) > 0.01:
            verdict.broken("reading", f"the newest of {unit} is not in its row")


def _episodes(case: Alarms, verdict: Verdict) -> None:
    """Each excursion is one episode that has ended; there is no other."""
    found = defaultdict(list)
    for row in case.episodes:
        if row["unit_id"] != DETECTOR:
            found[row["unit_id"]].append(row)
    for room in case.rooms:
        expected = [FAULT[room.kind].value] if room.kind in FAULT else []
        rows = found.pop(room.unit_id, [])
        verdict.counts[f"excursions: {room.kind}"] += len(expected)
        if sorted(row["fault"] for row in rows) != expected:
            said = ", ".join(f"{row['fault']} since {row['began_at']}" for row in rows) or "none"
            verdict.broken("episode", f"{room.unit_id} ({room.kind}) has episodes: {said}")
        for row in rows:
            since = row["began_at"].timestamp() - case.began_at
            if not room.begins_s - 1 <= since <= room.ends_s:
                verdict.broken(
                    "episode", f"{room.unit_id}: one began {since:.0f} s after the start"
                )
    for row in (row for row in case.episodes if row["ended_at"] is None):
        verdict.broken("open", f"{row['fault']} of {row['unit_id']} never ends")
    for unit in found:
        verdict.broken("episode", f"of {unit}, which is none of ours")


def _detector(case: Alarms, verdict: Verdict) -> None:
    """The detector is said to be down when it was, and only then."""
    downs = [row for row in case.episodes if row["unit_id"] == DETECTOR]
    verdict.counts["detector down"] = len(downs)
    said = [row["began_at"].timestamp() for row in downs]
    for at in said:
        if not any(
            first - BEAT_S <= at <= last and last - first >= DETECTOR_S - BEAT_S
            for first, last in case.away
        ):
            verdict.broken("detector", "it was said to be down while it worked")
    for first, last in case.away:
        if without((first, last), case.deaf) > SURELY_S and not any(
            first - BEAT_S <= at <= last for at in said
        ):
            verdict.broken("detector", f"nobody was told that it was away for {last - first:.0f} s")
    if any(row["fault"] != Fault.DETECTOR_DOWN.value for row in downs):
        verdict.broken("detector", "it has an episode that is none of its own")


def _presses(case: Alarms, told: dict[str, dict[str, int]], verdict: Verdict) -> None:
    """Each pressed button is one event, and its episode says by whom it was taken on."""
    by = {row["episode_id"]: row["acknowledged_by"] for row in case.episodes}
    pressed = list(_pressed(case))
    verdict.counts["acknowledgements pressed"] = len(pressed)
    names = set()
    for line in pressed:
        name = str(uuid5(ASTREINTE, f"telegram press {line['query']}"))
        names.add(name)
        times = told[name].get(FeedbackGiven.topic, 0)
        verdict.counts["acknowledgements told again"] += max(times - 1, 0)
        if not times:
            verdict.broken("press", f"the button under {line['unit']} was pressed in vain")
        if not by.get(line["episode"]):
            verdict.broken("press", f"nobody has taken {line['unit']} on, says its episode")
    asked = {line["episode"] for line in pressed}
    for name, topics in told.items():
        if name and FeedbackGiven.topic in topics and name not in names:
            verdict.broken("press", "a button that nobody pressed")
    for row in case.episodes:
        if row["acknowledged_by"] and row["episode_id"] not in asked:
            verdict.broken("press", f"{row['unit_id']} was taken on by nobody")


def _pressed(case: Alarms) -> Iterator[dict[str, Any]]:
    return (line for line in case.ledger if line["what"] == "press")
