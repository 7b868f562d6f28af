"""`astreinte findings`, as it is typed."""

from __future__ import annotations

import pytest
from sqlmodel import Session, select

from storage.tables import Correction, Message
from tests.astreinte.test_policy import Typed, in_record, typed, url
from tests.storage.test_intake import mail, take_in

__all__ = ["typed", "url"]


@pytest.fixture
def message(url: str) -> str:
    in_record(url, lambda session: take_in(session, mail()))

    def first(session: Session) -> str:
        return session.exec(select(Message.message_id)).one()

    return str(in_record(url, first))


def kept(url: str) -> list[tuple[str, str, str, str, str]]:
    def rows(session: Session) -> list[tuple[str, str, str, str, str]]:
        found = session.exec(select(Correction).order_by(Correction.kind)).all()
        return [(row.kind, row.old, row.value, row.words, row.by) for row in found]

    return in_record(url, rows)  # type: ignore[return-value]


def test_what_people_say_is_kept_once(typed: Typed, url: str, message: str) -> None:
    said = ("findings", "correct", message, "model", " C750 ", "--instead-of", "C760")
    more = ("--called", "la  grosse", "--by", "léa")
    assert typed(*said, *more)[:2] == (0, "Retenu.\n")
    assert typed(*said, *more)[:2] == (0, "Déjà retenu.\n")
    gone = ("findings", "remove", message, "error_code", "B12", "--by", "léa")
    assert typed(*gone)[:2] == (0, "Retenu.\n")
    assert kept(url) == [
        ("error_code", "B12", "", "", "léa"),
        ("model", "C760", "C750", "la grosse", "léa"),
    ]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (("nobody", "model", "C750"), "there is no message or conversation nobody"),
        (("nobody", "model", " "), "nothing is said: the value is empty"),
        (("nobody", "model", "x" * 300), "a value of more than 255 characters"),
    ],
)
def test_what_cannot_be_kept_is_said(typed: Typed, words: tuple[str, ...], complaint: str) -> None:
    status, _, said = typed("findings", "correct", *words)
    assert (status, said) == (1, f"astreinte: {complaint}\n")


def test_a_kind_that_is_none_is_refused(typed: Typed, message: str) -> None:
    status, _, said = typed("findings", "correct", message, "colour", "red")
    assert status == 2
    assert "colour" in said
