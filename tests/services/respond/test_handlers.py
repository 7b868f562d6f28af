"""Respond at its edge: a model's words when they can be trusted, the template otherwise."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator

import pytest
from prometheus_client import REGISTRY

from ai.models import Models
from knowledge.wording import load_wording
from schemas.findings import Draft
from schemas.printer import MessageGrounded
from schemas.vocabulary import Action
from services.replies import Sender
from services.respond.handlers import grounded_messages
from tests.events import grounded, judged, passage
from tests.minds import asking
from tests.ollama import FakeOllama, answer, replies, says, serving

QUESTION = grounded("Ma HP bourre.", judged(), (passage(),))
GOOD = "Tirez la feuille lentement, à deux mains."
BAD = "Attendez 45 minutes."


def parts(*texts: str, source: int = 1) -> bytes:
    """What a model answers that keeps to the shape."""
    return says(json.dumps({"parts": [{"text": text, "source": source} for text in texts]}))


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
    fake.chat = lambda _: parts(GOOD)
    told = await draft(asking(fake.url))
    assert told.how == "llm:qwen3:4b"
    assert told.text.startswith(f"Bonjour,\n\n{GOOD}\n\n")
    assert "Pour parler à une personne, répondez HUMAIN" in told.text
    assert (told.action, told.sources) == (Action.REPLY, ("paper-jam",))
    assert [told.text[one.start : one.end] for one in told.citations] == [GOOD]


DEFINED = {
    "an invented number": (parts(BAD), 2),
    "a link": (parts("Voyez https://exemple.example"), 2),
    "a promise": (parts("Un technicien passera demain."), 2),
    "the other language": (parts("Take the sheet out of the tray, then close it."), 2),
    "too much": (parts(*["Tirez la feuille lentement. " * 20] * 10), 2),
    "courtesy alone": (parts("Bonjour !", source=0), 2),
    "a passage that is not there": (parts(GOOD, source=7), 2),
    "nothing": (parts(""), 1),
    "no parts": (says('{"parts": []}'), 1),
    "the old shape": (replies(GOOD), 1),
    "nonsense": (says("zxq {{{ 11"), 1),
    "ten megabytes": (parts("a" * 10_000_000), 1),
    "a page of a portal": (answer(200, "<html>please log in</html>"), 1),
    "an error": (answer(500, {"error": "x"}), 1),
}


@pytest.mark.parametrize("name", DEFINED)
async def test_words_that_cannot_be_trusted_give_way_to_the_template(
    fake: FakeOllama, name: str
) -> None:
    response, asked = DEFINED[name]
    fake.chat = lambda _: response
    assert await draft(asking(fake.url)) == await draft(None)
    assert len(fake.asked) >= asked
    assert len(fake.asked) <= 2


async def test_a_model_that_never_answers_costs_its_time_and_the_template_is_sent(
    fake: FakeOllama, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.respond.handlers.BUDGET_S", 0.3)
    fake.delay_s = 60
    assert await asyncio.wait_for(draft(asking(fake.url)), 5) == await draft(None)


async def test_a_refused_answer_is_repaired_once_and_told_what_was_wrong(fake: FakeOllama) -> None:
    fake.chat = lambda _: parts(BAD if len(fake.asked) == 1 else GOOD)
    told = await draft(asking(fake.url))
    assert told.how == "llm:qwen3:4b"
    first, second = (asked["messages"][1]["content"] for asked in fake.asked)
    assert second.startswith(first)
    assert second.endswith(f"- number: {BAD}")
    assert fake.asked[0]["messages"][0] == fake.asked[1]["messages"][0]


async def test_each_request_has_marks_of_its_own(fake: FakeOllama) -> None:
    fake.chat = lambda _: parts(GOOD)
    llm = asking(fake.url)
    await draft(llm)
    await draft(llm)
    marks = {asked["messages"][1]["content"].split("MARK: ")[1][:6] for asked in fake.asked}
    assert len(marks) == 2


async def test_questions_to_a_model_are_counted_by_what_became_of_its_words(
    fake: FakeOllama,
) -> None:
    answers = [parts(GOOD), parts(BAD), parts(GOOD)]
    fake.chat = lambda _: answers[len(fake.asked) - 1]
    llm = asking(fake.url)
    before = [calls("taken"), calls("refused")]
    await draft(llm)
    await draft(llm)
    assert [calls("taken"), calls("refused")] == [before[0] + 2, before[1] + 1]


def calls(outcome: str) -> float:
    labels = {"backend": "ollama", "outcome": outcome}
    return REGISTRY.get_sample_value("astreinte_llm_calls_total", labels) or 0.0


async def test_only_answers_are_put_into_a_models_words(fake: FakeOllama) -> None:
    told = await draft(asking(fake.url), grounded("?", judged()))
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


async def test_who_signs_is_masked_where_words_leave_this_machine(fake: FakeOllama) -> None:
    fake.chat = lambda _: parts(GOOD)
    text = "Ma HP bourre. Ana Roux, ana@exemple.example"
    event = grounded(text, judged(), (passage(),), from_name="Ana Roux")
    near, far = asking(fake.url), asking(fake.url, remote=True)
    far.routes[0].backend.leaves = True
    for llm in (near, far):
        assert (await draft(llm, event)).how == "llm:qwen3:4b"
    plain, masked = (asked["messages"][1]["content"] for asked in fake.asked)
    assert "Ana Roux" in plain
    assert "Roux" not in masked
    assert "⟦MAIL_1⟧" in masked
