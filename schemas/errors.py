"""The two failures. Anything else is a bug: dead letter, with a traceback in the log."""

from __future__ import annotations


class Rejected(Exception):  # noqa: N818 - a verdict, not an error of ours
    """Never again: this event goes to the dead letters. The text names no customer's words."""


class Unavailable(Exception):  # noqa: N818 - a state of a neighbour
    """Not now: a neighbour does not answer. Wait, then deliver again."""
