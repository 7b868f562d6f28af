"""What a caller said, as a message."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from schemas.printer import PHONE, InboundMessage
from schemas.vocabulary import Channel


@dataclass(frozen=True)
class Heard:
    """What was understood, how surely (0 to 1), and how the caller had consented."""

    text: str
    confidence: float
    by: str = ""


def called(sid: str, caller: str, to: str, heard: Heard) -> InboundMessage:
    """Return what was said in a call as a message; a hidden number is a caller of its own.

    Raises
    ------
    ValidationError
        It names no call.
    """
    known = {"from": caller} if PHONE.fullmatch(caller) else {"customer_ref": f"appel {sid}"}
    said = {"x-consent": heard.by or "unknown", "x-speech-confidence": f"{heard.confidence:.2f}"}
    return InboundMessage.model_validate(
        known
        | {
            "channel": Channel.CALL,
            "external_id": sid,
            "to": to,
            "text": heard.text,
            "headers": said,
            "received_at": datetime.now(UTC),
        }
    )
