"""Measure, and print Markdown tables: the runner, a slow handler, the whole printer flow."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import sys
from pathlib import Path

from benchmarks import flow, runtime, slow
from benchmarks.brokers import Broker
from benchmarks.desk import broker_at
from benchmarks.figures import Figure, machine, markdown, plain

NAMES = ("runtime", "slow", "flow")


def parsed() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("name", nargs="?", default="all", choices=[*NAMES, "all"])
    parser.add_argument(
        "--kafka",
        default=os.environ.get("ASTREINTE_KAFKA", ""),
        help="host:port of a fresh Apache Kafka to measure on as well (default: ASTREINTE_KAFKA)",
    )
    parser.add_argument(
        "--seconds", type=float, default=60.0, help="of each of the flow's two phases"
    )
    parser.add_argument("--json", type=Path, help="write the figures there too")
    return parser.parse_args()


def say(name: str, broker: Broker) -> None:
    """Tell whoever waits what is being measured."""
    print(f"{name} on {broker.name} …", file=sys.stderr, flush=True)


async def measured(name: str, kafka: str, seconds: float) -> list[Figure]:
    """Measure what was asked for, on the embedded broker and on Apache Kafka where there is one."""
    figures: list[Figure] = []
    for address in dict.fromkeys(("", kafka)):
        for module in (runtime, slow):
            if name in {module.__name__.rpartition(".")[2], "all"}:
                with broker_at(address) as broker:
                    say(module.NAME, broker)
                    figures += await module.measure(broker)
        if name in {"flow", "all"}:
            say(flow.NAME, Broker(address, embedded=not address))
            figures += await flow.measure(address, seconds)
    return figures


def main() -> None:
    """Measure, and print Markdown."""
    given = parsed()
    before = machine()
    figures = asyncio.run(measured(given.name, given.kafka, given.seconds))
    after = machine()["load"]
    print(
        f"{before['at']}, {before['cpu']}, {before['cores']} cores, {before['memory_gib']} GiB, "
        f"Python {before['python']}; load before {before['load'][0]}, after {after[0]}\n"
    )
    print(markdown(figures))
    if given.json:
        told = {"machine": before, "load_after": after, "figures": plain(figures)}
        given.json.write_text(json.dumps(told, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
