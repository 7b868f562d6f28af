"""When automatic replies may leave: by the clock on the wall, holidays and changes of time too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from pydantic import ValidationError

from services.quiet import Quiet, quiet_of
from services.settings_policy import PolicySettings

PARIS = quiet_of(PolicySettings())


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("now", "leaves"),
    [
        ("2025-02-04T10:00", "2025-02-04T10:00"),  # Tuesday, 11:00 in Paris
        ("2025-02-04T19:59:59", "2025-02-04T19:59:59"),  # one second before 21:00
        ("2025-02-04T20:00", "2025-02-05T07:00"),
        ("2025-02-04T22:59:59", "2025-02-05T07:00"),  # before midnight
        ("2025-02-04T23:00", "2025-02-05T07:00"),  # after midnight: the same morning
        ("2025-02-05T06:59:59", "2025-02-05T07:00"),
        ("2025-02-05T07:00", "2025-02-05T07:00"),
        ("2025-07-15T19:00", "2025-07-16T06:00"),  # in summer the morning comes an hour earlier
        ("2025-03-29T22:00", "2025-03-30T06:00"),  # the night that loses an hour
        ("2025-03-30T01:30", "2025-03-30T06:00"),
        ("2025-10-25T20:00", "2025-10-26T07:00"),  # the night that has one more
        ("2025-10-26T01:30", "2025-10-26T07:00"),
        ("2025-12-25T10:00", "2025-12-26T07:00"),  # Christmas, all day
        ("2025-12-24T21:00", "2025-12-26T07:00"),  # the evening before
        ("2025-12-24T22:59:59", "2025-12-26T07:00"),
        ("2025-05-31T21:00", "2025-06-01T06:00"),
        ("2024-12-31T20:00", "2025-01-02T07:00"),  # New Year's Day is in another year
    ],
)
def test_a_text_message_waits_for_the_morning_in_paris(now: str, leaves: str) -> None:
    assert PARIS.may_leave("sms", utc(now)) == utc(leaves)


@pytest.mark.parametrize("channel", ["email", "chat"])
@pytest.mark.parametrize("now", ["2025-02-04T23:00", "2025-12-25T10:00"])
def test_mail_and_chat_wait_for_nothing(channel: str, now: str) -> None:
    assert PARIS.may_leave(channel, utc(now)) == utc(now)


def test_hours_at_noon_end_on_the_same_day() -> None:
    lunch = quiet_of(PolicySettings(quiet="email 12:00-14:00", time_zone="UTC", holidays="none"))
    assert lunch.may_leave("email", utc("2025-02-04T13:00")) == utc("2025-02-04T14:00")
    assert lunch.may_leave("email", utc("2025-02-04T14:00")) == utc("2025-02-04T14:00")
    assert lunch.may_leave("sms", utc("2025-02-04T13:00")) == utc("2025-02-04T13:00")


def test_a_desk_may_have_no_quiet_hours() -> None:
    now = utc("2025-12-25T23:00")
    assert quiet_of(PolicySettings(quiet="none")).may_leave("sms", now) == now


def test_each_region_has_its_own_holidays() -> None:
    second = utc("2025-12-26T10:00")  # a holiday in Moselle, not in the rest of France
    moselle = quiet_of(PolicySettings(holidays="FR-57"))
    assert PARIS.may_leave("sms", second) == second
    assert moselle.may_leave("sms", second) == utc("2025-12-27T07:00")


def test_an_hour_that_the_clocks_skip_is_over_when_they_have() -> None:
    early = quiet_of(PolicySettings(quiet="sms 21:00-02:30", holidays="none"))
    assert early.may_leave("sms", utc("2025-03-29T22:00")) == utc("2025-03-30T01:30")


def test_at_no_minute_of_a_year_a_reply_waits_for_a_quiet_hour_or_longer_than_holidays() -> None:
    moment, end = utc("2025-01-01T00:00"), utc("2026-01-01T00:00")
    while moment < end:
        at = PARIS.may_leave("sms", moment)
        assert moment <= at <= moment + timedelta(days=3)
        assert PARIS.may_leave("sms", at) == at
        moment += timedelta(minutes=47)


def test_a_calendar_without_a_working_day_holds_nothing_back_for_ever() -> None:
    class Always:
        def __contains__(self, _day: object) -> bool:
            return True

    now = utc("2025-02-04T10:00")
    assert Quiet(PARIS.hours, PARIS.zone, Always()).may_leave("sms", now) == now


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"quiet": "fax 21:00-08:00"}, "'fax 21:00-08:00' is not a channel and its quiet hours"),
        ({"quiet": "sms 21-8"}, "'sms 21-8' is not a channel and its quiet hours"),
        ({"quiet": "sms 25:00-08:00"}, "hour must be in 0..23"),
        ({"time_zone": "Europe/Parys"}, "there is no time zone Europe/Parys"),
        ({"holidays": "XX"}, "no holidays are known of XX"),
        ({"holidays": "FR-ZZ"}, "no holidays are known of FR-ZZ"),
    ],
)
def test_settings_that_cannot_be_are_refused_with_a_sentence(
    changes: dict[str, str], said: str
) -> None:
    with pytest.raises(ValidationError, match=said):
        PolicySettings(**changes)
