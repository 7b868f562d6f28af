"""Puts together what fetches mails: the mailbox, its ledger in the record, the room they go to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

from gateways.imap import ImapBridge, Met
from gateways.mailbox import Account, Extent, Mailbox
from schemas.delivery import DeliveryReported
from schemas.printer import InboundMessage
from services.mail_doors import mail_room
from services.neighbours import Neighbours
from services.owner import is_gone, new_owner
from services.settings_mail import ImapSettings
from storage import journal, mailboxes
from storage.database import Database


class RecordedLedger:
    """The ledger of one mailbox, in the record."""

    def __init__(self, database: Database, name: str) -> None:
        self._database = database
        self._name = name
        self._owner = new_owner()

    async def met(self) -> Met | None:
        """Return the mailbox as it was."""
        row = await self._database.read(mailboxes.met, self._name)
        return Met(row.validity, row.first_uid, row.next_uid, row.looked_at) if row else None

    async def note(self, extent: Extent, first_uid: int, uids: Sequence[int]) -> None:
        """Note that these mails are there."""
        following = max([extent.next_uid, *(uid + 1 for uid in uids)])
        now = datetime.now(UTC)
        await self._database.write(
            mailboxes.note, self._name, extent.validity, first_uid, following, uids, now
        )

    async def claim(self, validity: int) -> Sequence[tuple[int, int]]:
        """Take mails that wait, or whose owner is gone."""
        gone = partial(is_gone, me=self._owner)
        rows = await self._database.write(
            mailboxes.claim, self._name, validity, self._owner, gone, datetime.now(UTC)
        )
        return [(row.uid, row.tries) for row in rows]

    async def end(self, validity: int, uid: int, state: str, detail: str = "") -> None:
        """Note what became of a mail."""
        now = datetime.now(UTC)
        await self._database.write(
            mailboxes.end, self._name, validity, uid, self._owner, state, detail, now
        )


def account_of(imap: ImapSettings) -> Account:
    """Return the mailbox of the settings."""
    return Account(
        imap.host,
        imap.port,
        imap.user,
        imap.password.get_secret_value(),
        imap.token.get_secret_value(),
        imap.tls,
        imap.ca,
        imap.folder,
        imap.timeout_s,
    )


def imap_bridge(near: Neighbours, source: str, count: Callable[[int, int], None]) -> ImapBridge:
    """Return what takes mails from the mailbox of the settings."""

    async def hand_in(event: InboundMessage | DeliveryReported) -> None:
        if near.embedded and isinstance(event, InboundMessage):
            # That broker keeps nothing on disk: the journal does.
            body, now = event.model_dump_json(by_alias=True), datetime.now(UTC)
            name = str(event.event_id)
            if not await near.database.write(journal.accept, name, body, now):
                return
        await near.teller.tell([event], source)

    imap, account = near.settings.imap, account_of(near.settings.imap)
    return ImapBridge(
        Mailbox(account),
        RecordedLedger(near.database, account.name),
        mail_room(near.settings, hand_in),
        poll_s=imap.poll_s,
        since_days=imap.since_days,
        count=count,
    )
