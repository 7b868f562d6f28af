"""Which conversation a message belongs to, and when two machines only answer each other. Pure.

In this order: the tag in the address that it came to, signed by us; the mail that it answers, then
the ones before, newest first; the number in its subject; the same subject within a week. The tag
counts from whoever has it, the others from those who take part in the conversation.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from schemas.printer import InboundMessage
from schemas.tags import conversation_of
from schemas.vocabulary import Channel

SAME_CONVERSATION = timedelta(days=7)
"""A message after a longer silence begins a new conversation."""
LOOP = timedelta(hours=3)
"""As FreeScout's counters: who writes the same again within it is a machine."""
CLOSED = "closed"
"""The state in which somebody ended a conversation, or an import said so."""
MIN_LOOP_CHARACTERS = 20
MAX_LOOP_CHARACTERS = 2_000

_REPLY_PREFIX = re.compile(r"^\s*((re|ré|rép|tr|fw|fwd)\s*(\[\d+\])?\s*:\s*)+", re.IGNORECASE)
_NUMBER = re.compile(r"\[#\s?([A-Za-z0-9][\w.-]{0,39})\]")


class Open(Protocol):
    """A conversation that is there."""

    conversation_id: str
    customer_id: str
    channel: str
    subject: str
    state: str
    last_at: datetime


@dataclass(frozen=True)
class Ties:
    """What a message says of where it belongs: `tag` and `number` name conversations."""

    tag: str | None = None
    answers_to: tuple[str, ...] = ()
    number: str | None = None

    @property
    def names(self) -> set[str]:
        """The conversations that are named."""
        return {name for name in (self.tag, self.number) if name}


@dataclass(frozen=True)
class Place:
    """Where a message belongs.

    `conversation`: nothing for a new one; `follows`: the closed one that a new one comes from;
    `answers`: it is an answer to a mail of that conversation, not only under the same subject.
    """

    conversation: Open | None = None
    follows: str | None = None
    answers: bool = False


def ties_of(inbound: InboundMessage, secret: str) -> Ties:
    """Return what a message says of where it belongs; `secret` signed the tag."""
    answers_to = dict.fromkeys(
        name for name in (inbound.in_reply_to, *reversed(inbound.references)) if name
    )
    if inbound.channel is not Channel.EMAIL:
        return Ties(answers_to=tuple(answers_to))
    number = _NUMBER.search(inbound.subject)
    return Ties(
        conversation_of(inbound.to or "", secret), tuple(answers_to), number[1] if number else None
    )


def choose(
    inbound: InboundMessage,
    ties: Ties,
    known: Mapping[str, Open],
    threads: Mapping[str, str],
    open_ones: Sequence[Open],
    customer_id: str | None,
) -> Place:
    """Say where a message belongs.

    Parameters
    ----------
    inbound, ties
        The message, and what it says of it.
    known
        Conversations, by the names that ties and threads have for them.
    threads
        Conversations of Message-IDs.
    open_ones
        The sender's conversations, newest first.
    customer_id
        The sender, where they are known.
    """
    tagged = known.get(ties.tag or "")
    found = tagged or _of(inbound, ties, known, threads, customer_id)
    if found and found.state == CLOSED and not same_subject(inbound.subject, found.subject):
        return Place(follows=found.conversation_id, answers=True)
    if found:
        return Place(found, answers=True)
    return Place(_under_same_subject(inbound, open_ones))


def _of(
    inbound: InboundMessage,
    ties: Ties,
    known: Mapping[str, Open],
    threads: Mapping[str, str],
    customer_id: str | None,
) -> Open | None:
    heads = (known.get(threads.get(name[:255], "")) for name in ties.answers_to)
    thread = next((one for one in heads if one), None)
    numbered = known.get(ties.number or "")
    theirs = (one for one in (thread, numbered) if one and one.customer_id == customer_id)
    return next((one for one in theirs if one.channel == inbound.channel.value), None)


def _under_same_subject(inbound: InboundMessage, open_ones: Sequence[Open]) -> Open | None:
    for one in open_ones:
        apart = abs(inbound.received_at - one.last_at)
        if one.channel != inbound.channel.value or apart > SAME_CONVERSATION:
            continue
        if inbound.channel is not Channel.EMAIL or same_subject(inbound.subject, one.subject):
            return one
    return None


def same_subject(one: str, other: str) -> bool:
    """Say whether two subjects differ only in `Re:` and `Tr:`."""
    return (
        _REPLY_PREFIX.sub("", one).strip().lower() == _REPLY_PREFIX.sub("", other).strip().lower()
    )


def is_loop(text: str, at: datetime, said: Iterable[tuple[str, datetime]]) -> bool:
    """Say whether an answer says what its sender said before, but for numbers.

    A ticket system confirms each mail in the same words. A person does not write the same twice,
    and if so, needs no second answer.
    """
    now = _words(text)
    return len(now) >= MIN_LOOP_CHARACTERS and any(
        _words(before) == now and abs(at - when) <= LOOP for before, when in said
    )


def _words(text: str) -> str:
    return " ".join(re.sub(r"\w*\d\w*", "0", text[:MAX_LOOP_CHARACTERS]).lower().split())
