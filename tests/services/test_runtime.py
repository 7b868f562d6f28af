"""Delivery: nothing lost, nothing out of order, nothing stuck. On both brokers.

T1 … T8 are the traps of FastStream that were reproduced before the runner was written.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from gateways.kafka import MAX_REQUEST_BYTES
from schemas.errors import Rejected, Unavailable
from services import patience, wire
from tests.conftest import until
from tests.services.road import Road


@pytest.fixture
async def road(kafka: str, request: pytest.FixtureRequest) -> AsyncIterator[Road]:
    made = Road(kafka)
    await made.build(create="apache" in request.node.name)
    yield made
    await made.close()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "QUICK_TRIES_S", (0.02, 0.02, 0.02))
    monkeypatch.setattr(patience, "SLOW_TRY_S", 0.1)


async def all_committed(road: Road) -> bool:
    return await road.committed() == await road.ends()


# --- the traps -----------------------------------------------------------------------------------


async def test_t1_headers_that_are_null_or_not_utf8_lose_no_message(road: Road):
    await road.put_event(0)
    await road.put_event(1, headers=[("x", b"\xff\xfe")])
    await road.put_event(2, headers=[("x", None)])
    await road.put_event(3)
    async with road.running(road.answers, batch=10) as runner:
        await until(lambda: runner.health.handled == 4)
    assert await road.told() == [0, 1, 2, 3]
    assert await road.committed() == {0: 4}


async def test_t1_odd_headers_of_a_dead_letter_arrive_as_text(road: Road):
    await road.put(b"{", headers=[("x", b"\xff"), ("y", None), ("z", "é".encode())])
    async with road.running(road.answers) as runner:
        await until(lambda: runner.health.dead == 1)
    [(_, headers)] = await road.dead_letters()
    assert (headers["x"], headers["y"], headers["z"]) == ("\\xff", "", "é")


async def test_t1_a_header_name_that_no_client_can_read_stops_the_stage_instead_of_spinning(
    road: Road,
):
    await road.put_event(0)
    await road.put_with_header_name(b"\xff\xfe")
    await road.put_event(2)
    async with road.running(road.answers) as runner:
        await until(lambda: runner.health.stopped)
        await asyncio.sleep(0.3)
        assert runner.health.stopped == "a record cannot be read (UnicodeDecodeError)"
        assert not runner.health.ready
        assert len(runner._subscription._subscriber.tasks) < 5  # the loop was not begun anew
    # What came in the poll before was done; the rest is still there, to be read again.
    assert (await road.told(), await road.committed()) in [([0], {0: 1}), ([], {})]


async def test_t2_one_bad_record_does_not_take_its_batch_along(road: Road):
    async def handle(events: Sequence[Any]) -> list[tuple[Any]]:
        if any(event.number == 3 for event in events):
            raise ValueError
        return await road.answers(events)

    await road.put_event(0)
    await road.put(b'{"number": 1')
    await road.put_event(2)
    await road.put_event(3)
    await road.put_event(4)
    async with road.running(handle, batch=10) as runner:
        await until(lambda: runner.health.handled + runner.health.dead == 5)
    assert await road.told() == [0, 2, 4]
    assert sorted(letter.value for letter, _ in await road.dead_letters()) == sorted(
        [b'{"number": 1', wire.body_of(road.event(3, "k"))]
    )
    assert await road.committed() == {0: 5}


async def test_t3_poison_dies_once_and_the_next_event_is_served(road: Road):
    poison = [b"", None, b"\xff\xfe\x00", b"[]", b'{"who": 5}', b"{" * 50_000]
    for value in poison:
        await road.put(value)
    await road.put_event(6)
    async with road.running(road.answers) as runner:
        await until(lambda: runner.health.handled == 1)
        await until(lambda: all_committed(road))
        await asyncio.sleep(0.3)  # time enough for a loop to show
        assert runner.health.dead == len(poison)
    letters = await road.dead_letters()
    assert [letter.value for letter, _ in letters] == [value or b"" for value in poison]
    assert [headers["dead_offset"] for _, headers in letters] == list("012345")
    async with road.running(road.answers) as runner:
        await asyncio.sleep(0.3)
        assert runner.health.dead == runner.health.handled == 0


async def test_t4_t5_a_clean_stop_loses_nothing_and_repeats_nothing(road: Road):
    handled: list[int] = []

    async def slowly(events: Sequence[Any]) -> list[tuple[Any]]:
        await asyncio.sleep(0.1)
        handled.extend(event.number for event in events)
        return await road.answers(events)

    await road.ask(*(road.event(n) for n in range(60)))
    async with road.running(slowly, concurrency=8) as runner:
        await until(lambda: len(handled) >= 16)
    assert 16 <= len(handled) < 60  # it stopped in the middle
    assert runner.health.in_hand == 0
    async with road.running(slowly, concurrency=30):
        await until(lambda: len(handled) >= 60)
        await until(lambda: all_committed(road))
    assert sorted(handled) == list(range(60))
    assert await road.told() == list(range(60))


async def test_t7_it_is_ready_only_while_it_consumes(road: Road, impatient: None):
    down = False

    async def handle(events: Sequence[Any]) -> list[tuple[Any]]:
        if down:
            raise Unavailable
        return await road.answers(events)

    async with road.running(handle) as runner:
        assert runner.health.ready
        down = True
        await road.put_event(0)
        await until(lambda: not runner.health.ready)
        down = False
        await until(lambda: runner.health.ready)
    assert not runner.health.ready


async def test_t7_it_is_not_ready_before_it_has_partitions(road: Road):
    async with road.running(road.answers) as runner:
        assert runner.health.ready
        await runner.revoked([])
        assert not runner.health.ready


async def test_t8_handling_a_message_logs_nothing(road: Road, caplog: pytest.LogCaptureFixture):
    caplog.set_level(logging.DEBUG, "faststream")
    caplog.set_level(logging.INFO)
    async with road.running(road.answers) as runner:
        caplog.clear()
        await road.ask(*(road.event(n) for n in range(100)))
        await until(lambda: runner.health.handled == 100)
        assert len(caplog.records) < 5


# --- order and speed -----------------------------------------------------------------------------


async def test_slow_handlers_go_side_by_side_and_each_key_in_order(road: Road):
    order: dict[str, list[int]] = defaultdict(list)
    busy: Counter[str] = Counter()
    at_once = 0

    async def model(events: Sequence[Any]) -> list[tuple[Any]]:
        nonlocal at_once
        [event] = events
        busy[event.who] += 1
        assert busy[event.who] == 1, "two of one key at once"
        at_once = max(at_once, busy.total())
        await asyncio.sleep(0.2)
        busy[event.who] -= 1
        order[event.who].append(event.number)
        return await road.answers(events)

    async with road.running(model, concurrency=64) as runner:
        await road.ask(*(road.event(n, f"k{n % 100}") for n in range(300)))
        began = time.monotonic()
        await until(lambda: runner.health.handled + runner.health.dead == 300)
        took_s = time.monotonic() - began
    assert runner.health.dead == 0
    assert took_s < 300 * 0.2 / 10
    assert at_once > 32
    assert all(numbers == sorted(numbers) for numbers in order.values())
    answers: dict[str, list[int]] = defaultdict(list)
    for record in await road.read(road.answered.topic):
        answer = road.answered.model_validate_json(record.value)
        answers[answer.who].append(answer.number)
    assert answers == order


async def test_one_slow_key_holds_up_no_other_and_no_offset_is_committed_past_it(road: Road):
    free = asyncio.Event()

    async def handle(events: Sequence[Any]) -> list[tuple[Any]]:
        if events[0].who == "slow":
            await free.wait()
        return await road.answers(events)

    await road.put_event(0, "slow")
    for n in range(1, 6):
        await road.put_event(n, f"k{n}")
    async with road.running(handle, concurrency=3) as runner:
        await until(lambda: runner.health.handled == 5)
        await asyncio.sleep(0.3)
        assert await road.committed() == {}
        free.set()
        await until(lambda: all_committed(road))


async def test_a_full_backlog_pauses_the_partitions_and_nothing_is_lost(road: Road):
    most = 0

    async def handle(events: Sequence[Any]) -> list[tuple[Any]]:
        nonlocal most
        most = max(most, runner._lanes.waiting)
        await asyncio.sleep(0.002)
        return await road.answers(events)

    for start in range(0, 3_000, 500):
        await road.ask(*(road.event(n) for n in range(start, start + 500)))
    async with road.running(handle, batch=10, concurrency=2, backlog=20) as runner:
        await until(lambda: runner.health.handled == 3_000)
    assert most <= 20 + 4 * 500  # one poll of each partition beyond the limit
    assert await road.told() == list(range(3_000))


async def test_a_restart_resumes_from_the_commit(road: Road):
    await road.ask(*(road.event(n) for n in range(10)))
    async with road.running(road.answers) as first:
        await until(lambda: first.health.handled == 10)
    await road.ask(*(road.event(n) for n in range(10, 13)))
    async with road.running(road.answers) as second:
        await until(lambda: second.health.handled == 3)
    assert await road.told() == list(range(13))


async def test_an_event_handled_twice_tells_the_same_ids(road: Road):
    await road.ask(*(road.event(n) for n in range(5)))
    for group in ("one", "two"):
        road.group = f"{road.name}.{group}"
        async with road.running(road.answers) as runner:
            await until(lambda runner=runner: runner.health.handled == 5)
    records = await road.read(road.answered.topic)
    ids = Counter(dict(each.headers)["ce_id"] for each in records)
    assert sorted(ids.values()) == [2] * 5
    first_bodies = {each.value for each in records}
    assert len(first_bodies) == 5


# --- the two failures, and bugs ------------------------------------------------------------------


async def test_a_neighbour_that_is_down_is_waited_for(road: Road, impatient: None):
    down, tries = True, 0

    async def handle(events: Sequence[Any]) -> list[tuple[Any]]:
        nonlocal tries
        tries += 1
        if down:
            msg = "the record does not answer"
            raise Unavailable(msg)
        return await road.answers(events)

    await road.ask(*(road.event(n) for n in range(20)))
    async with road.running(handle, concurrency=4) as runner:
        await until(lambda: runner.health.waiting_for)
        consumer = runner._subscription._consumer
        assert runner.health.waiting_for == "the record does not answer"
        assert consumer.paused() == consumer.assignment() != set()
        assert tries >= len(patience.QUICK_TRIES_S) + 1
        assert await road.committed() == {}
        await road.ask(*(road.event(n) for n in range(20, 30)))
        down = False
        await until(lambda: runner.health.handled == 30)
        assert runner.health.waiting_for == ""
        assert consumer.paused() == set()
    assert await road.told() == list(range(30))
    assert await road.dead_letters() == []


async def test_a_quick_hiccup_pauses_nothing(road: Road):
    tries = 0

    async def handle(events: Sequence[Any]) -> list[tuple[Any]]:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise Unavailable
        assert not runner._subscription._consumer.paused()
        return await road.answers(events)

    await road.put_event(0)
    async with road.running(handle) as runner:
        await until(lambda: runner.health.handled + runner.health.dead == 1)
    assert runner.health.dead == 0
    assert tries == 2


async def test_a_stop_while_a_neighbour_is_down_is_quick_and_commits_nothing(
    road: Road, impatient: None
):
    async def handle(events: Sequence[Any]) -> list[tuple[Any]]:
        raise Unavailable

    await road.put_event(0)
    async with road.running(handle) as runner:
        await until(lambda: runner.health.waiting_for)
        began = time.monotonic()
    assert time.monotonic() - began < 3
    assert await road.committed() == {}
    async with road.running(road.answers) as runner:
        await until(lambda: runner.health.handled == 1)


async def test_a_hung_handler_is_tried_again(road: Road, impatient: None):
    tries = 0

    async def handle(events: Sequence[Any]) -> list[tuple[Any]]:
        nonlocal tries
        tries += 1
        if tries == 1:
            await asyncio.sleep(60)
        return await road.answers(events)

    await road.put_event(0)
    async with road.running(handle, unit_timeout_s=0.1) as runner:
        await until(lambda: runner.health.handled == 1)
    assert tries == 2


async def test_a_handler_that_hangs_at_the_stop_is_left_for_the_next_start(road: Road):
    async def handle(events: Sequence[Any]) -> list[tuple[Any]]:
        await asyncio.sleep(60)
        raise AssertionError

    await road.put_event(0)
    async with road.running(handle, drain_s=0.2) as runner:
        await until(lambda: runner._units)
    assert await road.committed() == {}
    async with road.running(road.answers) as runner:
        await until(lambda: runner.health.handled == 1)


async def test_a_bug_becomes_a_dead_letter_with_a_traceback_in_the_log_only(
    road: Road, caplog: pytest.LogCaptureFixture
):
    async def handle(events: Sequence[Any]) -> list[tuple[Any]]:
        msg = f"choked on {events[0].words}"
        raise ValueError(msg)

    event = road.event(7, "Zoé", words="Rosalie Kerguelen")
    await road.producer.send_and_wait(
        event.topic, wire.body_of(event), key=event.key.encode(), partition=2
    )
    async with road.running(handle) as runner:
        await until(lambda: runner.health.dead == 1)
    [(letter, headers)] = await road.dead_letters()
    assert letter.value == wire.body_of(event)
    assert letter.key == "Zoé".encode()
    assert {name: headers[name] for name in headers if name.startswith("dead_")} == {
        "dead_stage": road.name,
        "dead_topic": road.asked.topic,
        "dead_partition": "2",
        "dead_offset": "0",
        "dead_written": headers["dead_written"],
        "dead_group": road.group,
        "dead_error": "ValueError",
        "dead_reason": "an unexpected error; see the log",
        "dead_time": headers["dead_time"],
    }
    assert 0 < int(headers["dead_written"]) <= letter.timestamp
    assert "raise ValueError(msg)" in caplog.text
    assert await road.committed() == {2: 1}


async def test_what_a_rule_rejects_dies_with_its_reason_and_without_traceback(
    road: Road, caplog: pytest.LogCaptureFixture
):
    async def handle(events: Sequence[Any]) -> list[tuple[Any]]:
        msg = "received_at is ahead of our clock"
        raise Rejected(msg)

    await road.put_event(0)
    async with road.running(handle) as runner:
        await until(lambda: runner.health.dead == 1)
    [(_, headers)] = await road.dead_letters()
    assert (headers["dead_error"], headers["dead_reason"]) == (
        "Rejected",
        "received_at is ahead of our clock",
    )
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize("nonsense", [None, [], [None], [["not an event"]], [[], []]])
async def test_a_handler_that_returns_nonsense_holds_nothing_up(road: Road, nonsense: Any):
    async def handle(events: Sequence[Any]) -> Any:
        return nonsense if events[0].number == 0 else await road.answers(events)

    await road.put_event(0)
    await road.put_event(1)
    async with road.running(handle) as runner:
        await until(lambda: runner.health.handled == 1, 5)
        assert runner.health.dead == 1
    assert await road.committed() == {0: 2}


async def test_too_many_dead_letters_in_a_row_stop_the_stage_before_it_buries_all(road: Road):
    for _ in range(5):
        await road.put(b"{")
    await road.put_event(5)
    async with road.running(road.answers, dead_in_a_row=3) as runner:
        await until(lambda: runner.health.stopped)
        assert "3 dead letters in a row" in runner.health.stopped
        assert not runner.health.ready
        await asyncio.sleep(0.3)
        assert runner.health.handled == 0
    assert len(await road.dead_letters()) == 3
    assert await road.committed() == {0: 3}


async def test_dead_letters_between_good_ones_stop_nothing(road: Road):
    for n in range(4):
        await road.put(b"{")
        await road.put(b"{")
        await road.put_event(n)
    async with road.running(road.answers, dead_in_a_row=3) as runner:
        await until(lambda: runner.health.handled == 4)
    assert (runner.health.dead, runner.health.stopped) == (8, "")


async def test_an_output_larger_than_the_broker_takes_dies_alone(road: Road):
    async def handle(events: Sequence[Any]) -> list[tuple[Any]]:
        return [
            road.answer(event, words="x" * 2 * MAX_REQUEST_BYTES if event.number == 1 else "")
            for event in events
        ]

    for n in range(3):
        await road.put_event(n)
    async with road.running(handle, batch=10) as runner:
        await until(lambda: runner.health.handled + runner.health.dead == 3)
    assert (runner.health.handled, runner.health.dead) == (2, 1)
    [(letter, headers)] = await road.dead_letters()
    assert letter.value == wire.body_of(road.event(1, "k"))
    assert headers["dead_reason"] == "larger than the broker takes"
    assert set(await road.told()) == {0, 2}
    assert await road.committed() == {0: 3}


async def test_outputs_that_are_all_too_large_stop_the_stage(road: Road):
    async def handle(events: Sequence[Any]) -> list[tuple[Any]]:
        return [road.answer(event, words="x" * 2 * MAX_REQUEST_BYTES) for event in events]

    for n in range(4):
        await road.put_event(n)
    async with road.running(handle, dead_in_a_row=2) as runner:
        await until(lambda: runner.health.stopped)
    assert len(await road.dead_letters()) == 2


async def test_a_bad_record_as_large_as_the_broker_takes_is_buried_too(road: Road):
    largest = b"{" + b"x" * (MAX_REQUEST_BYTES - 200)
    await road.put(largest)
    await road.put_event(1)
    async with road.running(road.answers) as runner:
        await until(lambda: runner.health.handled == 1, 5)
    [(letter, headers)] = await road.dead_letters()
    assert largest.startswith(letter.value)
    assert len(letter.value) > len(largest) - 10_000
    assert int(headers.get("dead_cut", 0)) == len(largest) - len(letter.value)
    assert await road.committed() == {0: 2}
