"""The messages written for measuring: what each says, and what is true of it.

`tune-*.yaml` may be read and fitted on; everything else reports, and nothing is fitted on it.
`fresh-*.yaml` were written last, by somebody who had seen neither the rules nor the other messages.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, Self, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, model_validator

from schemas.vocabulary import CATEGORY_OF, Category, Channel, Intent, Language, Priority

FOLDER = Path(__file__).parent / "data" / "messages"

Split = Literal["tune", "report", "fresh"]
SPLITS: tuple[Split, ...] = get_args(Split)
Style = Literal[
    "plain",
    "polite",
    "angry",
    "sms",
    "typos",
    "no_accents",
    "regional",
    "long",
    "telegraphic",
    "caps",
    "several",
    "non_native",
    "transcript",
]
Values = tuple[str, ...]

KINDS = (
    "model",
    "brand",
    "error_code",
    "serial",
    "order_number",
    "invoice_number",
    "page_count",
    "phone",
    "quantity",
)
"""What may be in a message, by the field that says it."""


class Written(BaseModel):
    """A message and its truth. A kind that is absent is not in the message."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str
    language: Language
    channel: Channel
    style: Style
    subject: str = ""
    text: str
    category: Category
    intent: Intent
    priority: Priority | None = Field(default=None, description="only where people would agree")
    model: Values = ()
    brand: Values = ()
    error_code: Values = ()
    serial: Values = ()
    order_number: Values = ()
    invoice_number: Values = ()
    page_count: Values = ()
    phone: Values = ()
    quantity: Values = ()
    written: dict[str, str] = Field(
        default={}, description="value -> how it stands in the text, where spelled another way"
    )

    @model_validator(mode="after")
    def _belongs(self) -> Self:
        if CATEGORY_OF[self.intent] is not self.category:
            reason = f"{self.id}: {self.intent} is not of category {self.category}"
            raise ValueError(reason)
        return self

    def words(self) -> str:
        """Return subject and text."""
        return f"{self.subject}\n{self.text}"

    def truth(self, kind: str) -> Values:
        """Return the values of one of `KINDS`."""
        found: Values = getattr(self, kind)
        return found

    def unfounded(self) -> list[str]:
        """Return the values that do not stand in the message, but for case, blanks and marks."""
        text, squashed = self.words(), squash(self.words())
        return [
            value
            for kind in KINDS
            for value in self.truth(kind)
            if (spelled := self.written.get(value, "")) not in text
            or (not spelled and squash(value) not in squashed)
        ]


def squash(text: str) -> str:
    """Return letters and digits only, in lower case."""
    return re.sub(r"[\W_]+", "", text).lower()


def split_of(path: Path) -> Split:
    """Return the split of a file: what stands before its name's first hyphen, or else `report`."""
    first = path.name.partition("-")[0]
    return next((split for split in SPLITS if split == first), "report")


def messages(split: Split) -> list[Written]:
    """Read the messages of a split, in the order of their files."""
    return [
        Written.model_validate(row)
        for path in sorted(FOLDER.glob("*.yaml"))
        if split_of(path) == split
        for row in yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader)
    ]
