"""The table for a model that somebody has: told by a twin whose answers are known."""

from __future__ import annotations

import json
from typing import Any

from ai.ledger import Ledger
from ai.limits import Limits
from ai.ollama_server import OllamaServer
from ai.route import Route
from evaluation.models import Watched, replies, tables
from evaluation.retrieval import Question
from tests.events import grounded, judged, passage
from tests.vendors.ollama import Ollama, serving

EVENT = grounded("Ma HP bourre.", judged(), (passage(),))
ASKED = Question("Ma HP bourre.", "fr", (passage().article,), "report")
ELSE = Question("Il sort tout noir.", "fr", ("black-page",), "report")


async def test_what_a_model_wrote_is_told_apart_from_what_was_sent() -> None:
    said = [
        ("Tirez la feuille lentement, à deux mains.", 1),  # right at once
        *(("Attendez 45 minutes.", 1), ("Tirez la feuille lentement, à deux mains.", 1)),
        *(("Attendez 45 minutes.", 1), ("Un technicien passera demain.", 1)),
    ]
    answers = iter(said)

    def speaks(asked: dict[str, Any]) -> str:
        if not asked["messages"]:
            return ""
        text, source = next(answers, said[0])
        return json.dumps({"parts": [{"text": text, "source": source}]})

    async with serving(Ollama(says=speaks)) as twin:
        server = OllamaServer(twin.url)
        models = Watched([Route(server, Limits("qwen3:4b"), Ledger())])
        found = await replies(models, [(ASKED, EVENT), (ELSE, EVENT), (ASKED, EVENT)])
        twin.always = "prose"
        found += await replies(models, [(ASKED, EVENT)])
        await models.close()
    assert [each.taken for each in found] == [True, True, False, False]
    assert [len(each.heard) for each in found] == [1, 2, 2, 1]
    assert [each.right for each in found] == [True, False, True, True]
    page = dict(line.strip("| ").rsplit(" | ", 1) for line in tables(found) if "| " in line)
    rows = {name.split(" | ")[0]: value for name, value in page.items()}
    assert rows["answers in the form"] == "83 % of 6"
    assert rows["of these taken"] == "40 % of 5"
    assert rows["sentences that the passages bear out"] == "40 % of 5"
    assert rows["replies in the model's words"] == "50 % of 4"
    assert rows["right article behind these"] == "50 % of 2"
    assert any("form" in name for name in page if page[name] == "1")
