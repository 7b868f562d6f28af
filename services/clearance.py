"""What a batch of drafts becomes, by the rules and by the record, in one transaction."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlmodel import Session, col

from knowledge.wording import Wording
from schemas.printer import ReplyDrafted
from schemas.vocabulary import SendStatus
from services import permission
from services.addresses import line_of, plain
from services.permission import COMMANDS, Facts, Verdict
from services.quiet import Quiet
from services.settings_policy import PolicySettings
from services.texting import BY_TEXT, fitted
from storage import breaker, outbox
from storage import permission as record
from storage.tables import Outgoing

log = logging.getLogger(__name__)

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
FEW = 20
"""Failures below which a share of them means nothing."""

Row = dict[str, Any]
Line = tuple[str, str]
Place = tuple[str, str]


@dataclass(frozen=True)
class Rules:
    """What is the same for all drafts."""

    limits: PolicySettings
    quiet: Quiet
    wording: Wording
    signature: str


def clear(
    session: Session, events: Sequence[ReplyDrafted], rows: Sequence[Row], rules: Rules
) -> tuple[list[Row], list[Verdict]]:
    """Decide drafts, each with its row of the outbox, and write down what follows.

    A draft that was decided before, or whose message was, is left out: it is never decided twice.
    """
    there = outbox.there_already(session, [row["message_id"] for row in rows])
    first = {row["message_id"]: place for place, row in reversed([*enumerate(rows)])}
    places = [place for name, place in first.items() if name not in there]
    pairs = [(events[place], rows[place]) for place in sorted(places)]
    if not pairs:
        return [], []
    now = pairs[0][1]["created_at"]
    batch = _begin(session, pairs, rules, now)
    for event, row in pairs:
        batch.clear(event, row)
    outbox.record(session, batch.rows)
    return batch.rows, batch.verdicts


def _begin(
    session: Session, pairs: Sequence[tuple[ReplyDrafted, Row]], rules: Rules, now: datetime
) -> Clearance:
    limits = rules.limits
    asked = record.Asked(
        conversations={row["conversation_id"] for _, row in pairs},
        addresses={row["address"] for _, row in pairs},
        plain={place for event, _ in pairs for place in _places(event)},
        lines={line for event, row in pairs if (line := _line(event, row))},
    )
    known = record.known(
        session,
        asked,
        now,
        senders_since=now - timedelta(minutes=limits.sender_minutes),
        conversations_since=now - DAY,
        not_counted=COMMANDS,
    )
    last = breaker.last(session)
    over = breaker.over_since(last) or now - DAY
    since = max(now - timedelta(minutes=limits.desk_minutes), over)
    of_desk = breaker.left_since(session, since) if limits.desk_replies else 0
    batch = Clearance(session, rules, now, known, breaker.is_open(last, now), of_desk)
    if limits.failed_percent and not batch.is_open:
        sent, failed = breaker.ended_since(session, max(now - HOUR, over))
        if failed >= FEW and failed * 100 >= limits.failed_percent * (sent + failed):
            batch.stop_the_desk("failing", f"{failed} of {sent + failed} replies failed")
    return batch


def _line(event: ReplyDrafted, row: Row) -> Line | None:
    """Return between which numbers a text message goes: (ours, theirs)."""
    channel = event.message.channel
    if channel not in BY_TEXT:
        return None
    return line_of(channel, row["ours"], event.message.sender)


def _places(event: ReplyDrafted) -> list[Place]:
    """Return where suppressions have the address: a number is one for texts and calls."""
    channel = event.message.channel
    address = plain(channel, event.message.sender)[:320]
    return [(each.value, address) for each in (BY_TEXT if channel in BY_TEXT else (channel,))]


@dataclass
class Clearance:
    """Goes through a batch, draft by draft: what one becomes is a fact to the next."""

    session: Session
    rules: Rules
    now: datetime
    known: record.Known
    is_open: bool
    of_desk: int
    rows: list[Row] = field(default_factory=list)
    verdicts: list[Verdict] = field(default_factory=list)

    def clear(self, event: ReplyDrafted, row: Row) -> None:
        """Decide a draft, and write down what follows from it."""
        line, places = _line(event, row), _places(event)
        facts = self._facts(row, line, places)
        verdict = permission.judge(event, facts, self.rules.limits)
        row = fitted(row | self._changes(event, row, verdict, first=facts.first))
        self.verdicts.append(verdict)
        if not event.message.trial:
            if verdict.opens_breaker:
                minutes = self.rules.limits.desk_minutes
                self.stop_the_desk("too_many", f"{facts.of_desk} replies in {minutes} minutes")
            self._obey(verdict, line, row)
        self.rows.append(row)
        if row["status"] == SendStatus.QUEUED.value:
            self._count(row)

    def _facts(self, row: Row, line: Line | None, places: Sequence[Place]) -> Facts:
        known, conversation = self.known, row["conversation_id"]
        theirs = known.senders[row["channel"], row["address"]]
        subject = permission.subject_of(row["subject"])
        return Facts(
            suppressed=not known.suppressed.isdisjoint(places),
            stopped=line in known.stopped,
            silenced=conversation in known.silenced,
            breaker=self.is_open,
            to_sender=theirs.total(),
            under_subject=sum(n for s, n in theirs.items() if permission.subject_of(s) == subject),
            in_conversation=known.conversations[conversation],
            of_desk=self.of_desk,
            first=conversation not in known.begun,
        )

    def _changes(self, event: ReplyDrafted, row: Row, verdict: Verdict, *, first: bool) -> Row:
        rules, now, door = self.rules, row["created_at"], row["outbound"]
        changes: Row = {
            "action": verdict.action.value,
            "reason": verdict.reason,
            "text": permission.text_of(event, verdict, rules.wording, rules.signature, first=first),
            "next_attempt_at": permission.leaves_at(event, verdict, rules.quiet, now, door),
        }
        if not verdict.leaves:
            changes |= {"status": SendStatus.NONE.value, "outbound": ""}
        return changes

    def _count(self, row: Row) -> None:
        self.known.senders[row["channel"], row["address"]][row["subject"]] += 1
        self.known.conversations[row["conversation_id"]] += 1
        self.of_desk += 1
        if row["reason"] not in COMMANDS:
            self.known.begun.add(row["conversation_id"])

    def _obey(self, verdict: Verdict, line: Line | None, row: Row) -> None:
        """Write down what a customer asked for with these words."""
        session, conversation = self.session, row["conversation_id"]
        if line and row["reason"] == "stop":
            self.known.stopped.add(line)
            record.consent(session, line, record.STOPPED, "sms", self.now)
            outbox.record(session, self.rows)
            theirs = col(Outgoing.address) == row["address"]
            record.withdraw(session, "stopped", theirs, channel=row["channel"], ours=row["ours"])
        elif line and row["reason"] == "start":
            self.known.stopped.discard(line)
            record.consent(session, line, record.GRANTED, "sms", self.now)
        elif row["reason"] == permission.SILENCES:
            self.known.silenced.add(conversation)
            outbox.record(session, self.rows)
            record.silence(session, conversation, "customer", self.now)
        if verdict.leaves and row["reason"] in permission.URGENT:
            outbox.record(session, self.rows)
            record.bring_forward(session, conversation, self.now)

    def stop_the_desk(self, reason: str, detail: str) -> None:
        """Have nothing leave by itself from here on."""
        minutes = self.rules.limits.stopped_minutes
        until = self.now + timedelta(minutes=minutes) if minutes else None
        breaker.open_(self.session, reason, detail, self.now, until)
        self.is_open = True
        goes_on = f"until {until:%H:%M} UTC" if until else "until `astreinte breaker close`"
        log.error("%s: no reply leaves by itself %s", detail, goes_on)
