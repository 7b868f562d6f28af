"""Invented customers write to an edge that is only an edge."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
import uvicorn
from fastapi import FastAPI
from typer.testing import CliRunner

from astreinte.cli import app
from gateways.app import edge
from gateways.http import listen, url_of
from schemas.errors import Unavailable
from schemas.printer import InboundMessage
from simulation.customers import STORY


class Door:
    """An edge whose broker confirms, but for those of one sender."""

    def __init__(self) -> None:
        self.taken: list[InboundMessage] = []
        self.down_for = ""

    async def publish(self, message: InboundMessage) -> None:
        if message.sender == self.down_for:
            msg = "no broker"
            raise Unavailable(msg)
        self.taken.append(message)


async def accept(message: InboundMessage) -> bool:
    return True


@pytest.fixture
def door(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Door, str]]:
    monkeypatch.setattr(time, "sleep", lambda _s: None)  # customers who need no time to think
    door, served = Door(), FastAPI()
    served.include_router(edge(door.publish, accept))
    with listen("127.0.0.1", 0) as listener:
        server = uvicorn.Server(uvicorn.Config(served, log_config=None, lifespan="off"))
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        yield door, url_of(listener)
        server.should_exit = True
        thread.join(5)


def test_each_customer_of_the_story_writes_once_and_is_told_the_trace(
    door: tuple[Door, str],
) -> None:
    said = CliRunner().invoke(app, ["simulate", "--url", door[1]])
    assert said.exit_code == 0
    assert [message.text for message in door[0].taken] == [line.text for line in STORY]
    assert len({message.event_id for message in door[0].taken}) == len(STORY)
    assert all(message.trace_id in said.output for message in door[0].taken)


def test_one_that_is_refused_is_said_and_the_others_go_on(door: tuple[Door, str]) -> None:
    door[0].down_for = "contact@pharmacie-des-halles.example"
    said = CliRunner().invoke(app, ["simulate", "--url", door[1]])
    assert said.exit_code == 1
    assert len(door[0].taken) == len(STORY) - 1
    assert "refusé (503) : " in said.output
    assert "no broker; try again" in said.output
    assert "1 message(s) were not taken" in said.output


def test_where_nobody_listens_it_says_so_and_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(time, "sleep", lambda _s: None)
    with listen("127.0.0.1", 0) as free:
        url = url_of(free)
    said = CliRunner().invoke(app, ["simulate", "--url", url])
    assert said.exit_code == 1
    assert f"{len(STORY)} message(s) were not taken" in said.output
