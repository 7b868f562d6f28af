"""Who writes, and in which conversation. Pure."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid5

from schemas.errors import Rejected
from schemas.identity import customer_met_at
from schemas.printer import CustomerMessage, InboundMessage, MessageReceived
from schemas.tags import untagged
from schemas.vocabulary import Channel
from services.addresses import spelling
from services.threads import Ties, ties_of

FUTURE = timedelta(days=1)
"""Clocks differ, zones are mistaken; a day covers both."""

_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]")
_ATTRIBUTION = re.compile(
    r"^(le\b.{4,120}a écrit|on\b.{4,120}wrote)\s*:\s*$|"
    r"^-{2,}\s*(message d'origine|original message)",
    re.IGNORECASE,
)

_AUTOMATIC = (
    ("auto-submitted", re.compile(r"^(?!no\b)", re.IGNORECASE), "réponse automatique"),
    ("x-auto-response-suppress", re.compile(r"\b(all|oof|autoreply)\b", re.IGNORECASE), "absence"),
    ("x-autoreply", re.compile(r"."), "réponse automatique"),
    ("x-autorespond", re.compile(r"."), "réponse automatique"),
    ("x-loop", re.compile(r"."), "boucle de messages"),
    ("precedence", re.compile(r"^(auto_reply|bulk|junk)$", re.IGNORECASE), "envoi en nombre"),
    ("list-id", re.compile(r"."), "liste de diffusion"),
    ("list-unsubscribe", re.compile(r"."), "liste de diffusion"),
    ("return-path", re.compile(r"^\s*<>\s*$"), "avis de non-remise"),
    (
        "content-type",
        re.compile(r"report-type=\"?delivery-status", re.IGNORECASE),
        "avis de non-remise",
    ),
)
_ROBOTS = re.compile(r"^(mailer-daemon|postmaster|no-?reply|ne-?pas-?repondre)@", re.IGNORECASE)


@dataclass(frozen=True)
class Ours:
    """What is ours in e-mail: our mailboxes in small letters, and what signs our tags."""

    mailboxes: tuple[str, ...] = ()
    secret: str = ""


NOBODY = Ours()


@dataclass(frozen=True)
class Arrival:
    """An inbound message, made comparable: `address` is one spelling for one customer."""

    inbound: InboundMessage
    address: str
    text: str
    automatic: str | None
    ties: Ties

    @property
    def customer_id(self) -> str:
        """The customer, unless the address is known to be another's."""
        return customer_met_at(self.address)


def arrive(inbound: InboundMessage, html_text: str, now: datetime, ours: Ours = NOBODY) -> Arrival:
    """Check and clean a message; `html_text` is its HTML part as text.

    Raises
    ------
    Rejected
        It says it comes from the future.
    """
    if inbound.received_at > now + FUTURE:
        msg = f"received_at is more than {FUTURE.days} day ahead of our clock"
        raise Rejected(msg)
    text = clean(inbound.text) or clean(html_text) or inbound.subject
    return Arrival(
        inbound=inbound,
        address=address_of(inbound),
        text=without_quotes(text) if inbound.channel is Channel.EMAIL else text,
        automatic=automatic(inbound, ours.mailboxes),
        ties=ties_of(inbound, ours.secret),
    )


def clean(text: str) -> str:
    """Return the text with one kind of line break, no invisible characters, no runs of blanks."""
    text = _INVISIBLE.sub("", text.replace("\r\n", "\n").replace("\r", "\n").replace("\xa0", " "))
    lines = [re.sub(r"[^\S\n]+", " ", line).strip() for line in text.split("\n")]
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip()


def without_quotes(text: str) -> str:
    """Return what was written now: nothing from a final quotation on. Never returns nothing."""
    lines = text.split("\n")
    end = len(lines)
    while end and (not lines[end - 1] or lines[end - 1].startswith(">")):
        end -= 1
    # Only a quotation at the very end is cut: answers between quoted lines stay readable.
    # Mail programs wrap the line that introduces it: it may be two.
    for count in (1, 2) if end < len(lines) else (1,):
        if end >= count and _ATTRIBUTION.match(" ".join(lines[end - count : end])):
            end -= count
            break
    return "\n".join(lines[:end]).strip() or text


def address_of(inbound: InboundMessage) -> str:
    """Return one spelling for all ways to write an address, a number or a reference."""
    if not inbound.sender:
        return f"ref:{inbound.customer_ref}"
    return spelling(inbound.channel, inbound.sender)


def automatic(inbound: InboundMessage, ours: Collection[str] = ()) -> str | None:
    """Return why no machine may answer this message, or nothing (RFC 3834).

    `ours` are our mailboxes: what comes from one of them is our own, or pretends to be.
    """
    headers = {name.lower(): value for name, value in inbound.headers.items()}
    for name, pattern, reason in _AUTOMATIC:
        if name in headers and pattern.search(headers[name]):
            return f"{reason} ({name})"
    if inbound.channel is Channel.EMAIL and _ROBOTS.match(inbound.sender or ""):
        return "expéditeur automatique"
    if inbound.channel is Channel.EMAIL and untagged(inbound.sender or "").lower() in ours:
        return "courriel de notre propre boîte"
    return None


def new_conversation_id(inbound: InboundMessage) -> str:
    """Return the id of the conversation that a message begins."""
    return f"c{uuid5(inbound.event_id, 'conversation').hex[:20]}"


def receive(
    arrival: Arrival,
    conversation_id: str,
    now: datetime,
    *,
    customer_id: str | None = None,
    new_customer: bool,
    new_conversation: bool,
) -> tuple[MessageReceived, ...]:
    """Tell that a message was received. The same for the same message, however often.

    `customer_id` is that of a customer who is known, maybe by another address.
    """
    inbound = arrival.inbound
    who = "nouveau client" if new_customer else "client connu"
    where = "nouvelle conversation" if new_conversation else "conversation ouverte"
    message = CustomerMessage(
        message_id=inbound.event_id,
        conversation_id=conversation_id,
        customer_id=customer_id or arrival.customer_id,
        channel=inbound.channel,
        external_id=inbound.external_id,
        sender=inbound.sender or f"ref:{inbound.customer_ref}",
        subject=inbound.subject,
        text=arrival.text,
        received_at=inbound.received_at,
        automatic=arrival.automatic,
        trial=inbound.trial,
    )
    return (
        MessageReceived.after(
            inbound,
            now,
            message=message,
            new_customer=new_customer,
            new_conversation=new_conversation,
            why=f"{who}, {where}" + (f", {arrival.automatic}" if arrival.automatic else ""),
        ),
    )
