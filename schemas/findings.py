"""What the stages of the printer flow find: values that events carry from stage to stage."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from pydantic import Field

from schemas.event import Moment, Value
from schemas.vocabulary import Action, Category, Intent, Language, Priority

Confidence = Annotated[float, Field(ge=0, le=1)]


class Classification(Value):
    """What the message is about, each with a confidence from 0 to 1."""

    category: Category
    category_confidence: Confidence
    intent: Intent
    intent_confidence: Confidence
    priority: Priority
    priority_confidence: Confidence
    language: Language
    language_confidence: Confidence
    alone: bool | None = Field(
        default=None, description="sure enough to be answered by nobody but the machine"
    )
    scope: Confidence | None = Field(
        default=None, description="how likely it is about anything that this desk serves"
    )
    by: str = Field(default="", description="who decided: model, rule, or llm:<model>")
    label: str = Field(default="", description="by a model of the company's own: its category")
    label_confidence: Confidence | None = None


class Finding(Value):
    """Something found in the text, and where: `text[start:end]`."""

    kind: str = Field(description="brand, model, error_code, serial_number, order_number …")
    value: str = Field(description="as we write it: `49.4C02`, `HL-L2350DW`")
    start: int = Field(ge=0)
    end: int = Field(ge=0)
    confidence: Confidence
    by: str = Field(
        default="", description="how: pattern, table, fuzzy, record, agent, earlier (message) …"
    )


class DeviceCard(Value):
    """The customer's device that a message is about, as the record knows it."""

    device_id: str
    serial_number: str = ""
    brand: str = ""
    model: str = ""
    location: str = ""
    warranty_until: date | None = None
    under_warranty: bool | None = Field(default=None, description="on the day of the message")
    by: str = Field(default="", description="how it was told: serial, model, only (device)")


class Passage(Value):
    """An article that is near enough to the question, in the customer's language."""

    article: str
    language: Language
    title: str
    brand: str | None = None
    models: tuple[str, ...] = ()
    cause: str
    steps: tuple[str, ...]
    call_technician: str
    source: str
    score: Confidence
    evidence: dict[str, float] = Field(default_factory=dict, description="score of each search")
    kind: str = Field(default="article", description="article, document or conversation")
    text: str = Field(default="", description="of a document or a solved conversation: its words")
    heading: str = Field(default="", description="of a document: the headings above the passage")
    url: str = ""
    part: int = Field(default=0, ge=0, description="which question of the message, from 0")


class Turn(Value):
    """What was said before in the conversation, at most 1,000 characters of it."""

    who: str = Field(description="customer or desk")
    text: str
    at: Moment


class Citation(Value):
    """A part of a reply, `text[start:end]`, and the passage (or `record`) that it rests on."""

    start: int = Field(ge=0)
    end: int = Field(ge=0)
    source: str


class Draft(Value):
    """What to say, and on what it rests."""

    action: Action
    reason: str = Field(description="a word for machines: grounded, no_passage, asked_for_person …")
    text: str
    how: str = Field(description="template, or llm:<model>")
    sources: tuple[str, ...] = ()
    citations: tuple[Citation, ...] = ()
    confidence: Confidence | None = Field(default=None, description="that it may leave as it is")
