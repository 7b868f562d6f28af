"""The edge of respond: one function for each topic."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Collection, Sequence
from datetime import UTC, datetime
from typing import Any

from ai.llm import Ask, Filled, NoAnswer, Shape
from ai.models import Models
from knowledge.wording import Wording
from schemas.event import Event
from schemas.frigo import AlertDrafted, AlertGrounded
from schemas.printer import MessageGrounded, ReplyDrafted
from services import metrics, prompting, tracing
from services.grounding import Objection
from services.policy import Handler
from services.prompting import Written
from services.replies import Sender
from services.respond import frigo, printer

log = logging.getLogger(__name__)

NOBODY = "none"
TRIES = 2
"""An answer that is refused is asked for once more, with what was wrong with it."""
TOKENS = 500
BUDGET_S = 60.0
"""For one try: a customer who writes is not kept longer for better words."""
ALERT_S = 8.0
"""An alarm waits no longer for better words."""


def grounded_messages(llm: Models | None, wording: Wording, sender: Sender) -> Handler:
    """Return the handler of `printer.grounded`."""

    async def handle(events: Sequence[MessageGrounded]) -> list[Sequence[Event]]:
        now = datetime.now(UTC)
        drafts = [printer.draft(event, wording, sender, now) for event in events]
        return [(await _in_better_words(drafted, llm, wording, sender),) for drafted in drafts]

    return handle


async def _in_better_words(
    drafted: ReplyDrafted, llm: Models | None, wording: Wording, sender: Sender
) -> ReplyDrafted:
    if llm is None or llm.resting or not printer.may_be_reworded(drafted):
        return drafted
    passages, began = printer.cited(drafted), time.perf_counter()
    given = prompting.prompt(drafted, passages, secrets.token_hex(3))
    refused: tuple[Objection, ...] = ()
    names = (drafted.message.sender_name,) if drafted.message.sender_name else ()
    backend, outcome, told = NOBODY, "none", drafted
    for _ in range(TRIES):
        asked = prompting.again(given, refused) if refused else given
        ask = Ask("reply", prompting.SYSTEM, asked, Written, TOKENS, BUDGET_S, names=names)
        filled = await _fill(llm, ask)
        if filled is None:
            break
        refused = prompting.refused(filled.value, drafted, passages)
        backend, outcome = filled.backend, _judged(filled, [one.reason for one in refused])
        if not refused:
            told = prompting.reworded(
                drafted, filled.value, passages, filled.model, wording, sender
            )
            break
    tracing.asked("respond", drafted, backend, outcome, time.perf_counter() - began)
    return told


async def _fill(llm: Models, ask: Ask[Shape]) -> Filled[Shape] | None:
    try:
        return await llm.fill(ask)
    except NoAnswer as why:
        log.debug("template instead of a model: %s", why)
        metrics.LLM_CALLS.labels(NOBODY, "none").inc()
        return None


def _judged(filled: Filled[Any], reasons: Collection[str]) -> str:
    """Count what became of a model's words; return it."""
    outcome = "refused" if reasons else "taken"
    metrics.LLM_CALLS.labels(filled.backend, outcome).inc()
    metrics.LLM_DURATION.labels(filled.backend).observe(filled.seconds)
    if reasons:
        log.warning("the words of %s are refused: %s", filled.model, ", ".join(sorted(reasons)))
    return outcome


def grounded_alerts(llm: Models | None) -> Handler:
    """Return the handler of `frigo.grounded`."""

    async def handle(events: Sequence[AlertGrounded]) -> list[Sequence[Event]]:
        now = datetime.now(UTC)
        return [(await _reworded(frigo.draft(event, now), llm),) for event in events]

    return handle


async def _reworded(drafted: AlertDrafted, llm: Models | None) -> AlertDrafted:
    if llm is None or llm.resting or not frigo.may_be_reworded(drafted):
        return drafted
    system, user = frigo.prompt(drafted)
    ask = Ask("alert", system, user, frigo.Written, budget_s=ALERT_S, personal=False)
    filled = await _fill(llm, ask)
    if filled is None:
        return drafted
    objection = frigo.objection(filled.value.reply, drafted)
    if _judged(filled, [objection] if objection else []) == "refused":
        return drafted
    return frigo.reworded(drafted, filled.value.reply, filled.model)
