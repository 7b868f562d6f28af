"""Order per key, different keys side by side, and commits that skip nothing."""

from __future__ import annotations

import random
from collections import defaultdict
from collections.abc import Iterable

import pytest
from aiokafka import ConsumerRecord, TopicPartition

from services.lanes import Lanes, Record

TOPIC = "printer.inbound"


def record(offset: int, key: str | None = "k", partition: int = 0) -> Record:
    return ConsumerRecord(
        topic=TOPIC,
        partition=partition,
        offset=offset,
        timestamp=0,
        timestamp_type=0,
        key=None if key is None else key.encode(),
        value=b"",
        checksum=None,
        serialized_key_size=0,
        serialized_value_size=0,
        headers=(),
    )


def place(partition: int = 0) -> TopicPartition:
    return TopicPartition(TOPIC, partition)


def offsets(unit: Iterable[Record]) -> list[int]:
    return [each.offset for each in unit]


def lanes_with(*records: Record) -> Lanes:
    lanes = Lanes()
    lanes.add(records)
    return lanes


def test_records_of_one_key_come_in_the_order_of_their_offsets():
    lanes = lanes_with(*(record(n) for n in range(5)))
    seen = []
    while unit := lanes.take(1):
        seen += offsets(unit)
        lanes.finish(unit)
    assert seen == [0, 1, 2, 3, 4]


def test_the_next_record_of_a_key_waits_until_the_one_before_it_is_done():
    lanes = lanes_with(record(0), record(1))
    first = lanes.take(1)
    assert lanes.take(1) == []
    lanes.finish(first)
    assert offsets(lanes.take(1)) == [1]


def test_different_keys_go_side_by_side():
    lanes = lanes_with(record(0, "a"), record(1, "b"), record(2, "a"))
    assert offsets(lanes.take(1)) == [0]
    assert offsets(lanes.take(1)) == [1]
    assert lanes.take(1) == []
    assert lanes.in_flight == 2
    assert lanes.waiting == 1


def test_the_same_key_in_two_partitions_is_two_lanes():
    lanes = lanes_with(record(0, "a", 0), record(0, "a", 1))
    assert len(lanes.take(1)) == len(lanes.take(1)) == 1


def test_a_unit_holds_no_more_records_than_its_limit():
    lanes = lanes_with(*(record(n, f"k{n % 3}") for n in range(10)))
    unit = lanes.take(4)
    assert len(unit) == 4
    assert lanes.waiting == 6


def test_a_unit_keeps_the_order_of_each_of_its_keys():
    lanes = lanes_with(record(0, "a"), record(1, "b"), record(2, "a"), record(3, "b"))
    by_key = defaultdict(list)
    for each in lanes.take(10):
        by_key[each.key].append(each.offset)
    assert by_key == {b"a": [0, 2], b"b": [1, 3]}


def test_the_rest_of_a_key_that_the_limit_cut_off_waits_for_the_unit():
    lanes = lanes_with(record(0), record(1), record(2))
    unit = lanes.take(2)
    assert offsets(unit) == [0, 1]
    assert lanes.take(2) == []
    lanes.finish(unit)
    assert offsets(lanes.take(2)) == [2]


def test_records_without_a_key_wait_for_nobody():
    lanes = lanes_with(*(record(n, None) for n in range(3)))
    assert [offsets(lanes.take(1)) for _ in range(3)] == [[0], [1], [2]]


def test_an_empty_key_is_a_key():
    lanes = lanes_with(record(0, ""), record(1, ""))
    assert offsets(lanes.take(1)) == [0]
    assert lanes.take(1) == []


def test_the_watermark_stands_below_the_first_record_that_is_not_done():
    lanes = lanes_with(*(record(n, f"k{n}") for n in range(3)))
    first, second, third = (lanes.take(1) for _ in range(3))
    lanes.finish(third)
    assert lanes.due() == {}
    lanes.finish(first)
    assert lanes.due() == {place(): 1}
    lanes.finish(second)
    assert lanes.due() == {place(): 3}


def test_the_watermark_passes_over_gaps_in_the_offsets():
    lanes = lanes_with(record(5, "a"), record(9, "b"), record(40, "c"))
    lanes.finish(lanes.take(3))
    assert lanes.due() == {place(): 41}


def test_what_was_committed_is_not_due_again_until_it_moves():
    lanes = lanes_with(record(0, "a"), record(1, "b"))
    first, second = lanes.take(1), lanes.take(1)
    lanes.finish(first)
    lanes.committed(lanes.due())
    assert lanes.due() == {}
    lanes.finish(second)
    assert lanes.due() == {place(): 2}


def test_a_commit_that_moved_on_meanwhile_is_still_due():
    lanes = lanes_with(record(0, "a"), record(1, "b"))
    first, second = lanes.take(1), lanes.take(1)
    lanes.finish(first)
    on_its_way = lanes.due()
    lanes.finish(second)
    lanes.committed(on_its_way)
    assert lanes.due() == {place(): 2}


def test_an_abandoned_unit_keeps_the_watermark_where_it_was():
    lanes = lanes_with(*(record(n, f"k{n}") for n in range(3)))
    first, second, third = (lanes.take(1) for _ in range(3))
    lanes.finish(first)
    lanes.abandon(second)
    lanes.finish(third)
    assert lanes.due() == {place(): 1}
    assert lanes.in_flight == 0


def test_a_revoked_partition_takes_its_waiting_records_along_and_no_others():
    lanes = lanes_with(record(0, "a", 0), record(0, "b", 1), record(1, "a", 0))
    lanes.drop([place(0)])
    assert lanes.waiting == 1
    unit = lanes.take(10)
    assert [(each.partition, each.offset) for each in unit] == [(1, 0)]


def test_what_ends_after_its_partition_was_revoked_is_not_committed():
    lanes = lanes_with(record(0))
    unit = lanes.take(1)
    lanes.drop([place()])
    lanes.finish(unit)
    assert lanes.due() == {}
    assert lanes.in_flight == 0


def test_a_partition_that_comes_back_begins_anew():
    lanes = lanes_with(record(0), record(1), record(2))
    lanes.drop([place()])
    lanes.add([record(1), record(2)])
    unit = lanes.take(10)
    assert offsets(unit) == [1, 2]
    lanes.finish(unit)
    assert lanes.due() == {place(): 3}


def test_a_key_of_a_partition_that_comes_back_is_still_worked_on_by_one_at_a_time():
    lanes = lanes_with(record(0), record(1))
    lanes.drop([place()])
    lanes.add([record(0), record(1)])
    assert offsets(lanes.take(1)) == [0]
    assert lanes.take(1) == []


def test_a_key_still_in_hand_when_its_partition_comes_back_is_waited_for():
    lanes = lanes_with(record(0), record(1))
    old = lanes.take(1)
    lanes.drop([place()])
    lanes.add([record(0), record(1)])
    assert lanes.take(2) == []
    lanes.finish(old)
    assert offsets(lanes.take(2)) == [0, 1]


def lane_of(one: Record) -> tuple[int, bytes | int]:
    return one.partition, one.offset if one.key is None else one.key


class Model:
    """The lanes as one would write them without any care for speed."""

    def __init__(self) -> None:
        self.waiting: list[Record] = []
        self.held: list[list[Record]] = []
        self.taken_over: dict[int, list[int]] = defaultdict(list)
        self.done: dict[int, set[int]] = defaultdict(set)
        self.watermark: dict[int, int] = {}

    def may_go(self, one: Record) -> bool:
        """Its key is in nobody's hand, and nothing of its key waits before it."""
        lane = lane_of(one)
        if any(lane_of(each) == lane for unit in self.held for each in unit):
            return False
        ahead = next(each for each in self.waiting if lane_of(each) == lane)
        return ahead.offset == one.offset

    def finish(self, one: Record) -> None:
        if one.partition not in self.taken_over:  # it belongs to somebody else by now
            return
        self.done[one.partition].add(one.offset)
        for offset in self.taken_over[one.partition]:
            if offset not in self.done[one.partition]:
                break
            self.watermark[one.partition] = offset + 1

    def drop(self, partition: int) -> None:
        self.waiting = [each for each in self.waiting if each.partition != partition]
        for known in (self.taken_over, self.done, self.watermark):
            known.pop(partition, None)


class Both:
    """The lanes and the model, walked through the same random steps."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.lanes, self.model = Lanes(), Model()
        self.offset: dict[int, int] = defaultdict(int)

    def step(self, revocations: int) -> None:
        steps = (self.add, self.take, self.finish, self.abandon, self.drop)
        self.dice.choices(steps, [4, 6, 5, revocations, revocations])[0]()
        assert self.lanes.waiting == len(self.model.waiting)
        assert self.lanes.in_flight == sum(map(len, self.model.held))
        assert self.lanes.due() == {place(p): mark for p, mark in self.model.watermark.items()}

    def add(self) -> None:
        partition = self.dice.randrange(3)
        batch = []
        for _ in range(self.dice.randrange(1, 5)):
            self.offset[partition] += self.dice.choice([1, 1, 1, 3])
            key = self.dice.choice([None, "a", "b", "c"])
            batch.append(record(self.offset[partition], key, partition))
        self.lanes.add(batch)
        self.model.waiting += batch
        self.model.taken_over[partition] += offsets(batch)

    def take(self) -> None:
        limit = self.dice.randrange(1, 5)
        unit = self.lanes.take(limit)
        assert len(unit) <= limit
        if not unit:
            assert not any(self.model.may_go(each) for each in self.model.waiting)
            return
        for each in unit:
            assert self.model.may_go(each), f"{each.partition}/{each.offset} is not its turn"
            self.model.waiting.remove(each)
        self.model.held.append(unit)

    def finish(self) -> None:
        if unit := self._any_held():
            self.lanes.finish(unit)
            for each in unit:
                self.model.finish(each)

    def abandon(self) -> None:
        # As the runner does it: what was given up goes with its partition, and is read again.
        if unit := self._any_held():
            self.lanes.abandon(unit)
            for partition in {each.partition for each in unit}:
                self.drop(partition)

    def drop(self, partition: int | None = None) -> None:
        partition = self.dice.randrange(3) if partition is None else partition
        self.lanes.drop([place(partition)])
        self.model.drop(partition)
        # It comes back, read again from some offset before where it was.
        self.offset[partition] = max(0, self.offset[partition] - self.dice.randrange(4))

    def _any_held(self) -> list[Record]:
        held = self.model.held
        return held.pop(self.dice.randrange(len(held))) if held else []


@pytest.mark.parametrize("seed", range(40))
def test_a_thousand_random_steps_agree_with_a_simple_model(seed: int):
    both = Both(seed)
    for _ in range(1_000):
        both.step(revocations=seed % 2)  # half of the runs without, so that watermarks get far
    while both.model.held:
        both.finish()
    while unit := both.lanes.take(7):
        both.lanes.finish(unit)
    assert both.lanes.waiting == both.lanes.in_flight == 0
