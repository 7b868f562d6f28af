"""What others call the states, priorities and categories of tickets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from astreinte.columns import fold
from astreinte.importing.fields import text
from schemas.vocabulary import Category, Labelled

OPEN, ANSWERED, CLOSED = "handed_over", "answered", "closed"
STATES = {
    word: state
    for state, words in {
        ANSWERED: "autoresolved answered repondu",
        CLOSED: "resolved closed archived solved done resolu ferme clos archive termine",
    }.items()
    for word in words.split()
}
"""Any other word is an open ticket: somebody should look at it."""


def state_of(values: Mapping[str, Any]) -> str:
    """Return our state of a ticket; one of which nothing is told lies in the past."""
    told = text(values, "status", "statut", "etat", "state")
    return STATES.get(fold(told), OPEN) if told else CLOSED


def word_of(kind: type[Labelled], told: str) -> str:
    """Return our word for what is told in French, in English or as we do; else nothing."""
    known = {fold(word): one.value for one in kind for word in (one.value, one.fr, one.en)}
    return known.get(fold(told), "")


def category_of(values: Mapping[str, Any]) -> str:
    """Return our category, or what is told where we have none like it."""
    told = text(values, "category", "classification_label", "categorie")
    return word_of(Category, told) or told
