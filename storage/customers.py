"""Who is who: customers recognised by any of their addresses, and made when nobody knows them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlmodel import Session, col, select

from schemas.identity import customer_met_at
from storage.database import insert_new
from storage.tables import Contact, Conversation, Customer

RANK = ("mailto:", "tel:", "chat:", "ref:")
"""Which of a customer's addresses is the one to show."""


@dataclass(frozen=True)
class Card:
    """A customer as somebody else's card index has them: addresses, and columns of `Customer`."""

    addresses: tuple[str, ...]
    values: dict[str, Any] = field(default_factory=dict)


def recognise(session: Session, cards: Sequence[Card], now: datetime) -> list[tuple[str, bool]]:
    """Return each card's customer, and whether it is new; write new ones and new addresses.

    A reference or an e-mail address tells who it is. A telephone number does too, unless both
    have e-mail addresses, and different ones: colleagues share a number.
    """
    known = _contacts(session, {address for card in cards for address in card.addresses})
    with_mail = _with_mail(session, set(known.values()))
    found: list[tuple[str, bool]] = []
    customers: list[dict[str, Any]] = []
    contacts: list[dict[str, Any]] = []
    for card in cards:
        owner = _owner(card, known, with_mail)
        free = [address for address in card.addresses if address not in known]
        if is_new := owner is None:
            first = min(free, key=_rank)
            owner = customer_met_at(first)
            made = {"customer_id": owner, "address": first, "created_at": now}
            customers.append(made | card.values)
        known |= dict.fromkeys(free, owner)
        contacts += [{"address": address, "customer_id": owner} for address in free]
        if any(address.startswith("mailto:") for address in card.addresses):
            with_mail.add(owner)
        found.append((owner, is_new))
    for customer in customers:  # one by one: they do not have the same columns
        insert_new(session, Customer, [customer])
    insert_new(session, Contact, contacts)
    return found


def _owner(card: Card, known: dict[str, str], with_mail: set[str]) -> str | None:
    has_mail = any(address.startswith("mailto:") for address in card.addresses)
    for address in sorted(card.addresses, key=lambda one: one.startswith("tel:")):
        owner = known.get(address)
        shared = address.startswith("tel:") and has_mail and owner in with_mail
        if owner and not shared:
            return owner
    return None


def _rank(address: str) -> int:
    return next((n for n, kind in enumerate(RANK) if address.startswith(kind)), len(RANK))


def _contacts(session: Session, addresses: Iterable[str]) -> dict[str, str]:
    rows = session.exec(select(Contact).where(col(Contact.address).in_(list(addresses))))
    return {row.address: row.customer_id for row in rows}


def _with_mail(session: Session, owners: Iterable[str]) -> set[str]:
    return {
        owner
        for owner, addresses in addresses_of(session, owners).items()
        if any(address.startswith("mailto:") for address in addresses)
    }


def addresses_of(session: Session, owners: Iterable[str]) -> dict[str, list[str]]:
    """Return all addresses of these customers, the one to show first."""
    rows = session.exec(select(Contact).where(col(Contact.customer_id).in_(list(set(owners)))))
    found: dict[str, list[str]] = {}
    for row in rows:
        found.setdefault(row.customer_id, []).append(row.address)
    return {
        owner: sorted(theirs, key=lambda one: (_rank(one), one)) for owner, theirs in found.items()
    }


def owners_of(session: Session, conversations: Iterable[str]) -> dict[str, str]:
    """Return the customers of conversations."""
    rows = session.exec(
        select(Conversation.conversation_id, Conversation.customer_id).where(
            col(Conversation.conversation_id).in_(list(conversations))
        )
    )
    return dict(rows.all())
