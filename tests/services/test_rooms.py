"""What is remembered of units survives kills, rebalances and a record that is away."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from refrigeration.profile import Profile
from schemas.errors import Unavailable
from schemas.frigo import UnitStateChanged
from schemas.readings import Measures, ReadingReceived
from schemas.vocabulary import Change
from services import rooms as module
from services.classify import frigo
from services.ingest.frigo import Names, receive
from services.policy import Health
from services.profiles import Profiles
from services.rooms import Rooms
from services.vigil import CALM_TURNS, Vigil
from storage import units
from storage.database import Database
from storage.tables import Heartbeat, Unit
from tests.conftest import record_in
from tests.services.ingest.test_frigo import reading

START = datetime.now(UTC) - timedelta(hours=6)
RULES = (frigo.sample_of, frigo.tell)


class Ears:
    """A teller that keeps what it was told; `gone` makes it fail."""

    def __init__(self) -> None:
        self.heard: list[UnitStateChanged] = []
        self.gone = False

    async def tell(self, events: Sequence[Any], source: str, took_ms: float = 0.0) -> None:
        if self.gone:
            msg = "Kafka does not confirm"
            raise Unavailable(msg)
        self.heard += events


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    made = Database(record_in(tmp_path))
    profile = {"unit_id": "c1", "name": "Chambre 1", "high_c": 6, "masks": {"tAO": 15, "PAO": 0}}
    body = Profile.model_validate(profile).model_dump(mode="json")
    await made.write(units.declare, body, datetime.now(UTC))
    yield made
    made.close()


def process(database: Database, ears: Ears) -> Rooms:
    return Rooms(database, Profiles(database), ears, RULES)  # type: ignore[arg-type]


def received(begin: int, minutes: int, celsius: float, unit: str = "c1") -> list[ReadingReceived]:
    return [
        receive(
            reading(
                {"temperature": celsius + 0.01 * (minute % 3)},
                unit_id=unit,
                measured_at=START + timedelta(minutes=begin + minute),
            ),
            Names(None),
            datetime.now(UTC),
        )
        for minute in range(minutes)
    ]


async def state(database: Database) -> Unit:
    [found] = await database.read(
        lambda session: session.exec(select(Unit).where(col(Unit.unit_id) == "c1")).all()
    )
    return found


async def test_an_alarm_is_written_with_its_batch_then_told_then_struck_out(
    database: Database, monkeypatch: pytest.MonkeyPatch
):
    ears = Ears()
    mine = process(database, ears)
    assert not await mine.take(received(0, 30, 3.0))
    assert await mine.take(received(30, 30, 9.0))
    found = await state(database)
    assert [body["change"] for body in found.untold] == ["raised"]
    assert found.due_at
    assert ears.heard == []
    await mine.tell()
    assert [event.change for event in ears.heard] == [Change.RAISED]
    await mine.strike_out()
    assert len((await state(database)).untold) == 1  # the embedded broker may die with it
    monkeypatch.setattr(module, "LINGER_S", 0.0)
    await mine.strike_out()
    assert (await state(database)).untold == []
    await mine.tell()
    assert len(ears.heard) == 1


async def test_who_is_killed_between_writing_and_telling_is_finished_by_the_next(
    database: Database,
):
    ears = Ears()
    killed = process(database, ears)
    assert await killed.take([*received(0, 30, 3.0), *received(30, 30, 9.0)])
    successor = process(database, ears)
    assert await successor.take(received(30, 30, 9.0))  # what was not committed comes again
    await successor.tell()
    assert len(ears.heard) == 1
    assert not await successor.take(received(60, 5, 9.0))
    await killed.tell() if len(killed) else None
    assert len({event.event_id for event in ears.heard}) == 1


async def test_an_on_delay_goes_on_after_a_kill(database: Database):
    ears = Ears()
    killed = process(database, ears)
    await killed.take([*received(0, 30, 3.0), *received(30, 10, 9.0)])
    successor = process(database, ears)
    assert not await successor.take(received(40, 3, 9.0))
    assert await successor.take(received(43, 5, 9.0))
    await successor.tell()
    [event] = ears.heard
    assert event.since
    assert abs((event.since - START).total_seconds() - 30 * 60) <= 120


async def test_of_two_who_look_after_a_unit_the_second_reads_again(database: Database):
    ears = Ears()
    first, second = process(database, ears), process(database, ears)
    await first.take(received(0, 30, 3.0))
    await first.let_go()
    await second.take(received(30, 2, 3.0))
    await first.take([*received(32, 1, 3.0), *received(33, 30, 9.0)])
    with pytest.raises(Unavailable, match="another process"):
        await second.take([*received(32, 1, 3.0), *received(33, 30, 9.0)])
    await second.take([*received(32, 1, 3.0), *received(33, 30, 9.0)])  # as the runner repeats it
    await first.tell()
    await second.tell()
    assert len({event.event_id for event in ears.heard}) == 1


async def test_a_record_that_is_away_costs_nothing_but_time(
    database: Database, monkeypatch: pytest.MonkeyPatch
):
    ears = Ears()
    mine = process(database, ears)
    await mine.take(received(0, 30, 3.0))
    await mine.let_go()
    write = database.write

    async def away(*_args: Any) -> Any:
        msg = "the database does not answer"
        raise Unavailable(msg)

    monkeypatch.setattr(database, "write", away)
    with pytest.raises(Unavailable):
        await mine.take(received(30, 30, 9.0))
    monkeypatch.setattr(database, "write", write)
    assert await mine.take(received(30, 30, 9.0))
    await mine.tell()
    assert [event.change for event in ears.heard] == [Change.RAISED]


async def test_what_kafka_did_not_confirm_is_told_again_under_the_same_id(database: Database):
    ears = Ears()
    mine = process(database, ears)
    await mine.take([*received(0, 30, 3.0), *received(30, 30, 9.0)])
    ears.gone = True
    with pytest.raises(Unavailable):
        await mine.tell()
    ears.gone = False
    await mine.tell()
    await mine.tell()
    assert len(ears.heard) == 1


async def test_a_reading_that_breaks_the_rules_costs_its_neighbours_nothing(
    database: Database, monkeypatch: pytest.MonkeyPatch
):
    body = Profile(unit_id="c2", name="C2", high_c=6).model_dump(mode="json")
    await database.write(units.declare, body, datetime.now(UTC))
    real = module.detector.advance

    def breaks(memory: Any, profile: Profile, *rest: Any) -> Any:
        if profile.unit_id == "c2":
            raise ZeroDivisionError
        return real(memory, profile, *rest)

    monkeypatch.setattr(module.detector, "advance", breaks)
    ears = Ears()
    mine = process(database, ears)
    bad = received(5, 1, 3.0, "c2")
    with pytest.raises(ZeroDivisionError):
        await mine.take([*received(0, 30, 3.0), *bad, *received(30, 30, 9.0)])
    await mine.tell()
    assert [event.unit_id for event in ears.heard] == ["c1"]


async def test_a_unit_that_nobody_declared_is_not_judged(database: Database):
    mine = process(database, Ears())
    assert not await mine.take(received(0, 60, 40.0, "strange"))
    assert len(mine) == 0


async def test_silence_is_an_alarm_even_of_a_unit_whose_process_died(database: Database):
    ears = Ears()
    killed = process(database, ears)
    await killed.take(received(0, 30, 3.0))
    await killed.let_go()
    successor = process(database, ears)
    heard = datetime.now(UTC).timestamp()
    assert not await successor.pass_time(heard + 300)
    assert await successor.pass_time(heard + 1200)
    await successor.tell()
    assert [(event.fault, event.change) for event in ears.heard] == [("no_data", Change.RAISED)]
    assert not await successor.pass_time(heard + 2400)


async def test_the_watch_gives_a_sign_of_life_only_while_readings_are_worked_on(
    database: Database,
):
    health = Health("classify", assigned=4)
    vigil = Vigil(process(database, Ears()), database, lambda: health)

    async def beats() -> list[Heartbeat]:
        return list(await database.read(lambda session: session.exec(select(Heartbeat)).all()))

    health.stopped = "50 dead letters in a row"
    await vigil.turn()
    assert await beats() == []
    health.stopped = ""
    await vigil.turn()
    assert len(await beats()) == 1


async def test_while_readings_wait_in_kafka_silence_means_nothing(database: Database):
    ears = Ears()
    mine = process(database, ears)
    await mine.take(received(0, 30, 3.0))
    await mine.let_go()
    long_ago = datetime.now(UTC) - timedelta(hours=2)
    await database.write(lambda session: session.execute(update(Unit).values(due_at=long_ago)))
    health = Health("classify", assigned=4, lag=50_000)
    vigil = Vigil(mine, database, lambda: health)
    for _ in range(2 * CALM_TURNS):
        await vigil.turn()
    assert len(mine) == 0
    health.lag = 0
    for _ in range(CALM_TURNS):
        await vigil.turn()
    assert len(mine) == 1


def test_the_same_transition_is_the_same_event_and_carries_what_later_stages_need():
    measures = Measures(temperature_c=9.0)
    profile = Profile.model_validate(
        {
            "unit_id": "c1", "name": "C1", "site": "Cuisine", "on_call": ["Léa"],
            "food": {"high_c": 4, "tolerance_k": 1, "source": "x y z", "effective_from": "2009-12-21"},
        }
    )  # fmt: skip
    found = module.Transition(
        Change.CLEARED, frigo.NORMAL and module.detector.Fault.DOOR, "e1", 0.0 + 1.7e9, 1.7e9 + 60,
        module.detector.Fault.DOOR, (), (), "",
    )  # fmt: skip
    first = frigo.tell(found, profile, measures, datetime.now(UTC))
    again = frigo.tell(found, profile, None, datetime.now(UTC) + timedelta(hours=1))
    assert first.event_id == again.event_id
    assert (first.state, first.previous_state) == ("normal", "door")
    assert first.unit
    assert (first.unit.food_high_c, first.unit.on_call) == (5.0, ("Léa",))
