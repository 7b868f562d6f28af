"""What a provider's error code means for us, and what follows: the table `provider_error` says.

suppress: nothing more is sent to the recipient. opt_out: nothing more from that number of ours.
alert: number, account or text are wrong, people
are told in the log. retry: the recipient could not be reached. slow_down: too much at once.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

from sqlmodel import Session

from gateways.outbound import Letter, Outbound, Refused
from schemas.errors import Rejected, Unavailable
from schemas.vocabulary import Channel
from services.addresses import line_of, plain
from storage import permission, provider_errors
from storage.database import Database
from storage.suppressions import suppress

log = logging.getLogger(__name__)

SUPPRESS, OPT_OUT, ALERT, RETRY = "suppress", "opt_out", "alert", "retry"
SLOW_DOWN = "slow_down"
SLOW_DOWN_S = 30.0
"""Where the provider does not say for how long: between two numbers it counts over that time."""
TRIES = 3
"""Of a reply that arrives nowhere; then its recipient is left alone for a week."""
LEFT_ALONE = timedelta(days=7)


class JudgedOutbound:
    """A door whose provider refuses by codes: each is judged by the table."""

    def __init__(self, door: Outbound, database: Database) -> None:
        self._door = door
        self._database = database
        self.name = door.name
        self.at_once = door.at_once
        self.settles_after_s = door.settles_after_s

    async def send(self, letter: Letter) -> str:
        """Send, as the door does; what it refuses is `Rejected`, or `Unavailable` for now."""
        try:
            return await self._door.send(letter)
        except Refused as why:
            effect = await self._database.write(
                judge, why, letter.channel, letter.address, letter.ours
            )
            if effect == SLOW_DOWN:
                raise Unavailable(str(why), SLOW_DOWN_S) from why
            if effect == RETRY or why.status == HTTPStatus.UNAUTHORIZED:
                raise Unavailable(str(why)) from why  # a key that people change, not this letter
            raise Rejected(str(why)) from why

    async def was_sent(self, reply_id: str) -> bool | None:
        """Say what the door says."""
        return await self._door.was_sent(reply_id)

    async def close(self) -> None:
        """Let the door's connections go."""
        await self._door.close()


def judge(session: Session, why: Refused, channel: str, address: str, ours: str) -> str:
    """Return what a code does, and do of it what is to be written down or said."""
    now = datetime.now(UTC)
    known = provider_errors.meaning(session, why.provider, why.code)
    effect = known.effect if known else ALERT
    if effect == SUPPRESS:
        leave_alone(session, why, channel, address)
    if effect == OPT_OUT:
        line = line_of(Channel(channel), ours, address)
        permission.consent(session, line, permission.STOPPED, f"{why.provider} {why.code}", now)
    if effect == ALERT:
        log.error("%s refuses with %s: %s", why.provider, why.code, known.meaning if known else why)
    return effect


def leave_alone(
    session: Session, why: Refused, channel: str, address: str, lasting: timedelta | None = None
) -> None:
    """Send nothing more to a recipient, for good or for some time."""
    now = datetime.now(UTC)
    suppress(
        session,
        channel,
        plain(Channel(channel), address),
        reason=f"{why.provider}_{why.code}"[:40],
        detail=str(why),
        source=why.provider,
        now=now,
        until=now + lasting if lasting else None,
    )
