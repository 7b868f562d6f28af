"""What changes in what the desk knows; search listens to it."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal
from uuid import uuid5

from pydantic import Field

from schemas.event import ASTREINTE, Event


class KnowledgeChanged(Event):
    """An article, a document or a solved conversation is new, has changed, or was removed.

    The record holds it already: whoever keeps knowledge in memory reads it there.
    """

    topic: ClassVar[str] = "knowledge.changed"

    name: str = Field(min_length=1, max_length=80, description="id of what changed; the key")
    kind: Literal["article", "document", "conversation"]
    revision: int = Field(ge=1, description="counts the changes of this one")
    removed: bool = False

    @property
    def key(self) -> str:
        """What changed: of each, the newest is kept."""
        return self.name


def changed(
    name: str, kind: str, revision: int, now: datetime, *, removed: bool = False
) -> KnowledgeChanged:
    """Return the event of a change; the same for the same revision."""
    what = "removed" if removed else "learned"
    identity = uuid5(ASTREINTE, f"knowledge {kind} {name} {revision} {what}")
    return KnowledgeChanged.model_validate(
        {
            "event_id": identity,
            "trace_id": identity.hex,
            "occurred_at": now,
            "why": f"{name} {'retiré' if removed else 'appris'}, révision {revision}",
            "name": name,
            "kind": kind,
            "revision": revision,
            "removed": removed,
        }
    )
