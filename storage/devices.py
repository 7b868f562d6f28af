"""The customers' printers, and what people said of them."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from uuid import uuid5

from sqlmodel import Session, col, select

from knowledge.extraction.corrections import Correction
from schemas.event import ASTREINTE
from schemas.findings import DeviceCard
from storage.database import insert_new
from storage.tables import Conversation, Device, History, Message, PrinterModel
from storage.tables import Correction as Row

AT_MOST = 1_000
"""Devices, and corrections, that are looked at of one customer."""


@dataclass
class Known:
    """What the record says: by customer, and the device that a conversation is about."""

    devices: dict[str, list[DeviceCard]] = field(default_factory=dict)
    corrections: dict[str, list[Correction]] = field(default_factory=dict)
    chosen: dict[str, str] = field(default_factory=dict)


def known(session: Session, customers: Collection[str], conversations: Collection[str]) -> Known:
    """Return the devices and the corrections of customers, and what conversations are about."""
    found = Known()
    devices = (
        select(Device, PrinterModel.manufacturer, PrinterModel.name)
        .join(PrinterModel, col(PrinterModel.model_id) == col(Device.model_id), isouter=True)
        .where(col(Device.customer_id).in_(customers))
        .limit(AT_MOST * len(customers))
    )
    for device, brand, model in session.exec(devices):
        found.devices.setdefault(device.customer_id, []).append(_card(device, brand, model))
    said = (
        select(Row)
        .where(col(Row.customer_id).in_(customers))
        .order_by(col(Row.at).desc())
        .limit(AT_MOST * len(customers))
    )
    for row in reversed(session.exec(said).all()):
        correction = Correction(row.conversation_id, row.kind, row.old, row.value, row.words)
        found.corrections.setdefault(row.customer_id, []).append(correction)
    about = select(Conversation.conversation_id, Conversation.device_id).where(
        col(Conversation.conversation_id).in_(conversations)
    )
    found.chosen = {name: device for name, device in session.exec(about) if device}
    return found


def _card(device: Device, brand: str | None, model: str | None) -> DeviceCard:
    return DeviceCard(
        device_id=device.device_id,
        serial_number=device.serial_number,
        brand=brand or "",
        model=model or "",
        location=device.location,
        warranty_until=device.warranty_until,
    )


def message_named(session: Session, name: str) -> Message | None:
    """Return a message by its id, or the newest one of a conversation by that one's."""
    message = session.get(Message, name)
    if message is None and (conversation := session.get(Conversation, name)):
        return session.get(Message, conversation.last_message_id)
    return message


def correct(session: Session, message: Message, said: Correction, by: str, now: datetime) -> bool:
    """Remember what a person said of a finding of a message; say whether it is news.

    Said again it is the same row, and the newest word on its matter.
    """
    what = f"{message.message_id}\0{said.kind}\0{said.old}\0{said.value}\0{said.words}"
    name = str(uuid5(ASTREINTE, f"correction {what}"))
    before = session.get(Row, name)
    if before is not None:
        before.at, before.by = now, by
        session.add(before)
        return False
    owner = session.get_one(Conversation, message.conversation_id).customer_id
    whose = {"correction_id": name, "message_id": message.message_id, "customer_id": owner}
    insert_new(session, Row, [whose | said._asdict() | {"by": by, "at": now}])
    done = {
        "history_id": f"{name}/corrected",
        "conversation_id": said.conversation_id,
        "action": "corrected",
        "actor_type": "agent",
        "actor": by,
        "detail": said._asdict(),
        "at": now,
    }
    insert_new(session, History, [done])
    return True
