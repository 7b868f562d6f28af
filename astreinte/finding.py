"""What a check of a channel finds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Finding:
    """What one check of a channel found; `detail` is a sentence for operators, in French."""

    channel: str
    what: str
    good: bool
    detail: str
