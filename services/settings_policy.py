"""What leaves by itself, when, and how much of it; `services.settings` takes it in."""

from __future__ import annotations

import re
from collections.abc import Container
from datetime import date, time
from zoneinfo import ZoneInfo

from pydantic import Field, field_validator
from pydantic_settings import BaseSettings

from schemas.vocabulary import Channel
from services.settings_frigo import variables

NONE = "none"
"""An empty variable is one that was not set: it means the default."""

_QUIET = re.compile(r"(\w+) (\d\d:\d\d)-(\d\d:\d\d)")


class PolicySettings(BaseSettings):
    """What the desk allows itself to send without a person. 0 takes a limit away."""

    model_config = variables("POLICY")

    quiet: str = Field(
        default="sms 21:00-08:00, call 21:00-08:00",
        description="by channel, when automatic replies wait for the morning; none: never",
    )
    time_zone: str = Field(default="Europe/Paris", description="of these hours (IANA)")
    holidays: str = Field(
        default="FR",
        pattern=r"^([A-Z]{2}(-\w{1,6})?|none)$",
        description="country whose holidays are quiet all day, or FR-57 of a region; none: none",
    )
    sender_replies: int = Field(
        default=10, ge=0, description="automatic replies to one address within `sender_minutes`"
    )
    same_subject: int = Field(
        default=2, ge=0, description="of them under one subject, by e-mail: ticket systems"
    )
    sender_minutes: int = Field(default=180, ge=1, le=10_080, description="that window, minutes")
    conversation_replies: int = Field(
        default=20, ge=0, description="automatic replies in one conversation within a day"
    )
    desk_replies: int = Field(
        default=100, ge=0, description="of the whole desk within `desk_minutes`: more stop it"
    )
    desk_minutes: int = Field(default=10, ge=1, le=1_440, description="that window, minutes")
    failed_percent: int = Field(
        default=50, ge=0, le=100, description="of an hour's replies that failed: more stop the desk"
    )
    stopped_minutes: int = Field(
        default=60, ge=0, description="for which it is then stopped; 0: until a person goes on"
    )

    @field_validator("quiet")
    @classmethod
    def _hours(cls, given: str) -> str:
        """Refuse hours that would never come, and channels that there are not."""
        hours_of(given)
        return given

    @field_validator("time_zone")
    @classmethod
    def _zone(cls, given: str) -> str:
        try:
            ZoneInfo(given)
        except (KeyError, ValueError, OSError):
            msg = f"there is no time zone {given}: one is Europe/Paris"
            raise ValueError(msg) from None
        return given

    @field_validator("holidays")
    @classmethod
    def _country(cls, given: str) -> str:
        if given != cls.model_fields["holidays"].default:  # known, and loading takes a while
            holidays_of(given)
        return given


def holidays_of(country: str) -> Container[date]:
    """Return the holidays of a country, or of its region: `FR`, `FR-57`; of none, none.

    Raises
    ------
    ValueError
        None are known of it.
    """
    from holidays import country_holidays  # noqa: PLC0415 - takes half a second, for dispatch only

    if country == NONE:
        return frozenset()
    nation, _, region = country.partition("-")
    try:
        return country_holidays(nation, subdiv=region or None)
    except NotImplementedError:
        msg = f"no holidays are known of {country}"
        raise ValueError(msg) from None


def hours_of(quiet: str) -> dict[str, tuple[time, time]]:
    """Return the quiet hours of each channel.

    Raises
    ------
    ValueError
        They are not written as `sms 21:00-08:00, call 21:00-08:00`.
    """
    found: dict[str, tuple[time, time]] = {}
    if quiet == NONE:
        return found
    for part in (one.strip() for one in quiet.split(",")):
        matched = _QUIET.fullmatch(part)
        if not matched or matched[1] not in {channel.value for channel in Channel}:
            msg = f"{part!r} is not a channel and its quiet hours: one is sms 21:00-08:00"
            raise ValueError(msg)
        found[matched[1]] = time.fromisoformat(matched[2]), time.fromisoformat(matched[3])
    return found
