"""Dead letters: a rule is broken, mended, and what died is served; no reply leaves twice.

One desk serves all tests of this file.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest
import pytest_asyncio
from aiokafka import AIOKafkaProducer
from sqlmodel import delete

from schemas.errors import Unavailable
from schemas.printer import InboundMessage
from schemas.topics import STAGES
from services.extract import printer as extract
from services.neighbours import Neighbours
from services.replay import Replay, Verdict
from services.serve import running
from storage import dead, roads
from storage.tables import Conversation, DeadLetter, Message
from tests.conftest import TOGETHER_MS, broker_of, settings_in, until
from tests.flows.conftest import beside
from tests.flows.test_road import letters, said

TEXT = "Mon imprimante HP LaserJet affiche 49.4C02 et ne démarre plus"


pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def desk(quick: None, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Neighbours]:
    """On a broker of its own: a rule that is broken kills whatever else lies in the topics."""
    async with (
        broker_of("embedded", TOGETHER_MS) as address,
        beside(address, settings_in(tmp_path_factory.mktemp("road"))) as near,
        running(near, [*STAGES, "record"]),
    ):
        yield near


@pytest_asyncio.fixture(loop_scope="module")
async def road(desk: Neighbours) -> AsyncIterator[Neighbours]:
    """The desk, and afterwards no dead letters in it."""
    yield desk
    await desk.database.write(lambda session: session.exec(delete(DeadLetter)))


@pytest.fixture
def broken(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """The rule of extract fails; undo the patch to mend it."""

    def fail(*_: Any, **__: Any) -> None:
        raise RuntimeError("a bug, which quotes: " + TEXT)

    monkeypatch.setattr(extract, "extract", fail)
    return monkeypatch


async def dead_letters(road: Neighbours, count: int, **wanted: Any) -> Sequence[DeadLetter]:
    async def enough() -> Sequence[DeadLetter] | None:
        found = await road.database.read(dead.find, dead.Wanted(**wanted))
        return found if len(found) >= count else None

    found: Sequence[DeadLetter] = await until(enough)
    assert len(found) == count
    return found


async def replayed(
    road: Neighbours, found: Sequence[DeadLetter], *, force: bool = False
) -> list[Verdict]:
    again = Replay(road.database, road.teller, force=force)
    return [verdict async for verdict in again.all(found, 1000)]


async def fate(road: Neighbours, letter: DeadLetter, state: str) -> DeadLetter:
    async def ended() -> DeadLetter | None:
        (now,) = await road.database.read(dead.named, [letter.dead_id])
        return now if now.state == state else None

    found: DeadLetter = await until(ended)
    return found


async def states(road: Neighbours, message: InboundMessage) -> tuple[str, str]:
    """The state of a message and of its conversation."""

    def look(session: Any) -> tuple[str, str]:
        found = session.get(Message, str(message.event_id))
        conversation = session.get(Conversation, found.conversation_id)
        return found.outcome, conversation.state

    return await road.database.read(look)


async def test_a_rule_that_was_mended_serves_what_died_of_it_once(
    road: Neighbours, broken: pytest.MonkeyPatch
) -> None:
    messages = [said(TEXT) for _ in range(3)]
    await road.teller.tell(messages, "gateway")
    found = await dead_letters(road, 3)
    assert {(each.stage, each.error) for each in found} == {("extract", "RuntimeError")}
    assert not any(TEXT in each.reason for each in found)
    await until(lambda: states_are(road, messages, ("failed", "failed")))

    (early,) = await replayed(road, found[:1])  # before it is mended: it dies again
    assert early.outcome == "replayed"
    again = await fate(road, found[0], dead.AGAIN)
    assert again.replays == 1

    broken.undo()
    waiting = await dead_letters(road, 3)
    verdicts = await replayed(road, waiting)
    assert [verdict.outcome for verdict in verdicts] == ["replayed"] * 3
    for letter in waiting:
        served = await fate(road, letter, dead.SERVED)
        assert served.ended_at
    await until(lambda: states_are(road, messages, ("answered", "answered")))

    for letter in waiting:  # once more, with force: told again, and not sent again
        (now,) = await road.database.read(dead.named, [letter.dead_id])
        assert [v.outcome for v in await replayed(road, [now], force=True)] == ["replayed"]
        await fate(road, letter, dead.SERVED)
    await until(lambda: states_are(road, messages, ("answered", "answered")))
    assert len(letters(road, *messages)) == 3


async def states_are(
    road: Neighbours, messages: Sequence[InboundMessage], wanted: tuple[str, str]
) -> bool:
    return all([await states(road, message) == wanted for message in messages])


async def test_what_cannot_be_read_is_refused_before_it_dies_again(road: Neighbours) -> None:
    producer = AIOKafkaProducer(bootstrap_servers=road.kafka)
    await producer.start()
    for value in (b"{", b"\xff\xfe", b'{"channel": "fax"}'):
        await producer.send_and_wait("printer.inbound", value, key=b"k")
    await producer.stop()
    found = await dead_letters(road, 3)
    assert {each.body for each in found} == {b"{", b"\xff\xfe", b'{"channel": "fax"}'}
    verdicts = await replayed(road, found)
    assert {verdict.outcome for verdict in verdicts} == {"refused"}
    assert all(verdict.why for verdict in verdicts)
    assert {each.state for each in await dead_letters(road, 3)} == {dead.WAITING}

    (forced,) = await replayed(road, found[:1], force=True)
    assert forced.outcome == "replayed"
    await fate(road, found[0], dead.AGAIN)
    newest = (await dead_letters(road, 3))[-1]
    assert newest.headers["dead_replay"] == found[0].dead_id


async def test_a_replay_that_kafka_did_not_take_waits_again(
    road: Neighbours, broken: pytest.MonkeyPatch
) -> None:
    message = said(TEXT)
    await road.teller.tell([message], "gateway")
    found = await dead_letters(road, 1)
    broken.undo()

    class Deaf:
        async def put_back(self, *_: Any) -> None:
            msg = "Kafka does not confirm"
            raise Unavailable(msg)

    with pytest.raises(Unavailable):
        await Replay(road.database, Deaf()).one(found[0])  # type: ignore[arg-type]
    waiting = await dead_letters(road, 1)
    await replayed(road, waiting)
    await fate(road, found[0], dead.SERVED)
    assert len(letters(road, message)) == 1


async def test_two_who_replay_at_once_put_one_back(
    road: Neighbours, broken: pytest.MonkeyPatch
) -> None:
    message = said(TEXT)
    await road.teller.tell([message], "gateway")
    found = await dead_letters(road, 1)
    broken.undo()
    outcomes = [verdict.outcome for verdict in await replayed(road, [found[0], found[0]])]
    assert outcomes == ["replayed", "refused"]
    await fate(road, found[0], dead.SERVED)
    await until(lambda: road.database.read(roads.ended, [str(message.event_id)]))
    assert len(letters(road, message)) == 1
