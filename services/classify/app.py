"""Puts classify together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from ai.language import LanguageDetector
from refrigeration.diagnosis import Diagnoser
from schemas.event import Event
from schemas.frigo import ReadingReceived
from schemas.printer import MessageReceived
from schemas.vocabulary import CATEGORY_OF
from services.classifiers import Classifiers, of
from services.classify import frigo, handlers
from services.classify.printer import Bounds
from services.neighbours import Neighbours
from services.policy import Handler, Policy
from services.rooms import Rooms
from services.second_opinion import SecondOpinion
from services.stage import Stage
from services.vigil import Vigil


async def build(near: Neighbours) -> Stage:
    """Return the stage, ready to start.

    Its classifiers are read, or learned where none are kept, while it joins its group: either
    takes seconds. It counts as started when both are done.
    """
    stage = near.stage("classify")
    chosen = near.settings.classify
    opinion = None
    if chosen.ask_below:
        opinion = SecondOpinion(near.models, chosen.ask_below, chosen.ask_s)
    training = asyncio.create_task(asyncio.to_thread(learn, near, opinion))

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


def learn(near: Neighbours, opinion: SecondOpinion | None) -> Handler:
    """Return the handler, with what it needs in memory."""
    known = train(near)
    bounds = bounds_of(known, near.settings.classify.risk)
    return handlers.received_messages(near.embedder, known, LanguageDetector(), bounds, opinion)


def train(near: Neighbours) -> Classifiers:
    """Return the classifiers."""
    return of(near.embedder, near.cache, near.settings.classify.model)


def bounds_of(known: Classifiers, risk: float) -> Bounds:
    """Return from where on at most `risk` are wrong, each category apart."""
    category_of = {intent.value: category.value for intent, category in CATEGORY_OF.items()}
    categories = known.intents.thresholds(risk, category_of.__getitem__)
    return Bounds(categories, known.intents.head.scope.threshold)
