"""The judgement of what Telegram took: a message for each alarm, one for its end, and none else. Pure.

What may be there twice is a message whose answer Telegram's caller cannot have heard; it is counted.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from itertools import pairwise

from services.cards import DETECTOR
from tests.chaos.evidence import Alarms, Line
from tests.chaos.rooms import FAULT, Room
from tests.chaos.telegram import TOOK_SILENTLY
from tests.chaos.verdict import Verdict

HEARD_S = 15.0
"""Between Telegram's taking and our row that says so, on a busy machine."""


def judge_messages(case: Alarms, verdict: Verdict) -> None:
    """Each excursion is one message and one of its end; copies have their reason."""
    taken = _taken(case, verdict)
    downs = any(row["unit_id"] == DETECTOR for row in case.episodes)
    known = {room.unit_id for room in case.rooms} | ({DETECTOR} if downs else set())
    for unit in taken.keys() - known:
        verdict.broken("message", f"one about {unit}, of which there is nothing to tell")
    for room in case.rooms:
        if room.kind in FAULT:
            _alarm(case, room, taken[room.unit_id], verdict)
        elif taken[room.unit_id]:
            verdict.broken("message", f"{room.unit_id} did nothing, and somebody was told")
    own = taken[DETECTOR]
    for name in {line["episode"] for line in own if line["episode"]}:
        _copies(case, DETECTOR, [line for line in own if line["episode"] == name], verdict)


def _taken(case: Alarms, verdict: Verdict) -> dict[str, list[Line]]:
    """Count Telegram's calls; return what it took, by unit."""
    taken = defaultdict(list)
    for line in case.ledger:
        if line["what"] != "press":
            verdict.counts[f"Telegram: {line['what']}"] += 1
            verdict.counts[f"Telegram's fault {line['mood'].partition(':')[0]}"] += 1
        if line["what"] == "sendMessage" and line["taken"]:
            taken[line["unit"]].append(line)
    return taken


def _alarm(case: Alarms, room: Room, taken: Sequence[Line], verdict: Verdict) -> None:
    """Somebody was told of an excursion, and of its end, by one message that shows both."""
    begins = [line for line in taken if not _is_end(line)]
    ends = [line for line in taken if _is_end(line)]
    if not begins:
        verdict.broken("lost alarm", f"nobody was told of {room.unit_id}")
        return
    whole = begins[-1]["over"]
    verdict.counts["excursions told when they were over"] += whole
    if not ends and not whole:
        verdict.broken("lost end", f"nobody was told that {room.unit_id} is well again")
    if any(line["chat"] != room.chat for line in taken):
        verdict.broken("message", f"{room.unit_id}: somebody else was told")
    for copies in (begins, ends):
        _copies(case, room.unit_id, copies, verdict)
    if not _ends_well(case, begins[-1]):
        verdict.broken("open", f"the message about {room.unit_id} shows it open for ever")


def _is_end(line: Line) -> bool:
    return bool(line["title"].startswith("Fin : "))


def _copies(case: Alarms, unit: str, copies: Sequence[Line], verdict: Verdict) -> None:
    """A message leaves again only if the answer to it cannot have been heard, or written down."""
    verdict.counts["messages of alarms, and of their ends"] += bool(copies)
    for line, after in pairwise(copies):
        died = any(line["at"] <= end <= line["at"] + HEARD_S for end in case.ends)
        if line["mood"] in TOOK_SILENTLY:
            verdict.counts["messages there twice: the answer was lost"] += 1
        elif died:
            verdict.counts["messages there twice: dispatch was killed with the answer"] += 1
        else:
            gap = after["at"] - line["at"]
            verdict.broken(
                "alarm twice", f"“{line['title']}” about {unit} again, {gap:.0f} s later"
            )


def _ends_well(case: Alarms, sent: Line) -> bool:
    """Say whether the message shows in the end that it is over."""
    if sent["over"]:
        return True
    edits = [
        line
        for line in case.ledger
        if line["what"] == "editMessageText" and line.get("message_id") == sent["message_id"]
    ]
    return bool(edits) and bool(edits[-1]["over"])
