"""A consumer process to be killed: `member.py ADDRESS ROAD LOG`; a line for each event it took."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

from tests.services.road import Road


async def work(address: str, name: str, log: Path) -> None:
    road = Road(address, name)

    async def handle(events: Sequence[Any]) -> list[tuple[Any]]:
        with log.open("a") as file:
            file.write("".join(f"{event.who} {event.number} {os.getpid()}\n" for event in events))
        await asyncio.sleep(0.02)
        return await road.answers(events)

    async with road.running(handle, concurrency=8):
        await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(work(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
