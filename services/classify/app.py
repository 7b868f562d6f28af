"""Puts classify together."""

from __future__ import annotations

import asyncio

from ai.classifier import Classifier, Features
from ai.language import LanguageDetector
from ai.shelf import vectors_of
from knowledge import phrases
from schemas.printer import MessageReceived
from services.classify import handlers
from services.neighbours import Neighbours
from services.policy import Policy
from services.stage import Stage


async def build(near: Neighbours) -> Stage:
    """Return the stage, ready to start; trains its two small classifiers on the way."""
    stage = near.stage("classify")
    intents, priorities = await asyncio.to_thread(train, near)
    handler = handlers.received_messages(near.embedder, intents, priorities, LanguageDetector())
    stage.consumes(MessageReceived, handler, Policy(batch=16, concurrency=2))
    return stage


def train(near: Neighbours) -> tuple[Classifier, Classifier]:
    """Return the classifiers of intents and of priorities."""
    known = phrases.intents(), phrases.priorities()
    features = Features([text for labelled in known for text, _ in labelled])
    made = []
    for labelled in known:
        texts = [text for text, _ in labelled]
        vectors = vectors_of(texts, near.embedder, near.cache)
        made.append(Classifier(texts, vectors, [label for _, label in labelled], features))
    return made[0], made[1]
