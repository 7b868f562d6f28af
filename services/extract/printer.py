"""What a message names: printer, codes, numbers, each with its place in the text. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from knowledge.catalogue import Catalogue
from knowledge.extraction.corrections import EARLIER, Correction, corrected
from knowledge.extraction.devices import device_of, with_serials
from knowledge.extraction.findings import TEXT_CHARACTERS, find
from schemas.findings import DeviceCard, Finding
from schemas.printer import CustomerMessage, MessageClassified, MessageExtracted
from schemas.vocabulary import Intent, Language, kind_label

STILL = 0.8
"""What was named in an earlier message is less likely to be meant in this one, by that."""
WAYS = {
    "serial": "numéro de série",
    "model": "modèle",
    "brand": "marque",
    "location": "emplacement",
    "conversation": "conversation",
    "only": "le seul du client",
}
"""How a device was told, for people."""


@dataclass(frozen=True)
class Known:
    """What the record says of a customer.

    Their devices; the one that this conversation is about; what people said of findings, oldest
    first.
    """

    devices: Sequence[DeviceCard] = ()
    chosen: str = ""
    corrections: Sequence[Correction] = ()


NOBODY = Known()


def extract(
    event: MessageClassified, catalogue: Catalogue, now: datetime, known: Known = NOBODY
) -> tuple[MessageExtracted, ...]:
    """Tell what the message names and which device it is about.

    Findings are in the order of the text; spans are of `message.text`. What was found elsewhere
    (in the subject, in an earlier message, by a person) has the span 0 to 0.
    """
    message = event.message
    text = message.text[:TEXT_CHARACTERS]
    found = with_serials(text, _in_message(message, catalogue), known.devices)
    found = (*found, *_earlier(event, found, catalogue))
    found = corrected(text, found, message.conversation_id, known.corrections)
    found = tuple(sorted(found, key=lambda each: (each.start, each.kind)))
    device = device_of(text, found, known.devices, known.chosen)
    if device:
        device = _on_the_day(device, message.received_at.date())
    return (
        MessageExtracted.after(event, now, findings=found, device=device, why=_why(found, device)),
    )


def _in_message(message: CustomerMessage, catalogue: Catalogue) -> tuple[Finding, ...]:
    """Read subject and text as one, for the one says what the other is about."""
    lead = "" if message.subject in message.text else f"{message.subject}\n"
    found = find(lead + message.text, catalogue)
    own = [_moved(each, -len(lead)) for each in found if each.start >= len(lead)]
    named = {(each.kind, each.value) for each in own}
    above = [each for each in found if each.start < len(lead)]
    new = [each for each in above if (each.kind, each.value) not in named]
    return (*(_elsewhere(each, "subject") for each in new), *own)


def _moved(found: Finding, by: int) -> Finding:
    return found.model_copy(update={"start": found.start + by, "end": found.end + by})


def _elsewhere(found: Finding, by: str, share: float = 1.0) -> Finding:
    sure = round(found.confidence * share, 4)
    return found.model_copy(update={"start": 0, "end": 0, "by": by, "confidence": sure})


def _earlier(
    event: MessageClassified, found: Sequence[Finding], catalogue: Catalogue
) -> Iterator[Finding]:
    """Yield the printer, and of a fault the code, that the customer's last words were about."""
    told = {each.kind for each in found}
    if told & {"brand", "model"}:
        return
    wanted = ["brand", "model"]
    if "error_code" not in told and event.classification.intent is Intent.FAULT:
        wanted.append("error_code")
    for turn in reversed(event.earlier):
        if not wanted:
            return
        before = find(turn.text, catalogue) if turn.who == "customer" else ()
        theirs = [each for each in before if each.kind in wanted]
        yield from (_elsewhere(each, EARLIER, STILL) for each in theirs)
        wanted = [kind for kind in wanted if kind not in {each.kind for each in theirs}]


def _on_the_day(device: DeviceCard, day: date) -> DeviceCard:
    """Return a device with its warranty on that day."""
    until = device.warranty_until
    return device.model_copy(update={"under_warranty": until >= day if until else None})


def _why(found: Sequence[Finding], device: DeviceCard | None) -> str:
    said = [f"{kind_label(each.kind, Language.FR)} {each.value}" for each in found]
    if device:
        said.append(f"appareil {device.device_id} ({WAYS.get(device.by, device.by)})")
    return (", ".join(said) or "rien de reconnu")[:300]
