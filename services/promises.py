"""Sentences that only a person may write: promises, and claims that something was done. Pure.

An article says what a customer can do. It never says what we did or will do, and a model has no
other ground; so whatever it says in our name is refused, but for courtesy.
"""

from __future__ import annotations

from knowledge.checks import load_checks
from services.sentences import fold, pieces


def told(text: str) -> list[str]:
    """Return the sentences of a text of others that a reply may repeat or rest on.

    Not those that promise, and not those that bid the machine: a document is no authority over it.
    """
    orders = load_checks().orders
    return [
        one.text
        for one in pieces(text)
        if not promise(one.text) and not orders.search(fold(one.text))
    ]


def promise(sentence: str) -> bool:
    """Say whether a sentence promises, claims a deed, or speaks for us beyond courtesy."""
    checks, said = load_checks(), fold(sentence)
    if checks.promises.search(said):
        return True
    return bool(checks.ours.search(checks.courtesy_of_ours.sub(" ", said)))
