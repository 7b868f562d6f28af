"""What providers report of the replies that they took."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID, uuid5

from pydantic import Field, StringConstraints, model_validator

from schemas.bounce import Address
from schemas.event import ASTREINTE, Event
from schemas.printer import Body, Identifier

Words = Annotated[str, StringConstraints(pattern=r"^[^\x00\r\n]*$", max_length=255)]


class DeliveryReported(Event):
    """A provider's status callback: a reply was taken, arrived, or did not.

    `event_id` follows from what is reported: a callback that comes twice is the same event.
    """

    topic: ClassVar[str] = "printer.reported"

    reply_id: UUID
    status: Literal["sent", "delivered", "failed"]
    outbound: Identifier = Field(description="the door by which it left")
    provider_id: Words = ""
    detail: Words = Field(default="", description="the provider's reason, if any")
    code: Words = Field(default="", description="the provider's error code, if any")

    @model_validator(mode="before")
    @classmethod
    def _identify(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not {"outbound", "reply_id", "status"} <= given.keys():
            return given
        what = f"{given['outbound']}:{given['reply_id']}:{given['status']}"
        what += f":{given['code']}" if given.get("code") else ""
        identity = uuid5(ASTREINTE, f"report {what}")
        return {"event_id": identity, "trace_id": identity.hex} | given

    @property
    def key(self) -> str:
        """The reply."""
        return str(self.reply_id)


class ReplyShown(Event):
    """Dispatch: a reply for whoever has the chat open now.

    Whoever comes back later finds it in the record; so nothing is lost when nobody listens.
    """

    topic: ClassVar[str] = "printer.shown"

    reply_id: UUID
    conversation_id: Identifier
    visitor: Address = Field(description="who wrote: the address of the chat message")
    text: Body

    @property
    def key(self) -> str:
        """The visitor."""
        return self.visitor
