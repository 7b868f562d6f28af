"""Mails out of a real mailbox: each once, none skipped, whoever reads, moves or kills meanwhile."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from imapclient import IMAPClient
from sqlmodel import col, select

from gateways.attachments import Files
from gateways.imap import ImapBridge
from gateways.inbound_mail import Ours
from gateways.mailbox import Mailbox
from gateways.mailroom import MailRoom
from gateways.spool import Spool
from schemas.delivery import DeliveryReported
from schemas.errors import Unavailable
from schemas.printer import InboundMessage
from services.fetching import RecordedLedger
from storage import mailboxes
from storage.database import Database
from storage.tables import Fetched
from tests.conftest import record_in, until
from tests.dovecot import Dovecot

pytestmark = pytest.mark.imap
MAIL = b"From: ana@example.org\nMessage-ID: <%d@x>\nSubject: panne\n\nLe bac %d.\n"


@pytest.fixture
def server() -> Iterator[Dovecot]:
    made = Dovecot()
    made.start()
    yield made
    made.remove()


class Desk:
    """What takes mails; may be killed, and start again on the same record."""

    def __init__(self, server: Dovecot, folder: Path, since_days: int = 0) -> None:
        self.server, self.folder, self.since_days = server, folder, since_days
        self.database = Database(record_in(folder))
        self.heard: list[str] = []
        self.down = False
        self.bridge = self.begin()

    def begin(self) -> ImapBridge:
        """Make a bridge as a process makes it when it starts."""
        account = self.server.account
        room = MailRoom(
            Files(self.folder / "files", 1000), Spool(self.folder / "spool"), Ours(), self.hand_in
        )
        ledger = RecordedLedger(self.database, account.name)
        self.bridge = ImapBridge(
            Mailbox(account), ledger, room, poll_s=30.0, since_days=self.since_days
        )
        return self.bridge

    async def hand_in(self, event: InboundMessage | DeliveryReported) -> None:
        if self.down:
            msg = "Kafka does not confirm"
            raise Unavailable(msg)
        assert isinstance(event, InboundMessage)
        self.heard.append(event.external_id)

    async def states(self) -> list[str]:
        found = select(Fetched.state).order_by(col(Fetched.validity), col(Fetched.uid))
        return list(await self.database.read(lambda session: session.exec(found).all()))


@pytest.fixture
async def desk(server: Dovecot, tmp_path: Path) -> AsyncIterator[Desk]:
    made = Desk(server, tmp_path)
    await made.bridge.turn()  # what was there before is not ours
    yield made
    made.database.close()


@asynccontextmanager
async def running(bridge: ImapBridge) -> AsyncIterator[None]:
    task = asyncio.create_task(bridge.run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def client(server: Dovecot) -> IMAPClient:
    other = IMAPClient("127.0.0.1", server.port, ssl=False)
    other.login("support", "astreinte")
    other.select_folder("INBOX")
    return other


async def test_a_mail_that_comes_is_taken_at_once_and_stays_unread(server: Dovecot, desk: Desk):
    async with running(desk.bridge):
        await until(lambda: not desk.bridge.taken.waiting_for)
        await asyncio.sleep(0.5)  # it listens by now, and would look again in 30 s only
        server.deliver(MAIL % (1, 1))
        await until(lambda: desk.heard == ["<1@x>"], 5)
        server.deliver(MAIL % (2, 2))
        await until(lambda: desk.heard == ["<1@x>", "<2@x>"], 5)
        await until(lambda: desk.bridge.taken.done == 2)
    assert await desk.states() == ["done", "done"]
    assert len(client(server).search("UNSEEN")) == 2


async def test_what_was_there_before_us_is_left_alone_unless_asked_for(
    server: Dovecot, tmp_path: Path
):
    server.deliver(MAIL % (1, 1))
    desk = Desk(server, tmp_path)
    await desk.bridge.turn()
    assert desk.heard == []
    (tmp_path / "other").mkdir()
    asked = Desk(server, tmp_path / "other", since_days=1)
    await asked.bridge.turn()
    assert asked.heard == ["<1@x>"]
    server.deliver(MAIL % (2, 2))
    for each in (desk, asked):
        await each.bridge.turn()
        each.database.close()
    assert (desk.heard, asked.heard) == (["<2@x>"], ["<1@x>", "<2@x>"])


async def test_a_mail_that_somebody_read_first_is_taken_and_one_that_they_took_away_is_gone(
    server: Dovecot, desk: Desk
):
    for number in (1, 2, 3):
        server.deliver(MAIL % (number, number))
    other = client(server)
    other.create_folder("Done")
    other.add_flags([1], [b"\\Seen"])
    taken, moved = desk.bridge._mailbox.size_of, False

    async def meanwhile(uid: int) -> int | None:
        nonlocal moved
        if not moved:
            moved = True
            other.move([2], "Done")
        return await taken(uid)

    desk.bridge._mailbox.size_of = meanwhile  # type: ignore[method-assign]
    await desk.bridge.turn()
    assert desk.heard == ["<1@x>", "<3@x>"]
    assert await desk.states() == ["done", "gone", "done"]


async def test_while_kafka_is_away_mails_wait_and_none_is_taken_twice(server: Dovecot, desk: Desk):
    for number in range(1, 31):
        server.deliver(MAIL % (number, number))
    desk.down = True
    with pytest.raises(Unavailable):
        await desk.bridge.turn()
    assert set(await desk.states()) == {"waiting", "claimed"}
    desk.down = False
    desk.begin()  # as a process that starts again
    await desk.bridge.turn()
    assert sorted(desk.heard) == sorted(f"<{n}@x>" for n in range(1, 31))
    assert set(await desk.states()) == {"done"}


async def test_numbers_that_begin_anew_skip_nothing(server: Dovecot, desk: Desk):
    server.deliver(MAIL % (1, 1))
    await desk.bridge.turn()
    await desk.bridge._mailbox.close()
    server.stop()
    server.begin_anew()
    server.deliver(MAIL % (2, 2))
    await asyncio.sleep(1.1)  # validity is a time in seconds
    server.start()
    await desk.bridge.turn()
    # The first comes again, with the same identity: further on it is known.
    assert set(desk.heard) == {"<1@x>", "<2@x>"}
    assert desk.heard[0] == "<1@x>"


async def test_a_server_that_goes_away_and_comes_back_is_waited_for(server: Dovecot, desk: Desk):
    async with running(desk.bridge):
        await until(lambda: not desk.bridge.taken.waiting_for)
        server.stop()
        await until(lambda: "is away" in desk.bridge.taken.waiting_for)
        server.deliver(MAIL % (1, 1))
        server.start()
        await until(lambda: desk.heard == ["<1@x>"])


async def test_two_bridges_share_a_mailbox(server: Dovecot, desk: Desk):
    first, second = desk.bridge, desk.begin()
    second._ledger._owner = "another machine:1:1:x"  # type: ignore[attr-defined]
    for number in range(1, 61):
        server.deliver(MAIL % (number, number))
    await asyncio.gather(first.turn(), second.turn())
    assert sorted(desk.heard) == sorted(f"<{n}@x>" for n in range(1, 61))
    assert set(await desk.states()) == {"done"}


async def test_what_cannot_be_understood_is_kept_and_does_not_come_again(
    server: Dovecot, desk: Desk
):
    server.deliver(b"Subject: from nobody\n\nx\n")
    await desk.bridge.turn()
    await desk.bridge.turn()
    assert await desk.states() == ["kept"]
    assert len(list((desk.folder / "spool").rglob("imap-*"))) == 1


async def test_the_password_goes_over_tls_and_a_wrong_one_is_said():
    server = Dovecot(tls=True)
    server.start()
    try:
        good = Mailbox(server.account)
        assert (await good.look()).next_uid == 1
        await good.close()
        for wrong in (
            replace(server.account, password="other"),
            replace(server.account, ca=None),
        ):
            with pytest.raises(Unavailable, match="is away"):
                await Mailbox(wrong).look()
    finally:
        server.remove()


KILLED = """
import asyncio, sys
from pathlib import Path
from tests.gateways.test_imap import Desk
from tests.dovecot import Dovecot
import tests.gateways.test_imap as module

class Remote(Dovecot):
    def __init__(self, port, data):
        self.port, self.tls, self.data = port, False, data

server = Remote(int(sys.argv[1]), Path(sys.argv[2]))
module.record_in = lambda folder: f"sqlite:///{folder}/record.db"
desk = Desk(server, Path(sys.argv[3]))

async def slowly(event):
    print(event.external_id, flush=True)
    await asyncio.sleep(0.02)

desk.hand_in = slowly
desk.begin()
asyncio.run(desk.bridge.run())
"""


async def test_a_process_that_is_killed_at_any_moment_leaves_nothing_out(
    server: Dovecot, desk: Desk, tmp_path: Path
):
    for number in range(1, 101):
        server.deliver(MAIL % (number, number))
    words = [sys.executable, "-c", KILLED, str(server.port), str(server.data), str(tmp_path)]
    heard: list[str] = []
    for _ in range(3):
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as process:  # noqa: ASYNC220
            assert process.stdout
            heard += [process.stdout.readline().strip() for _ in range(15)]
            os.kill(process.pid, signal.SIGKILL)
            heard += [line.strip() for line in process.stdout]
    desk.begin()
    await desk.bridge.turn()
    heard += desk.heard
    assert set(heard) == {f"<{n}@x>" for n in range(1, 101)}
    assert len(heard) <= 100 + 3  # what was in hand when it was killed came again
    assert set(await desk.states()) == {"done"}


async def test_a_claim_of_another_machine_is_taken_over_after_its_lease(desk: Desk):
    await desk.database.write(mailboxes.note, "m", 1, 1, 3, [1, 2], datetime.now(UTC))

    def nobody_is_gone(_owner: str) -> bool:
        return False

    async def claimed(owner: str, now: datetime) -> list[int]:
        rows = await desk.database.write(mailboxes.claim, "m", 1, owner, nobody_is_gone, now)
        return [row.uid for row in rows]

    now = datetime.now(UTC)
    assert await claimed("a", now) == [1, 2]
    assert await claimed("b", now) == []
    assert await claimed("b", now + mailboxes.LEASE) == [1, 2]
