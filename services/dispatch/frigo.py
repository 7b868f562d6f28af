"""Who is told what of an alarm, and when the next look at it is due. Pure.

A message belongs to an episode, its leader, and tells of all that came with it. `plan` says from
what is, not from what happened: asked twice it answers the same, so a step that was interrupted is
taken again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from schemas.vocabulary import SendStatus
from services.cards import Case, card_of, end_card, word

RAISED, CLEARED = "raised", "cleared"
LOST = frozenset({SendStatus.FAILED.value, SendStatus.UNKNOWN.value})
SHELF = timedelta(hours=8)
MAX_SHELF = timedelta(days=7)


@dataclass(frozen=True)
class Recipient:
    """Somebody on call, by one door, and how long others had before."""

    name: str
    outbound: str
    address: str
    after: timedelta = timedelta(0)


@dataclass(frozen=True)
class Told:
    """A message that there is. `complete`: it was over before the first edition left."""

    kind: str
    outbound: str
    address: str
    status: str
    recipient: str = ""
    complete: bool = False


@dataclass(frozen=True)
class Notice:
    """A message that there is to be."""

    kind: str
    recipient: Recipient
    card: Mapping[str, Any]


@dataclass(frozen=True)
class Plan:
    """What to do: the card that open messages show, messages to add, when to look again."""

    card: Mapping[str, Any]
    notices: tuple[Notice, ...] = ()
    reminded_at: datetime | None = None
    due_at: datetime | None = None


def plan(
    cases: Sequence[Case],
    told: Sequence[Told],
    on_call: Sequence[Recipient],
    renotify: timedelta,
    now: datetime,
) -> Plan:
    """Say what is to be done about a message.

    Parameters
    ----------
    cases
        The leader, then whoever is told with it.
    told
        The messages that there are.
    on_call
        Whom to tell, in order.
    renotify
        An open episode is said again after so long; zero: never.
    now
        With its zone.
    """
    leader = cases[0]
    going_on = [case for case in cases if case.ended_at is None]
    card = card_of(cases, now)
    if not going_on:
        last = _end(told, cases, now) if told else _belated(card, cases, on_call)
        return Plan(card, last, leader.reminded_at)
    waits = [w for case in going_on if (w := _silent_until(case, now))]
    if len(waits) == len(going_on):
        ends = [until for until in waits if until is not _NEVER]
        return Plan(card, (), leader.reminded_at, min(ends, default=None))
    since = (leader.announced_at if any(each.kind == RAISED for each in told) else None) or now
    notices, next_step = _steps(card, told, on_call, since, now, acked=bool(leader.acknowledged_by))
    reminders, reminded_at, next_reminder = _reminders(card, leader, told, renotify, now)
    dues = [*filter(None, (next_step, next_reminder))]
    dues += [until for until in waits if until is not _NEVER]
    return Plan(card, (*notices, *reminders), reminded_at, min(dues, default=None))


_NEVER = datetime.max.replace(tzinfo=UTC)


def _silent_until(case: Case, now: datetime) -> datetime | None:
    """Return until when nobody is told of a case; nothing: it is told now."""
    if case.out_of_service:
        return _NEVER
    return case.shelved_until if case.shelved_until and case.shelved_until > now else None


def _steps(
    card: Mapping[str, Any],
    told: Sequence[Told],
    on_call: Sequence[Recipient],
    since: datetime,
    now: datetime,
    *,
    acked: bool,
) -> tuple[list[Notice], datetime | None]:
    """Return whom to tell now, and when the next one is due."""
    there = {(each.outbound, each.address): each for each in told if each.kind == RAISED}
    notices: list[Notice] = []
    steps = sorted({each.after for each in on_call})
    for step in steps:
        group = [each for each in on_call if each.after == step]
        known = [found for each in group if (found := there.get((each.outbound, each.address)))]
        reached = any(found.status not in LOST for found in known)
        if known and not reached:
            continue  # none of them got it: the next ones are told at once
        if acked and there:
            return notices, None
        first = not there and not notices
        lost = not first and not _any_reached(there, notices)
        if not known and not (first or lost) and since + step > now:
            return notices, since + step
        new = [each for each in group if (each.outbound, each.address) not in there]
        notices += [Notice(RAISED, each, card) for each in new]
    return notices, None


def _any_reached(there: Mapping[Any, Told], notices: Sequence[Notice]) -> bool:
    return bool(notices) or any(each.status not in LOST for each in there.values())


def _reminders(
    card: Mapping[str, Any],
    leader: Case,
    told: Sequence[Told],
    renotify: timedelta,
    now: datetime,
) -> tuple[list[Notice], datetime | None, datetime | None]:
    """Return what is said again, when that was, and when it is next."""
    since, last = leader.announced_at or now, leader.reminded_at
    raised = [each for each in told if each.kind == RAISED]
    shelf = leader.shelved_until
    back = bool(raised and shelf and shelf <= now and (last is None or last < shelf))
    every = renotify or timedelta(0)
    due = bool(raised and every and (last or since) + every <= now)
    if back or due:
        text = {**card, "title": f"{word(card, 'Rappel', 'Reminder')} : {card['title']}"[:255]}
        kind = f"again-{int(now.timestamp()) // 60:x}"
        again = [
            Notice(kind, Recipient(each.recipient, each.outbound, each.address), text)
            for each in raised
        ]
        return again, now, now + every if every else None
    return [], last, (last or since) + every if every else None


def _belated(
    card: Mapping[str, Any], cases: Sequence[Case], on_call: Sequence[Recipient]
) -> tuple[Notice, ...]:
    """Return the one message of what was over before anybody could be told."""
    known = any(case.out_of_service or case.shelved_until for case in cases)
    if known or not cases[0].announced_at:
        return ()
    first = min((each.after for each in on_call), default=None)
    return tuple(Notice(RAISED, each, card) for each in on_call if each.after == first)


def _end(told: Sequence[Told], cases: Sequence[Case], now: datetime) -> tuple[Notice, ...]:
    """Return the one message of the end, for whoever may have seen the beginning."""
    over = {(each.outbound, each.address) for each in told if each.kind == CLEARED}
    seen = [
        each
        for each in told
        if each.kind == RAISED
        and not each.complete
        and each.status != SendStatus.QUEUED.value
        and (each.outbound, each.address) not in over
    ]
    card = end_card(cases, now)
    return tuple(
        Notice(CLEARED, Recipient(each.recipient, each.outbound, each.address), card)
        for each in seen
        if each.status != SendStatus.FAILED.value
    )
