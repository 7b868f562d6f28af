"""Puts classify together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from ai.language import LanguageDetector
from refrigeration.diagnosis import Diagnoser
from schemas.event import Event
from schemas.frigo import ReadingReceived
from schemas.printer import MessageReceived
from services.classifiers import Classifiers, shipped
from services.classify import frigo, handlers
from services.neighbours import Neighbours
from services.policy import Handler, Policy
from services.rooms import Rooms
from services.stage import Stage
from services.vigil import Vigil


async def build(near: Neighbours) -> Stage:
    """Return the stage, ready to start.

    Its classifiers are read, or learned where none are kept, while it joins its group: either
    takes seconds. It counts as started when both are done.
    """
    stage = near.stage("classify")
    training = asyncio.create_task(asyncio.to_thread(learn, near))

    async def handle(events: Sequence[MessageReceived]) -> Sequence[Sequence[Event]]:
        return await (await training)(events)

    stage.consumes(MessageReceived, handle, Policy(batch=16, concurrency=2))
    stage.starting.append(lambda: training)
    await near.database.prepare(near.settings.database.connect_s)
    watch_over(stage, near)
    return stage


def watch_over(stage: Stage, near: Neighbours) -> None:
    """Have the stage take readings, and notice when none come."""
    rules = (frigo.sample_of, frigo.tell)
    diagnoser = Diagnoser.shipped()
    rooms = Rooms(near.database, near.profiles, near.teller, rules, diagnoser)
    vigil = Vigil(rooms, near.database, lambda: stage.runners[-1].health)
    readings = handlers.received_readings(rooms, vigil.rounds)
    stage.consumes(ReadingReceived, readings, Policy(batch=500, let_go=rooms.let_go))
    stage.starting.append(vigil.rounds.start)
    stage.stopping.append(vigil.rounds.stop)


def learn(near: Neighbours) -> Handler:
    """Return the handler, with what it needs in memory."""
    return handlers.received_messages(near.embedder, train(near), LanguageDetector())


def train(near: Neighbours) -> Classifiers:
    """Return the classifiers."""
    return shipped(near.embedder, near.cache)
