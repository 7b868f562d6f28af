"""The edge of ingest: one function for each topic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from sqlmodel import Session

from gateways.mail.bodies import written_now
from schemas.event import Event
from schemas.frigo import InboundReading
from schemas.printer import InboundMessage, MessageReceived
from schemas.vocabulary import Channel
from services.ingest import frigo, printer
from services.ingest.frigo import Names
from services.ingest.printer import NOBODY, Arrival, Ours
from services.policy import Handler
from services.profiles import Profiles
from services.seen import Seen
from services.threads import choose, is_loop
from storage import intake, turns
from storage.database import Database


def inbound_messages(database: Database, ours: Ours = NOBODY) -> Handler:
    """Return the handler of `printer.inbound`; `ours` is what is ours in e-mail."""

    async def handle(events: Sequence[InboundMessage]) -> list[Sequence[Event]]:
        now = datetime.now(UTC)
        arrivals = [printer.arrive(event, written_now(event), now, ours) for event in events]
        return await database.write(_take_in, arrivals, now)

    return handle


def _take_in(session: Session, arrivals: Sequence[Arrival], now: datetime) -> list[Sequence[Event]]:
    told, additions = place(session, arrivals, now)
    intake.add(session, additions)
    return [tuple(_with_earlier(session, event) for event in events) for events in told]


def _with_earlier(session: Session, event: Event) -> Event:
    """Add what was said before, where the conversation is not new."""
    if not isinstance(event, MessageReceived) or event.new_conversation:
        return event
    return event.model_copy(update={"earlier": turns.before(session, event.message.message_id)})


def place(
    session: Session, arrivals: Sequence[Arrival], now: datetime
) -> tuple[list[Sequence[Event]], intake.Additions]:
    """Find customer and conversation of each arrival; return what is told, and what to write."""
    known = intake.look_up(
        session,
        {(arrival.inbound.channel.value, arrival.inbound.external_id) for arrival in arrivals},
        {arrival.address for arrival in arrivals},
        {name[:255] for arrival in arrivals for name in arrival.ties.answers_to},
        {name for arrival in arrivals for name in arrival.ties.names},
        _since(arrivals),
    )
    additions = intake.Additions()
    return [_place(arrival, known, additions, now) for arrival in arrivals], additions


def _since(arrivals: Sequence[Arrival]) -> datetime | None:
    """Return from when on it matters what senders said; nothing: no mail answers another."""
    answers = (one for one in arrivals if one.ties.answers_to or one.ties.names)
    mails = (one.inbound for one in answers if one.inbound.channel is Channel.EMAIL)
    return min((mail.received_at for mail in mails), default=None)


def _place(
    arrival: Arrival, known: intake.Known, additions: intake.Additions, now: datetime
) -> Sequence[Event]:
    inbound = arrival.inbound
    seen = known.messages.get((inbound.channel.value, inbound.external_id))
    if seen and seen.outcome:
        return ()
    if seen:
        return printer.receive(
            replace(arrival, automatic=seen.automatic),
            seen.conversation_id,
            now,
            customer_id=known.owners[seen.conversation_id],
            new_customer=seen.new_customer,
            new_conversation=seen.new_conversation,
        )
    customer_id = known.customers.get(arrival.address)
    theirs = known.conversations.get(customer_id or "", [])
    found = choose(inbound, arrival.ties, known.by_name, known.threads, theirs, customer_id)
    if found.answers and not arrival.automatic:
        said = known.said.get(inbound.sender or "", ())
        if is_loop(arrival.text, inbound.received_at, said):
            arrival = replace(arrival, automatic="boucle de messages (mêmes mots)")
    there = found.conversation
    (told,) = printer.receive(
        arrival,
        there.conversation_id if there else printer.new_conversation_id(inbound),
        now,
        # Who has the tag of another's conversation takes part in it; it stays the other's.
        customer_id=there.customer_id if there else customer_id,
        new_customer=customer_id is None and there is None,
        new_conversation=there is None,
    )
    intake.note(known, additions, told, arrival.address, inbound, now, found.follows)
    return (told,)


def inbound_readings(profiles: Profiles, seen: Seen) -> Handler:
    """Return the handler of `frigo.inbound`: no database for a reading, only for a new unit."""
    known: dict[int, Names] = {}
    strange = Names(None)

    def names_of(unit_id: str) -> Names:
        profile = profiles.get(unit_id)
        if profile is None:
            return strange
        found = known.get(id(profile.sensors))  # units share them, see `Profile`
        if found is None:
            found = known[id(profile.sensors)] = Names(profile)
        return found

    async def handle(events: Sequence[InboundReading]) -> list[Sequence[Event]]:
        await profiles.fresh()
        now = datetime.now(UTC)
        await profiles.meet({event.unit_id for event in events})
        return [
            () if seen.again(event) else (frigo.receive(event, names_of(event.unit_id), now),)
            for event in events
        ]

    return handle
