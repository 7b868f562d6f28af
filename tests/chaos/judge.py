"""The judgement, from ledgers only: what was accepted has one outcome, and left once. Pure."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.chaos.alarms import judge_alarms
from tests.chaos.evidence import ROAD, Alarms, Ledger, Tables, Topics
from tests.chaos.load import Told
from tests.chaos.moods import UNKNOWN
from tests.chaos.provider import OUR_FAULT
from tests.chaos.verdict import Verdict, Violation

LEFT = {"sent", "delivered"}
FINAL = LEFT | {"failed", "none", "held"}
GROWTH = 0.10
GROWTH_MIB = 10.0
LONG_LIFE_S = 150.0
"""Of a shorter life, memory says nothing: it is still being filled."""


@dataclass
class Poison:
    """Records that no stage can use. `sent`: confirmed by the broker; `tried`: perhaps there."""

    sent: set[str] = field(default_factory=set)
    tried: set[str] = field(default_factory=set)


@dataclass
class Case:
    """All that is judged. `senders`: each conversation's messages in the order handed in."""

    told: Sequence[Told]
    senders: Mapping[str, Sequence[Told]]
    topics: Topics
    tables: Tables
    ledger: Ledger
    poison: Poison
    refused: Sequence[tuple[str, int]] = ()
    alarms: Alarms = field(default_factory=Alarms)


def judge(case: Case) -> Verdict:
    """Compare the ledgers."""
    verdict = Verdict()
    verdict.counts["offered"] = len(case.told)
    verdict.counts.update(told.state for told in case.told)
    for part in (_outcomes, _strangers, _ledger, _order, _dead, _unknowns):
        part(case, verdict)
    judge_alarms(case.alarms, case.topics, verdict)
    verdict.violations += [
        Violation("refused", f"{name} was answered {status}") for name, status in case.refused
    ]
    verdict.violations += [
        Violation("stuck", f"conversation {name} is on the road for ever")
        for name in case.tables.on_the_road
    ]
    return verdict


def _outcomes(case: Case, verdict: Verdict) -> None:
    """Every accepted message has one outcome; one that is unknown has one at most."""
    for told in case.told:
        row = case.tables.outgoing.get(told.event_id)
        outcomes = case.topics.roads.get(told.event_id.replace("-", ""), {}).get(ROAD[-1], ())
        ids, statuses = {seen.event_id for seen in outcomes}, {seen.detail for seen in outcomes}
        if len(ids) > 1 or (statuses - LEFT and len(statuses) > 1):
            said = ", ".join(sorted(statuses))
            verdict.violations.append(
                Violation("outcomes", f"{len(ids)} outcomes: {said}", told.event_id)
            )
        verdict.counts["outcomes told again"] += max(len(outcomes) - len(ids), 0)
        if not told.accepted_at and not (row or outcomes):
            continue  # nobody promised anything, and nothing happened
        missing = _missing(case, told)
        if missing:
            verdict.violations.append(Violation("lost", missing, told.event_id))
        elif row:
            verdict.counts[f"outcome {row['status']}"] += 1
            verdict.counts[f"action {row['action']}"] += 1
            verdict.counts["unknown, with an outcome"] += not told.accepted_at


def _missing(case: Case, told: Told) -> str:
    """Say what a message that must have come through lacks."""
    trace = told.event_id.replace("-", "")
    row = case.tables.outgoing.get(told.event_id)
    message = case.tables.messages.get(told.event_id)
    if message is None:
        return "no row of the message"
    if row is None:
        return "no row in the outbox"
    if row["status"] not in FINAL:
        return f"its reply is {row['status']}"
    if not case.topics.roads.get(trace, {}).get(ROAD[-1]):
        return f"no {ROAD[-1]}"
    if not message["outcome"]:
        return "the message's row says no outcome"
    recorded = case.tables.recorded.get(trace, {})
    wrong = {topic: recorded.get(topic, 0) for topic in ROAD if recorded.get(topic, 0) != 1}
    return f"the record has {wrong}" if wrong else ""


def _strangers(case: Case, verdict: Verdict) -> None:
    """Nothing came of what nobody handed in."""
    known = {told.event_id for told in case.told}
    for message_id in case.tables.messages.keys() - known:
        verdict.violations.append(Violation("stranger", "a message that nobody wrote", message_id))
    for message_id in case.tables.outgoing.keys() - known:
        verdict.violations.append(Violation("stranger", "a reply to nobody", message_id))


def _ledger(case: Case, verdict: Verdict) -> None:
    """What the provider took, it took once, and our rows say so."""
    message_of = {row["reply_id"]: name for name, row in case.tables.outgoing.items()}
    taken = Counter(line["reply_id"] for line in case.ledger.taken)
    verdict.counts["replies in the provider's ledger"] = len(taken)
    for reply_id, times in taken.items():
        message_id = message_of.get(reply_id, "")
        if times > 1:
            verdict.violations.append(
                Violation("twice", f"{reply_id} left {times} times", message_id)
            )
        if not message_id:
            verdict.violations.append(Violation("no row", f"{reply_id} left, unknown to us"))
            continue
        status = case.tables.outgoing[message_id]["status"]
        if status not in LEFT:
            what = f"{reply_id} left, its row says {status}"
            verdict.violations.append(Violation("row", what, message_id))
    for message_id, row in case.tables.outgoing.items():
        if row["status"] in LEFT and row["reply_id"] not in taken:
            what = f"{row['reply_id']} is said to be {row['status']}, the provider never had it"
            verdict.violations.append(Violation("row", what, message_id))
    bad = [line for line in case.ledger.calls if line["what"] in OUR_FAULT]
    verdict.violations += [
        Violation("bad call", f"{line['what']} for {line['reply_id']}") for line in bad
    ]


def _order(case: Case, verdict: Verdict) -> None:
    """Replies left in the order in which their messages were acknowledged, per conversation."""
    message_of = {row["reply_id"]: name for name, row in case.tables.outgoing.items()}
    place_of = {told.event_id: told.place for told in case.told}
    left: dict[str, list[str]] = defaultdict(list)
    for line in case.ledger.taken:
        message_id = message_of.get(line["reply_id"])
        if message_id and message_id not in left[line["to"]]:
            left[line["to"]].append(message_id)
    for sender, names in left.items():
        places = [place_of.get(name, -1) for name in names]
        for before, place, name in zip(places, places[1:], names[1:], strict=False):
            if place < before:
                what = f"the reply to message {place + 1} of {sender} left after {before + 1}"
                verdict.violations.append(Violation("order", what, name))
    verdict.counts["conversations whose order was compared"] = sum(
        len(names) > 1 for names in left.values()
    )


def _dead(case: Case, verdict: Verdict) -> None:
    """Dead letters are the poison that was put in, and no other."""
    keys = {letter.key for letter in case.topics.dead}
    origins = {letter.origin for letter in case.topics.dead}
    verdict.counts["poison put in"] = len(case.poison.sent)
    verdict.counts["dead letters"] = len(keys)
    verdict.counts["dead letters written again"] = len(case.topics.dead) - len(origins)
    for letter in case.topics.dead:
        if letter.key not in case.poison.sent | case.poison.tried:
            message_id = _dashed(letter.trace_id)
            verdict.violations.append(Violation("dead", letter.reason, message_id))
    verdict.violations += [
        Violation("dead", f"{key} was put in and did not become a dead letter")
        for key in sorted(case.poison.sent - keys)
    ]


def _dashed(trace: str) -> str:
    cuts = (trace[:8], trace[8:12], trace[12:16], trace[16:20], trace[20:])
    return "-".join(cuts) if trace else ""


def _unknowns(case: Case, verdict: Verdict) -> None:
    """Count by what the calls were settled whose outcome could not be known."""
    told: dict[str, float] = {}
    looked: dict[str, float] = {}
    for line in case.ledger.calls:
        if line["what"] == "callback" and 200 <= line["answer"] < 300:
            told.setdefault(line["reply_id"], line["at"])
        elif line["what"] == "look-up" and line["answer"] in {200, 404}:
            looked.setdefault(line["reply_id"], line["at"])
    verdict.counts["look-ups"] = sum(line["what"] == "look-up" for line in case.ledger.calls)
    verdict.counts["callbacks"] = sum(line["what"] == "callback" for line in case.ledger.calls)
    unknown = {line["reply_id"] for line in case.ledger.calls if line.get("fault") in UNKNOWN}
    verdict.counts.update(
        f"fault {line['fault']}" for line in case.ledger.calls if line.get("fault", "ok") != "ok"
    )
    orphans = looked.keys() - unknown
    verdict.counts["replies of killed processes settled by look-up"] = len(orphans)
    ends = {row["reply_id"]: row["status"] for row in case.tables.outgoing.values()}
    verdict.counts["unknown outcomes"] = len(unknown)
    for reply_id in unknown:
        never = float("inf")
        if ends.get(reply_id) not in FINAL:
            how = "left to a person"
        elif told.get(reply_id, never) < looked.get(reply_id, never):
            how = "settled by callback"
        elif reply_id in looked:
            how = "settled by look-up"
        else:
            how = "settled otherwise"
        verdict.counts[f"unknown outcomes {how}"] += 1


def grown(memory: Sequence[tuple[float, float]]) -> tuple[float, float] | None:
    """Return the mean MiB of a life's second and last quarter; nothing for a short life."""
    if not memory or memory[-1][0] < LONG_LIFE_S:
        return None
    life = memory[-1][0]
    second = _mean(mib for age, mib in memory if life / 4 <= age < life / 2)
    last = _mean(mib for age, mib in memory if age >= life * 3 / 4)
    return second, last


def is_flat(second: float, last: float) -> bool:
    """Say whether memory stayed where it was, within 10 % and 10 MiB."""
    return last <= second * (1 + GROWTH) + GROWTH_MIB


def _mean(values: Iterable[float]) -> float:
    found = list(values)
    return sum(found) / max(len(found), 1)
