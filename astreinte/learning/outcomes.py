"""What is said of an import, what became of it, and who hears how far it is."""

from __future__ import annotations

from dataclasses import dataclass

from gateways.documents.paper import Progress


@dataclass(frozen=True)
class Given:
    """What is said of all that is imported, instead of what would be recognised."""

    brand: str = ""
    models: tuple[str, ...] = ()
    language: str = ""
    title: str = ""


@dataclass(frozen=True)
class Outcome:
    """What became of a source: new, updated, unchanged or skipped, and then why."""

    source: str
    outcome: str
    name: str = ""
    title: str = ""
    pages: int = 0
    passages: int = 0
    reason: str = ""
    remarks: tuple[str, ...] = ()


@dataclass
class Steps:
    """Who is told how far a source is: pages read, texts embedded."""

    pages: Progress = lambda _done, _of: None
    texts: Progress = lambda _done, _of: None
