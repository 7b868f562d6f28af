"""The judge finds what it is there to find: each broken promise, and nothing in a clean case."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.chaos.evidence import ROAD, DeadLetter, Ledger, Seen, Tables, Topics
from tests.chaos.judge import Case, Poison, grown, is_flat, judge
from tests.chaos.load import Told, identity

SENDER = "visiteur"


def told(place: int, *, accepted: bool = True) -> Told:
    made = Told(f"m{place}", "chat", SENDER, place, "bonjour")
    made.event_id = str(identity("chat", made.name))
    made.accepted_at = 100.0 + place if accepted else 0.0
    return made


def clean(messages: int = 3) -> Case:
    """A case in which everything came through."""
    written = [told(place) for place in range(messages)]
    topics, tables, ledger = Topics(), Tables(), Ledger()
    for each in written:
        reply_id = f"reply-{each.place}"
        trace = each.event_id.replace("-", "")
        for topic in ROAD:
            detail = "sent" if topic == ROAD[-1] else ""
            topics.roads[trace][topic].append(Seen("0/1", 100.0, f"{topic}-{trace}", detail))
        tables.recorded[trace] = dict.fromkeys(ROAD, 1)
        tables.messages[each.event_id] = {"outcome": "answered"}
        tables.outgoing[each.event_id] = {
            "reply_id": reply_id,
            "status": "sent",
            "action": "reply",
        }
        ledger.taken.append({"reply_id": reply_id, "to": SENDER, "at": 101.0 + each.place})
    return Case(written, {SENDER: written}, topics, tables, ledger, Poison())


def broken(breaking: Callable[[Case, str, str], Any]) -> list[str]:
    """Break the second message of a clean case, and return the kinds of what is found."""
    case = clean()
    breaking(case, case.told[1].event_id, case.told[1].event_id.replace("-", ""))
    return [violation.kind for violation in judge(case).violations]


def test_nothing_is_wrong_with_a_clean_case():
    verdict = judge(clean())
    assert verdict.violations == []
    assert verdict.counts["accepted"] == 3


def test_a_message_without_any_trace_is_lost():
    def breaking(case: Case, name: str, trace: str) -> None:
        del case.tables.messages[name], case.tables.outgoing[name], case.topics.roads[trace]
        del case.ledger.taken[1]

    assert broken(breaking) == ["lost"]


@pytest.mark.parametrize("status", ["queued", "sending", "unknown"])
def test_a_reply_that_never_came_to_its_end_is_lost(status: str):
    def breaking(case: Case, name: str, trace: str) -> None:
        case.tables.outgoing[name]["status"] = status
        del case.ledger.taken[1]

    assert broken(breaking) == ["lost"]


def test_an_outcome_that_was_not_told_or_not_recorded_is_lost():
    assert broken(lambda case, name, trace: case.topics.roads[trace].pop(ROAD[-1])) == ["lost"]
    assert broken(lambda case, name, trace: case.tables.recorded[trace].pop(ROAD[3])) == ["lost"]
    assert broken(lambda c, name, trace: c.tables.recorded[trace].update({ROAD[3]: 2})) == ["lost"]
    assert broken(lambda c, name, trace: c.tables.messages[name].update(outcome="")) == ["lost"]


def test_a_message_nobody_promised_anything_about_may_have_no_outcome():
    case = clean()
    case.told = [*case.told, told(9, accepted=False)]
    assert judge(case).violations == []


def test_a_message_nobody_promised_anything_about_comes_through_whole_or_not_at_all():
    case = clean()
    case.told[1].accepted_at = 0.0
    assert judge(case).violations == []
    del case.tables.messages[case.told[1].event_id]
    assert [violation.kind for violation in judge(case).violations] == ["lost"]


def test_two_outcomes_contradict_each_other():
    def another(case: Case, name: str, trace: str) -> None:
        case.topics.roads[trace][ROAD[-1]].append(Seen("0/2", 1.0, "another id", "sent"))

    def failed(case: Case, name: str, trace: str) -> None:
        first = case.topics.roads[trace][ROAD[-1]][0]
        case.topics.roads[trace][ROAD[-1]].append(Seen("0/2", 1.0, first.event_id, "failed"))

    assert broken(another) == ["outcomes"]
    assert broken(failed) == ["outcomes"]


def test_the_same_outcome_told_again_is_one_outcome():
    case = clean()
    road = case.topics.roads[case.told[1].event_id.replace("-", "")]
    road[ROAD[-1]].append(road[ROAD[-1]][0])
    verdict = judge(case)
    assert verdict.violations == []
    assert verdict.counts["outcomes told again"] == 1


def test_a_reply_that_left_twice_is_found():
    assert broken(lambda c, name, trace: c.ledger.taken.append(c.ledger.taken[1])) == ["twice"]


def test_rows_and_ledger_have_to_agree():
    assert broken(lambda c, n, t: c.tables.outgoing[n].update(status="failed")) == ["row"]
    assert broken(lambda c, n, t: c.ledger.taken.pop(1)) == ["row"]
    unknown = {"reply_id": "never heard of", "to": "x", "at": 1.0}
    assert broken(lambda c, n, t: c.ledger.taken.append(unknown)) == ["no row"]


def test_replies_of_one_conversation_that_overtake_each_other_are_found():
    def breaking(case: Case, name: str, trace: str) -> None:
        case.ledger.taken[1], case.ledger.taken[2] = case.ledger.taken[2], case.ledger.taken[1]

    assert broken(breaking) == ["order"]


def test_what_nobody_handed_in_is_found():
    row = {"reply_id": "r", "status": "none", "action": "ignore"}
    assert broken(lambda c, n, t: c.tables.messages.update(x={"outcome": "a"})) == ["stranger"]
    assert broken(lambda c, n, t: c.tables.outgoing.update(x=row)) == ["stranger"]
    assert broken(lambda c, n, t: c.tables.on_the_road.append("c1")) == ["stuck"]


def test_dead_letters_are_the_poison_and_no_other():
    case = clean()
    case.poison = Poison(sent={"p1"}, tried={"p1", "p2"})
    assert [violation.kind for violation in judge(case).violations] == ["dead"]
    for key in ("p1", "p1", "p2"):
        case.topics.dead.append(DeadLetter("dead.rag", f"printer.extracted/0/{key}", key, "", ""))
    verdict = judge(case)
    assert verdict.violations == []
    assert verdict.counts["dead letters written again"] == 1
    trace = case.told[1].event_id.replace("-", "")
    case.topics.dead.append(DeadLetter("dead.rag", "printer.extracted/0/9", "c1", "why", trace))
    [violation] = judge(case).violations
    assert (violation.kind, violation.message_id) == ("dead", case.told[1].event_id)


def test_it_says_how_unknown_outcomes_were_settled():
    case = clean()
    calls = case.ledger.calls
    for place, fault in enumerate(("dropped_after", "hung_after", "error_before")):
        calls.append(
            {"what": "call", "reply_id": f"reply-{place}", "fault": fault, "at": 1.0, "answer": 0}
        )
    calls.append({"what": "callback", "reply_id": "reply-0", "at": 2.0, "answer": 202})
    calls.append({"what": "look-up", "reply_id": "reply-1", "at": 2.0, "answer": 500})
    calls.append({"what": "look-up", "reply_id": "reply-1", "at": 3.0, "answer": 200})
    calls.append({"what": "look-up", "reply_id": "reply-2", "at": 3.0, "answer": 404})
    counts = judge(case).counts
    assert counts["unknown outcomes"] == 3
    assert counts["unknown outcomes settled by callback"] == 1
    assert counts["unknown outcomes settled by look-up"] == 2


def test_memory_that_grows_is_told_from_memory_that_fills():
    filling = [(float(age), 100 + min(age, 60) * 1.0) for age in range(300)]
    leaking = [(float(age), 100 + age * 0.5) for age in range(300)]
    assert is_flat(*(grown(filling) or (0, 1e9)))
    assert not is_flat(*(grown(leaking) or (0, 0)))
    assert grown(leaking[:100]) is None
