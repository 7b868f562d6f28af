"""Whether a reply may leave by itself: now, later, as a hand-over instead, or not at all. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime

from knowledge.wording import Wording
from schemas.printer import ReplyDrafted
from schemas.vocabulary import Action, Channel
from services.quiet import Quiet
from services.settings_policy import PolicySettings
from services.texting import BY_TEXT

COMMANDS = ("stop", "start", "help")
"""Reasons of replies that confirm a command. They are no answers of a machine, and tell nobody."""
OBEYED = ("stop", "start")
"""Of them, those that hold even where their confirmation may not leave."""
URGENT = frozenset({*COMMANDS, "danger"})
"""Reasons of replies that wait for no morning."""
WAKES_NOBODY = "console"
"""The door whose replies are only shown there."""
SILENCES = "asked_for_person"
"""The reason of the reply after which the machine is silent in a conversation."""

_PREFIX = re.compile(
    r"^(\s|(re|ré|rép|aw|antw|sv|tr|fw|fwd|wg|auto|réponse automatique|automatic reply)"
    r"\s*(\[\d+\])?\s*:|\[[^\]]*\])+",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Facts:
    """What the record says of a reply's addressee, conversation and desk.

    Attributes
    ----------
    suppressed
        Nothing is sent to the address.
    stopped
        They told our number to STOP.
    silenced
        A person has the conversation.
    breaker
        The whole desk is stopped.
    to_sender, under_subject, in_conversation, of_desk
        Automatic replies that left or are to leave, each within its window.
    first
        None has left in this conversation, ever.
    """

    suppressed: bool = False
    stopped: bool = False
    silenced: bool = False
    breaker: bool = False
    to_sender: int = 0
    under_subject: int = 0
    in_conversation: int = 0
    of_desk: int = 0
    first: bool = True


@dataclass(frozen=True)
class Verdict:
    """What is done with a draft.

    `leaves` is false where nothing may; `closing`: a hand-over leaves instead, the last message
    before the machine is silent; `opens_breaker`: this one was too many for the desk.
    """

    action: Action
    reason: str
    leaves: bool = True
    closing: bool = False
    opens_breaker: bool = False

    @property
    def outcome(self) -> str:
        """What is counted: reply, handoff or ignore, or that it was withheld."""
        withheld = not self.leaves and self.action is Action.HANDOFF
        return "withheld" if withheld else self.action.value


def judge(event: ReplyDrafted, facts: Facts, limits: PolicySettings) -> Verdict:
    """Say what is done with a draft."""
    draft = event.draft
    as_drafted = Verdict(draft.action, draft.reason)
    if draft.action is Action.IGNORE or event.message.trial:
        return replace(as_drafted, leaves=draft.action is not Action.IGNORE)
    over = _over(event, facts, limits)
    barred = _barred(draft.reason, facts) or ("too_many" if over > 0 else "")
    if draft.reason in OBEYED:
        again = draft.reason == "stop" and facts.stopped
        return replace(as_drafted, leaves=not (barred or again))
    if barred:
        return Verdict(Action.HANDOFF, barred, leaves=False)
    if limits.desk_replies and facts.of_desk >= limits.desk_replies:
        return Verdict(Action.HANDOFF, "breaker", leaves=False, opens_breaker=True)
    if over == 0 and draft.action is Action.REPLY and draft.reason not in COMMANDS:
        return Verdict(Action.HANDOFF, "too_many", closing=True)
    return as_drafted


def _barred(reason: str, facts: Facts) -> str:
    """Return why nothing may leave, the first that holds; `reason` is that of the draft."""
    if facts.suppressed:
        return "suppressed"
    if facts.stopped and reason not in COMMANDS:
        return "stopped"
    if facts.breaker:
        return "breaker"
    return "silenced" if facts.silenced and reason not in COMMANDS else ""


def _over(event: ReplyDrafted, facts: Facts, limits: PolicySettings) -> int:
    """Return by how many replies the nearest limit was passed; below zero: room is left.

    At zero one last message says that a person takes over.
    """
    counted = [(facts.to_sender, limits.sender_replies)]
    counted.append((facts.in_conversation, limits.conversation_replies))
    if event.message.channel is Channel.EMAIL:
        counted.append((facts.under_subject, limits.same_subject))
    return max((count - limit for count, limit in counted if limit), default=-1)


def subject_of(subject: str) -> str:
    """Return what is the same in `Re: [#12] Panne`, `AW: Panne` and `panne`."""
    return _PREFIX.sub("", subject[:998]).strip().casefold()


def leaves_at(
    event: ReplyDrafted, verdict: Verdict, quiet: Quiet, now: datetime, outbound: str
) -> datetime:
    """Return when a reply may leave by a door: what is urgent now, else by its channel's hours."""
    if not verdict.leaves or verdict.reason in URGENT or outbound == WAKES_NOBODY:
        return now
    return quiet.may_leave(event.message.channel.value, now)


def text_of(
    event: ReplyDrafted, verdict: Verdict, wording: Wording, signature: str, *, first: bool
) -> str:
    """Return what leaves: the draft or a hand-over, and once for each conversation what wrote it.

    The European AI Act (article 50) has people told, at the first contact, that a machine writes.
    How a person is reached stands in each reply, and a hand-over is on its way to one.
    """
    words = wording.of(event.classification.language)
    by_text = event.message.channel in BY_TEXT
    text = event.draft.text
    if verdict.closing and by_text:
        text = f"{words.handoff['too_many']} ({signature})"
    elif verdict.closing:
        signed = words.signed.format(signature=signature)
        text = "\n\n".join([words.greeting, words.handoff["too_many"], signed])
    if not first or not verdict.leaves or verdict.reason in COMMANDS:
        return text
    if by_text:
        return f"{text} {words.machine_sms}"
    machine = words.machine_handoff if verdict.action is Action.HANDOFF else words.machine
    return f"{text}\n\n{machine}"
