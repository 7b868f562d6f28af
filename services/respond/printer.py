"""Whether to answer, and in which words. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import datetime

from knowledge.wording import Command, Wording
from schemas.findings import DeviceCard, Draft, Passage
from schemas.printer import MessageGrounded, ReplyDrafted
from schemas.vocabulary import Action, Category, Channel, Intent, Language, Priority
from services import questions, replies
from services.replies import Sender, Text

NEEDED: Mapping[Category, float] = {
    Category.TECHNICAL: 0.0,
    Category.INFORMATION: 0.6,
    Category.OTHER: 0.6,
    Category.ORDER: 0.75,
    Category.BILLING: 0.9,
    Category.COMPLAINT: 0.9,
}
"""Score that the best article needs when the message seems to be about something else: a doubtful
category may be overruled by a good article, a complaint hardly ever."""
NEEDED_OFF_TOPIC = 0.95
NEEDED_VISIT = 0.9
"""A wish for a technician is overruled only by an article that is all but certain."""
NEEDED_BY: Mapping[Intent, float] = {
    Intent.OFF_TOPIC: NEEDED_OFF_TOPIC,
    Intent.TECHNICIAN_VISIT: NEEDED_VISIT,
    Intent.HUMAN_REQUEST: math.inf,
}
BY_A_PERSON: Mapping[Intent, str] = {
    Intent.HUMAN_REQUEST: "asked_for_person",
    Intent.TECHNICIAN_VISIT: "technician",
    Intent.OFF_TOPIC: "off_topic",
}
NO_ANSWER: Mapping[Intent, tuple[str, float]] = {
    Intent.THANKS: ("thanks", 0.6),
    Intent.ADVERTISING: ("advertising", 0.8),
}
"""Intents that need no answer, and the confidence from which we dare to give none."""

_PERSON = re.compile(
    r"^\W*(humain|human|agent|personne|person|conseill[eè]re?|op[ée]rateur|operator)"
    r"\W{0,9}(svp|s'il vous pla[iî]t|please)?\W{0,9}$|"
    r"\b(parler (à|a|avec) (une? )?(personne|humain|conseill\w+|quelqu'un)|"
    r"(speak|talk) (to|with) (a |an )?(person|human|agent|someone))\b",
    re.IGNORECASE,
)
_WARRANTY = re.compile(r"\b(garanti\w*|warrant\w*|guarantee)\b", re.IGNORECASE)
UNSURE = 0.6
"""Score that the best article needs at least where the classifiers are not sure enough to answer
alone."""
OF_A_PART = 0.6
"""Score that an article needs to answer one question of several."""


def decide(event: MessageGrounded) -> tuple[Action, str]:
    """Return what to do and the reason, a word of `wording.yaml`'s `reasons`."""
    seen = event.classification
    usable = grounds(event)
    best = usable[0].score if usable else 0.0
    if event.message.automatic:
        return Action.IGNORE, "automatic"
    if seen.priority is Priority.CRITICAL:
        return Action.HANDOFF, "danger"
    if _PERSON.search(event.message.text):
        return Action.HANDOFF, "asked_for_person"
    if seen.intent in NO_ANSWER and best < NEEDED[Category.OTHER]:
        reason, needed = NO_ANSWER[seen.intent]
        if seen.intent_confidence >= needed:
            return Action.IGNORE, reason
    if usable and best >= needed_by(event):
        return Action.REPLY, "grounded"
    return Action.HANDOFF, _reason(event)


def needed_by(event: MessageGrounded) -> float:
    """Return the score that the best article needs to answer a message."""
    seen = event.classification
    if questions.answers_ours(event.earlier) and seen.intent not in BY_A_PERSON:
        return 0.0  # « une C750 » says little about what it is about: we asked
    needed = NEEDED_BY.get(seen.intent, NEEDED[seen.category])
    return max(needed, UNSURE) if seen.alone is False else needed


def grounds(event: MessageGrounded) -> tuple[Passage, ...]:
    """Return the passages that a reply may rest on: what another customer was told is not one."""
    return tuple(one for one in event.passages if one.kind != "conversation")


def command(event: MessageGrounded, wording: Wording) -> tuple[Command, Language] | None:
    """Return what a text message commands (STOP, START, HELP), and the language to confirm it in.

    It obeys whatever the classifiers thought of it: a word alone tells them nothing.
    """
    message = event.message
    if message.channel is not Channel.SMS or message.automatic:
        return None
    found = wording.command(message.text)
    return found and (found[0], found[1] or event.classification.language)


def _reason(event: MessageGrounded) -> str:
    seen = event.classification
    if seen.intent in BY_A_PERSON:
        return BY_A_PERSON[seen.intent]
    if seen.category in {
        Category.ORDER,
        Category.BILLING,
        Category.COMPLAINT,
        Category.INFORMATION,
    }:
        return seen.category.value
    return "no_passage"


def draft(event: MessageGrounded, wording: Wording, sender: Sender, now: datetime) -> ReplyDrafted:
    """Decide, and put it into words by template."""
    if commanded := command(event, wording):
        action, reason = Action.REPLY, str(commanded[0])
        said = wording.of(commanded[1]).commands[commanded[0]]
        text = Text(said.format(signature=sender.signature, contact=sender.reached))
    else:
        action, reason, text = _said(event, wording, sender)
    made = Draft(
        action=action,
        reason=reason,
        text=text.said,
        how="template",
        sources=text.sources,
        citations=tuple(text.citations),
        confidence=_confidence(event, text),
    )
    why = f"{action.fr} : {wording.reason(reason, Language.FR)}"
    return ReplyDrafted.after(event, now, draft=made, why=why)


def _said(event: MessageGrounded, wording: Wording, sender: Sender) -> tuple[Action, str, Text]:
    action, reason = decide(event)
    if action is Action.IGNORE:
        return action, reason, Text()
    if reason in {"danger", "asked_for_person"}:
        return action, reason, Text(replies.handed_over(event, reason, wording, sender))
    if device := _warranty_asked(event):
        text = replies.warranty(event, device, wording, sender)
        return Action.REPLY, "warranty", text
    if asked := questions.follow_up(event, action, reason):
        return Action.REPLY, asked, Text(replies.ask(event, asked, wording, sender))
    answers = answered(event, action)
    if any(answers):
        if None in answers:
            action, reason = Action.HANDOFF, "partly"
        else:
            action, reason = Action.REPLY, "grounded"
        text = replies.reply(event, answers, wording, sender)
        if text.citations:
            return action, reason, text
        action, reason = Action.HANDOFF, "no_passage"  # a document of which nothing may be said
    return action, reason, Text(replies.handed_over(event, reason, wording, sender))


def answered(event: MessageGrounded, action: Action) -> tuple[Passage | None, ...]:
    """Return the passage that answers each question of a message, or none of it at all."""
    usable, seen = grounds(event), event.classification
    parts = len(questions.searched(event))
    if parts == 1 or seen.category is Category.COMPLAINT or seen.intent in BY_A_PERSON:
        return usable[:1] if action is Action.REPLY else ()
    found: list[Passage | None] = []
    for number in range(parts):
        best = next((one for one in usable if one.part == number), None)
        sure = best if best and best.score >= OF_A_PART else None
        if sure is None or sure.article not in {one.article for one in found if one}:
            found.append(sure)
    if not any(found):
        return usable[:1] if action is Action.REPLY else ()
    return tuple(found)


def _warranty_asked(event: MessageGrounded) -> DeviceCard | None:
    """Return the customer's device, where they ask about its warranty and the record knows."""
    device = event.device
    asks = event.classification.intent is Intent.CONTRACT_INFORMATION
    if device and device.warranty_until and device.under_warranty is not None and asks:
        return device if _WARRANTY.search(event.message.text) else None
    return None


def _confidence(event: MessageGrounded, text: Text) -> float | None:
    """Return how sure the passages are that a reply rests on: as sure as the least of them."""
    scores = [one.score for one in event.passages if one.article in text.sources]
    return min(scores, default=None)


def may_be_reworded(event: ReplyDrafted) -> bool:
    """Say whether a model may put a reply into its words.

    Only an answer to all that was asked, in a channel without a price for length, from passages in
    the customer's language: a translation cannot be checked.
    """
    return (
        event.draft.reason == "grounded"
        and event.message.channel not in replies.BRIEF
        and all(one.language is event.classification.language for one in cited(event))
    )


def cited(event: ReplyDrafted) -> tuple[Passage, ...]:
    """Return the passages that a draft rests on, in its order."""
    return tuple(
        next(one for one in event.passages if one.article == name) for name in event.draft.sources
    )
