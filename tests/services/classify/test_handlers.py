"""Classify with what it really learned."""

from __future__ import annotations

import asyncio
import time

import pytest
from pydantic import ValidationError

from ai.embeddings import Embedder
from ai.language import LanguageDetector
from ai.llm import Ask, Filled, NoAnswer
from schemas.findings import Classification
from schemas.vocabulary import Category, Intent, Language, Priority
from services.classify.handlers import received_messages
from services.policy import Handler
from services.second_opinion import Said, SecondOpinion
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


LONG = "Bonjour, l'imprimante de l'accueil fait un bourrage à chaque page. " * 1_850
FOUR = (
    "Bonjour, notre imprimante est en panne, le papier se coince.\n"
    "The printer jams on every page and shows an error.\n"
    "Unser Drucker ist defekt, das Papier klemmt.\n"
    "La impresora no funciona, el papel se atasca."
)


async def test_the_longest_message_is_judged_by_its_beginning(handle: Handler) -> None:
    assert len(LONG) > 120_000
    began = time.perf_counter()
    (found,) = await seen(handle, LONG)
    assert time.perf_counter() - began < 2
    assert found.category is Category.TECHNICAL


async def test_four_languages_in_one_mail_have_one_category(handle: Handler) -> None:
    (found,) = await seen(handle, FOUR)
    assert found.category is Category.TECHNICAL


async def test_what_nobody_here_serves_is_less_in_scope(handle: Handler) -> None:
    served, strange = await seen(
        handle, "le toner est vide, pouvez-vous en envoyer ?", "qui a gagné le match hier ?"
    )
    assert served.scope is not None
    assert strange.scope is not None
    assert served.scope > 0.5 > strange.scope


class Model:
    """Says one intent, or fails; remembers what it was asked."""

    resting = False

    def __init__(self, intent: Intent | None) -> None:
        self.intent = intent
        self.asked: list[Ask[Said]] = []

    async def fill(self, ask: Ask[Said]) -> Filled[Said]:
        self.asked.append(ask)
        if self.intent is None:
            msg = "nonsense"
            raise NoAnswer(msg)
        return Filled(ask.shape(intent=self.intent), "tiny", "ollama")


async def test_a_language_model_is_asked_about_what_is_unclear_only(
    embedder: Embedder, trained: Trained
) -> None:
    model = Model(Intent.QUOTE)
    handle = received_messages(
        embedder, trained, LanguageDetector(), opinion=SecondOpinion(model, 0.6, 1)
    )
    clear, unclear = await seen(
        handle, "bourrage papier dans le bac 2", "le même que la dernière fois"
    )
    assert (clear.by, clear.intent) == ("model", Intent.FAULT)
    assert (unclear.by, unclear.intent) == ("llm:tiny", Intent.QUOTE)
    assert ["le même que" in ask.user for ask in model.asked] == [True]
    assert model.asked[0].personal


async def test_without_its_answer_the_classifier_has_the_word(
    embedder: Embedder, trained: Trained
) -> None:
    handle = received_messages(
        embedder, trained, LanguageDetector(), opinion=SecondOpinion(Model(None), 1.0, 1)
    )
    (found,) = await seen(handle, "bourrage papier dans le bac 2")
    assert (found.by, found.intent) == ("model", Intent.FAULT)


async def test_a_model_that_never_answers_is_waited_for_no_longer_than_agreed(
    embedder: Embedder, trained: Trained
) -> None:
    class Silent(Model):
        async def fill(self, ask: Ask[Said]) -> Filled[Said]:
            await asyncio.Event().wait()
            return await super().fill(ask)

    opinion = SecondOpinion(Silent(None), 1.0, 0.05)
    handle = received_messages(embedder, trained, LanguageDetector(), opinion=opinion)
    found = await seen(handle, *(["bourrage papier"] * 5))
    assert {one.by for one in found} == {"model"}


@pytest.mark.parametrize("answer", ['{"intent": "give_refund"}', "{}", '{"intent": ["fault"]}'])
def test_an_answer_that_is_no_intent_of_ours_is_refused(answer: str) -> None:
    with pytest.raises(ValidationError):
        Said.model_validate_json(answer)


def test_every_intent_and_every_priority_was_learned(trained: Trained) -> None:
    assert set(trained.intents.labels) == {intent.value for intent in Intent}
    assert set(trained.priorities.labels) == {priority.value for priority in Priority}
