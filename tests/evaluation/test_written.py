"""The messages that were written for measuring hold what they say they hold."""

from collections import Counter

import pytest

from evaluation.written import SPLITS, Written, messages
from schemas.vocabulary import Category, Channel, Language


@pytest.fixture(scope="module")
def written() -> list[Written]:
    return [message for split in SPLITS for message in messages(split)]


def test_no_id_and_no_text_comes_twice(written: list[Written]) -> None:
    for said in (Counter(m.id for m in written), Counter(m.words() for m in written)):
        assert [value for value, times in said.items() if times > 1] == []


def test_every_value_stands_in_its_message(written: list[Written]) -> None:
    assert {m.id: lost for m in written if (lost := m.unfounded())} == {}


def test_a_value_that_the_message_does_not_hold_is_noticed(written: list[Written]) -> None:
    wrong = written[0].model_copy(update={"error_code": ("ZZ-99",)})
    assert wrong.unfounded() == ["ZZ-99"]


def test_only_mail_has_a_subject(written: list[Written]) -> None:
    assert {m.channel.value for m in written if m.subject} == {"email"}


def test_no_message_is_in_two_splits(written: list[Written]) -> None:
    first = {split: {m.id.partition("-")[0] for m in messages(split)} for split in SPLITS}
    assert first["tune"] == {"tune"}
    assert first["fresh"] == {"fresh"}
    assert not first["report"] & {"tune", "fresh"}


def test_the_fresh_messages_are_of_every_category_and_channel_in_both_languages() -> None:
    fresh = messages("fresh")
    for language in Language:
        part = [m for m in fresh if m.language is language]
        assert {m.category for m in part} == set(Category)
        assert {m.channel for m in part} == set(Channel)
