"""Measure, and print Markdown tables: see docs/benchmarks.md."""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

from benchmarks import (
    chats,
    edge,
    flow,
    mails,
    minds,
    readings,
    record,
    runtime,
    search,
    slow,
)
from benchmarks.brokers import Broker
from benchmarks.desk import broker_at
from benchmarks.figures import Figure, machine, markdown, plain, say
from benchmarks.places import Place, make_topics, places

SERVERLESS = (mails, search, minds)
NAMES = (
    *("runtime", "slow", "record", "edge", "flow", "readings", "chats"),
    *(each.NAME for each in SERVERLESS),
)


def parsed() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="*", default="all", choices=[*NAMES, "all"])
    parser.add_argument(
        "--kafka",
        default=os.environ.get("ASTREINTE_KAFKA", ""),
        help="host:port of a fresh Apache Kafka to measure on as well (default: ASTREINTE_KAFKA)",
    )
    parser.add_argument(
        "--mysql",
        default=os.environ.get("ASTREINTE_MYSQL", ""),
        help="SQLAlchemy URL of a MariaDB or MySQL to measure with that Kafka, whose user may make "
        "databases astreinte_… (default: ASTREINTE_MYSQL)",
    )
    parser.add_argument(
        "--seconds", type=float, default=30.0, help="of each of the flow's phases, and of the edge"
    )
    parser.add_argument(
        "--lag", type=int, default=10_000, help="events of the record, messages of the flow"
    )
    parser.add_argument(
        "--readings", type=int, default=readings.COUNT, help="of 500 cold rooms, through two stages"
    )
    parser.add_argument(
        "--where", default="", help="only in places whose name holds this: embedded, SQLite …"
    )
    parser.add_argument("--json", type=Path, help="write the figures there too")
    return parser.parse_args()


async def measured(given: argparse.Namespace) -> AsyncIterator[list[Figure]]:
    """Measure what was asked for, on what comes embedded and on the servers that there are."""
    names = NAMES if "all" in given.name else given.name
    found = [place for place in places(given.kafka, given.mysql) if given.where in place.name]
    if given.kafka:
        await make_topics(given.kafka)
    if "runtime" in names:
        yield await _on_brokers(runtime.NAME, runtime.measure, found)
    if "slow" in names:
        yield await _on_brokers(slow.NAME, slow.measure, found)
    if "record" in names:
        yield await record.measure(found, given.lag)
    if "edge" in names and given.kafka:
        say(edge.NAME, given.kafka)
        yield await edge.measure(given.kafka, given.seconds)
    if "flow" in names:
        yield await _flows(found, given)
    if "readings" in names:
        yield await readings.measure(found, given.readings)
    if "chats" in names:
        yield await chats.measure(found)
    for alone in _needing_nothing(names):
        yield await asyncio.to_thread(alone)


def _needing_nothing(names: Sequence[str]) -> list[Callable[[], list[Figure]]]:
    """Return what is measured without broker and record."""
    return [each.measure for each in SERVERLESS if each.NAME in names]


async def _flows(found: Sequence[Place], given: argparse.Namespace) -> list[Figure]:
    figures: list[Figure] = []
    for place in found:
        say(flow.NAME, place.name)
        figures += await flow.measure(place, given.seconds, given.lag)
    return figures


async def _on_brokers(
    name: str, measure: Callable[[Broker], Awaitable[list[Figure]]], found: Sequence[Place]
) -> list[Figure]:
    figures: list[Figure] = []
    for kafka in dict.fromkeys(place.kafka for place in found):
        with broker_at(kafka) as broker:
            say(name, broker.name)
            figures += await measure(broker)
    return figures


async def told(given: argparse.Namespace) -> list[Figure]:
    """Measure, and print each table as soon as it is there."""
    figures: list[Figure] = []
    async for table in measured(given):
        print(markdown(table), end="\n\n", flush=True)
        figures += table
    return figures


def main() -> None:
    """Measure, and print Markdown."""
    given = parsed()
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)  # a new Kafka has no groups yet
    before = machine()
    figures = asyncio.run(told(given))
    after = machine()["load"]
    print(
        f"{before['at']}, {before['cpu']}, {before['cores']} cores, {before['memory_gib']} GiB, "
        f"Python {before['python']}; load before {before['load'][0]}, after {after[0]}"
    )
    if given.json:
        found = {"machine": before, "load_after": after, "figures": plain(figures)}
        given.json.write_text(
            json.dumps(found, ensure_ascii=False, indent=1, default=float) + "\n", "utf-8"
        )


if __name__ == "__main__":
    main()
