"""The edge of respond: one function for each topic."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from ai.llm import NoAnswer
from ai.models import Models
from knowledge.wording import Wording
from schemas.event import Event
from schemas.frigo import AlertDrafted, AlertGrounded
from schemas.printer import MessageGrounded, ReplyDrafted
from services import metrics, tracing
from services.policy import Handler
from services.respond import frigo, printer
from services.respond.printer import Sender

log = logging.getLogger(__name__)

BACKEND = "ollama"
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
    if not drafted.draft.sources or llm is None or llm.resting:  # only articles are reworded
        return drafted
    if drafted.message.channel in printer.BRIEF:
        return drafted  # a text message is paid for by its length; the template's is short
    outcome, began = "none", time.perf_counter()
    try:
        answer = await llm.write(*printer.prompt(drafted, sender))
        objection = printer.objection(answer.text, drafted)
        outcome = "refused" if objection else "taken"
    except NoAnswer as why:
        log.debug("template instead of a model: %s", why)
        return drafted
    finally:
        metrics.LLM_CALLS.labels(BACKEND, outcome).inc()
        seconds = time.perf_counter() - began
        metrics.LLM_DURATION.labels(BACKEND).observe(seconds)
        tracing.asked("respond", drafted, BACKEND, outcome, seconds)
    if objection:
        log.warning("template instead of %s: %s", answer.model, objection)
        return drafted
    return printer.reworded(drafted, answer.text, answer.model, wording, sender)


def grounded_alerts(llm: Models | None) -> Handler:
    """Return the handler of `frigo.grounded`."""

    async def handle(events: Sequence[AlertGrounded]) -> list[Sequence[Event]]:
        now = datetime.now(UTC)
        return [(await _reworded(frigo.draft(event, now), llm),) for event in events]

    return handle


async def _reworded(drafted: AlertDrafted, llm: Models | None) -> AlertDrafted:
    if llm is None or llm.resting or not frigo.may_be_reworded(drafted):
        return drafted
    outcome, began, text, model = "none", time.perf_counter(), "", ""
    try:
        async with asyncio.timeout(ALERT_S):
            answer = await llm.write(*frigo.prompt(drafted))
        text, model = answer.text, answer.model
        objection = frigo.objection(text, drafted)
        outcome = "refused" if objection else "taken"
        if objection:
            log.warning("template instead of %s: %s", model, objection)
    except (NoAnswer, TimeoutError) as why:
        log.debug("template instead of a model: %s", why)
    finally:
        metrics.LLM_CALLS.labels(BACKEND, outcome).inc()
        metrics.LLM_DURATION.labels(BACKEND).observe(time.perf_counter() - began)
    return frigo.reworded(drafted, text, model) if outcome == "taken" else drafted
