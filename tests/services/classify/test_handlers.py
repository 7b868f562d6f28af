"""Classify with what it really learned."""

from __future__ import annotations

import pytest

from ai.embeddings import Embedder
from ai.language import LanguageDetector
from schemas.findings import Classification
from schemas.vocabulary import Category, Intent, Language, Priority
from services.classify.handlers import received_messages
from services.policy import Handler
from tests.conftest import Trained
from tests.events import received


@pytest.fixture(scope="session")
def handle(embedder: Embedder, trained: Trained) -> Handler:
    return received_messages(embedder, trained, LanguageDetector())


async def seen(handle: Handler, *texts: str) -> list[Classification]:
    told = await handle([received(text, html="<script>x</script>") for text in texts])
    return [events[0].classification for events in told]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("text", "category", "intent", "language"),
    [
        ("bourrage papier dans le bac 2, impossible d'imprimer", "technical", "fault", "fr"),
        ("The paper keeps jamming in tray 2, nothing prints", "technical", "fault", "en"),
        ("où en est ma commande de toner 45821 ?", "order", "order_status", "fr"),
        ("Where is my toner order? It was due Tuesday", "order", "order_status", "en"),
        ("merci beaucoup, ça remarche !", "other", "thanks", "fr"),
        (
            "Pouvez-vous m'envoyer une copie de la facture de mars ?",
            "billing",
            "invoice_copy",
            "fr",
        ),
        ("Personne n'est venu, c'est inadmissible, je suis très mécontent", "complaint", "", "fr"),
        ("I want to speak to a real person please", "other", "human_request", "en"),
    ],
)
async def test_plain_messages_are_understood(
    handle: Handler, text: str, category: str, intent: str, language: str
) -> None:
    (found,) = await seen(handle, text)
    assert found.category == category
    assert found.intent == (intent or found.intent)
    assert found.language == language


async def test_a_message_is_judged_alone_as_in_a_batch(handle: Handler) -> None:
    texts = ["panne", "The printer is offline since this morning", "URGENT " + "toner " * 400]
    together = await seen(handle, *texts)
    alone = [(await seen(handle, text))[0] for text in texts]
    for one, other in zip(together, alone, strict=True):
        assert (one.category, one.intent, one.priority) == (
            other.category,
            other.intent,
            other.priority,
        )
        assert one.category_confidence == pytest.approx(other.category_confidence, abs=0.02)


async def test_an_empty_message_is_judged_too(handle: Handler) -> None:
    (found,) = await seen(handle, "")
    assert found.language is Language.FR
    assert isinstance(found.category, Category)


async def test_smoke_is_critical_and_thanks_are_not(handle: Handler) -> None:
    smoke, thanks = await seen(handle, "de la fumée sort de l'imprimante", "merci, bonne journée")
    assert smoke.priority is Priority.CRITICAL
    assert thanks.priority is Priority.LOW


def test_every_intent_and_every_priority_was_learned(trained: Trained) -> None:
    assert set(trained.intents.labels) == {intent.value for intent in Intent}
    assert set(trained.priorities.labels) == {priority.value for priority in Priority}
