"""The events of the printer flow, from a customer's message to its reply.

Each stage's event is the one before it plus what the stage found, so that no stage has to ask
another for what it needs.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, ClassVar, Self
from uuid import UUID, uuid5

from pydantic import Field, StringConstraints, model_validator

from schemas.bounce import Address, Bounce
from schemas.errors import shape_of
from schemas.event import ASTREINTE, Event, Moment, Value
from schemas.findings import Classification, DeviceCard, Draft, Finding, Passage, Turn
from schemas.vocabulary import Action, Channel, SendStatus

MAX_TEXT_CHARACTERS = 131_072
"""Twice the longest mail seen in help desks; below Kafka's 1 MiB a record even in emoji."""

EMAIL = re.compile(r"[^@\s<>\"]+@[^@\s<>\".]+(\.[^@\s<>\".]+)+")
PHONE = re.compile(r"\+?[0-9][0-9 .()-]{2,24}")
CHAT = re.compile(r"-?[1-9][0-9]{0,15}")  # of Telegram; a group's number is negative
_ADDRESSES = {
    Channel.EMAIL: (EMAIL, "an e-mail address"),
    **dict.fromkeys((Channel.SMS, Channel.CALL), (PHONE, "a telephone number")),
    Channel.TELEGRAM: (CHAT, "the number of a chat"),
}

Line = Annotated[str, StringConstraints(pattern=r"^[^\x00\r\n]*$", max_length=998)]
"""One line of a mail's head: 998 characters at most (RFC 5322, 2.1.1), no NUL, no line break."""
Identifier = Annotated[
    str, StringConstraints(pattern=r"^[^\x00\r\n]+$", max_length=255, strip_whitespace=True)
]
"""Blanks around it tell nothing apart: for MySQL those at its end are no difference."""
Body = Annotated[str, StringConstraints(pattern=r"^[^\x00]*$", max_length=MAX_TEXT_CHARACTERS)]


class Attachment(Value):
    """A file that came along, by reference: the bytes stay where the gateway put them."""

    name: Line
    content_type: Line = "application/octet-stream"
    size_bytes: int = Field(ge=0)
    reference: Line
    warning: Line = Field(default="", description="why nobody should open it; empty: nothing seen")


class InboundMessage(Event):
    """The public contract of `printer.inbound`: what any gateway may publish.

    `event_id` and `trace_id` follow from `(channel, external_id)` and need not be given:
    the same message told twice has the same id.
    """

    topic: ClassVar[str] = "printer.inbound"

    channel: Channel
    external_id: Identifier = Field(description="the provider's id; unique within a channel")
    sender: Address | None = Field(default=None, alias="from", description="address or number")
    sender_name: Line | None = Field(default=None, alias="from_name", description="as they sign")
    to: Line | None = None
    customer_ref: Identifier | None = Field(default=None, description="the caller's own number")
    subject: Line = ""
    text: Body = ""
    html: Body | None = None
    attachments: tuple[Attachment, ...] = Field(default=(), max_length=50)
    in_reply_to: Line | None = None
    references: tuple[Line, ...] = Field(default=(), max_length=200)
    headers: dict[Line, Line] = Field(
        default_factory=dict, max_length=50, description="mail headers that tell automatic mail"
    )
    bounces: tuple[Bounce, ...] = Field(default=(), max_length=50)
    received_at: Moment
    trial: bool = Field(default=False, description="walk the road, send nothing outward")

    @model_validator(mode="before")
    @classmethod
    def _identify(cls, given: Any) -> Any:
        if not isinstance(given, dict) or not {"channel", "external_id"} <= given.keys():
            return given
        identity = uuid5(ASTREINTE, f"{given['channel']}:{str(given['external_id']).strip()}")
        derived = {
            "event_id": identity,
            "trace_id": identity.hex,
            "occurred_at": given.get("received_at"),
        }
        return given | derived

    @model_validator(mode="after")
    def _complete(self) -> Self:
        if not (self.text.strip() or self.subject.strip() or (self.html or "").strip()):
            msg = "a message without text: text, html and subject are all empty"
            raise ValueError(msg)
        if not (self.sender or self.customer_ref):
            msg = "a message from nobody: 'from' or 'customer_ref' is needed"
            raise ValueError(msg)
        if self.sender:
            _check_address(self.channel, self.sender)
        return self

    @property
    def key(self) -> str:
        """Order holds per sender until the conversation is known."""
        return f"{self.channel.value}:{(self.sender or self.customer_ref or '').lower()}"


def _check_address(channel: Channel, address: str) -> None:
    pattern, kind = _ADDRESSES.get(channel, (None, ""))
    if pattern and not pattern.fullmatch(address):
        msg = f"{shape_of(address)} is not {kind}"
        raise ValueError(msg)


class CustomerMessage(Value):
    """A message once it is known who writes and in which conversation."""

    message_id: UUID
    conversation_id: Identifier
    customer_id: Identifier
    channel: Channel
    external_id: Identifier
    sender: Line
    sender_name: Line | None = Field(default=None, description="as they sign")
    subject: Line = ""
    text: Body
    received_at: Moment
    automatic: str | None = Field(default=None, description="why no machine may answer it")
    trial: bool = False


class MessageReceived(Event):
    """Ingest: who writes, which conversation, clean text, once."""

    topic: ClassVar[str] = "printer.received"

    message: CustomerMessage
    new_customer: bool = False
    new_conversation: bool = False
    earlier: tuple[Turn, ...] = Field(default=(), max_length=20, description="oldest first")

    @property
    def key(self) -> str:
        """The conversation."""
        return self.message.conversation_id


class MessageClassified(MessageReceived):
    """Classify: category, intent, priority, language."""

    topic: ClassVar[str] = "printer.classified"

    classification: Classification


class MessageExtracted(MessageClassified):
    """Extract: printer, codes and numbers, each with its place in the text."""

    topic: ClassVar[str] = "printer.extracted"

    findings: tuple[Finding, ...] = ()
    device: DeviceCard | None = None

    def first(self, kind: str) -> str | None:
        """Return the first value of a kind, or nothing."""
        return next((found.value for found in self.findings if found.kind == kind), None)


class MessageGrounded(MessageExtracted):
    """Rag: the passages near enough, best first, or none."""

    topic: ClassVar[str] = "printer.grounded"

    passages: tuple[Passage, ...] = ()


class ReplyDrafted(MessageGrounded):
    """Respond: a grounded reply, or a hand-over that says why."""

    topic: ClassVar[str] = "printer.drafted"

    draft: Draft


class ReplySent(Event):
    """Dispatch: what left by which channel, once."""

    topic: ClassVar[str] = "printer.sent"

    message_id: UUID
    conversation_id: Identifier
    action: Action
    reason: str
    status: SendStatus
    outbound: str = Field(default="", description="the door it left by: console, file …")
    provider_id: str = ""

    @property
    def key(self) -> str:
        """The conversation."""
        return self.conversation_id
