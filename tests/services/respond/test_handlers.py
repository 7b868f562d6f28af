"""Respond at its edge: a model's words when they can be trusted, the template otherwise."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from prometheus_client import REGISTRY

from ai.models import Models
from knowledge.wording import load_wording
from schemas.findings import Draft
from schemas.printer import MessageGrounded
from schemas.vocabulary import Action
from services.respond.handlers import grounded_messages
from services.respond.printer import Sender
from tests.events import grounded, judged, passage
from tests.minds import asking
from tests.ollama import FakeOllama, answer, replies, serving

QUESTION = grounded("Ma HP bourre.", judged(), (passage(),))
GOOD = "Bonjour, retirez doucement la feuille coincée, puis refermez le capot."


@pytest.fixture
async def fake() -> AsyncIterator[FakeOllama]:
    async with serving(FakeOllama()) as running:
        yield running


async def draft(llm: Models | None, event: MessageGrounded = QUESTION) -> Draft:
    handle = grounded_messages(llm, load_wording(), Sender())
    ((told,),) = await handle([event])
    found: Draft = told.draft  # type: ignore[attr-defined]
    return found


async def test_a_models_good_words_are_used_and_named(fake: FakeOllama) -> None:
    fake.chat = lambda _: replies(GOOD)
    told = await draft(asking(fake.url))
    assert told.how == "llm:qwen3:4b"
    assert told.text.startswith(GOOD)
    assert "Pour parler à une personne, répondez HUMAIN" in told.text
    assert (told.action, told.sources) == (Action.REPLY, ("paper-jam",))


@pytest.mark.parametrize(
    "response",
    [
        replies("Attendez 45 minutes puis rallumez."),
        replies("Voyez https://exemple.example"),
        replies("Bonjour. " * 400),
        answer(503, {"error": "busy"}),
        answer(200, "<html>please log in</html>"),
    ],
)
async def test_words_that_cannot_be_trusted_give_way_to_the_template(
    fake: FakeOllama, response: bytes
) -> None:
    fake.chat = lambda _: response
    assert await draft(asking(fake.url)) == await draft(None)
    assert len(fake.asked) == 1


async def test_a_model_that_invents_a_number_is_asked_again_for_the_next_message(
    fake: FakeOllama,
) -> None:
    fake.chat = lambda asked: replies("Attendez 45 minutes." if len(fake.asked) == 1 else GOOD)
    llm = asking(fake.url)
    assert (await draft(llm)).how == "template"
    assert (await draft(llm)).how == "llm:qwen3:4b"


async def test_questions_to_a_model_are_counted_by_what_became_of_its_words(
    fake: FakeOllama,
) -> None:
    answers = [replies(GOOD), replies("Attendez 45 minutes."), answer(500, {"error": "x"})]
    fake.chat = lambda _: answers[len(fake.asked) - 1]
    llm = asking(fake.url)
    before = [calls(outcome) for outcome in ("taken", "refused", "none")]
    for _ in range(5):  # the last two find it resting, and ask nothing
        await draft(llm)
    assert [calls(outcome) for outcome in ("taken", "refused", "none")] == [n + 1 for n in before]


def calls(outcome: str) -> float:
    labels = {"backend": "ollama", "outcome": outcome}
    return REGISTRY.get_sample_value("astreinte_llm_calls_total", labels) or 0.0


async def test_only_answers_are_put_into_a_models_words(fake: FakeOllama) -> None:
    told = await draft(asking(fake.url), grounded("Bonjour", judged()))
    assert (told.action, told.how) == (Action.HANDOFF, "template")
    assert fake.asked == []


@pytest.mark.parametrize("channel", ["sms", "call"])
async def test_a_text_message_is_short_so_no_model_is_asked(fake: FakeOllama, channel: str) -> None:
    event = grounded("panne", judged(), (passage(),), channel=channel, **{"from": "0612345678"})
    assert (await draft(asking(fake.url), event)).how == "template"
    assert fake.asked == []


async def test_a_batch_is_answered_in_its_order(fake: FakeOllama) -> None:
    handle = grounded_messages(asking(fake.url), load_wording(), Sender())
    events = [grounded(f"panne {n}", judged(), (passage(),), external_id=str(n)) for n in range(3)]
    told = await handle(events)
    assert [drafted.caused_by for (drafted,) in told] == [event.event_id for event in events]
