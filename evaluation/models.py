"""What a language model makes of the desk's answers: the table for a model that you have.

`python -m evaluation.models --url http://127.0.0.1:11434 --model qwen3:4b` sends the questions that
were written for this (`data/printer_queries.yaml`, the half that reports) through classify, extract
and rag, then has the model write each reply as the desk does, checks and second try included. The
table says how many of its answers had the form, what was refused and why, how much of what it wrote
the passages bear out, whether the right article stands behind the reply, and how quick it was.
`--api openai` is for servers of OpenAI's API (`--url http://127.0.0.1:8000/v1`, key in
ASTREINTE_OPENAI_KEY); what runs elsewhere is asked with `--remote` only.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ai.ledger import Ledger
from ai.limits import Limits
from ai.llm import Ask, Backend, Filled, NoAnswer, Shape
from ai.models import Models
from ai.ollama_server import OllamaServer
from ai.openai_server import OpenAIServer
from ai.route import Route
from astreinte.process import pipeline, process
from evaluation.retrieval import Question, questions
from knowledge.wording import load_wording
from schemas.findings import Draft
from schemas.printer import InboundMessage, MessageGrounded, ReplyDrafted
from services import prompting
from services.neighbours import Neighbours
from services.replies import Sender
from services.respond import printer
from services.respond.handlers import grounded_messages
from services.settings import Settings
from services.settings_models import OllamaSettings, OpenaiSettings
from storage import roads


class Watched(Models):
    """Remembers what came of every question to a model."""

    def __init__(self, routes: Sequence[Route]) -> None:
        super().__init__(routes)
        self.heard: list[Filled[Any] | NoAnswer] = []

    async def fill(self, ask: Ask[Shape]) -> Filled[Shape]:
        """Return the answer, as the desk gets it."""
        try:
            filled = await super().fill(ask)
        except NoAnswer as error:
            self.heard.append(error)
            raise
        self.heard.append(filled)
        return filled

    async def rested(self) -> None:
        """Have the server asked again, whatever it did: a model is measured, no customer waits."""
        for route in self.routes:
            route.breaker.succeeded()
        if self.resting:
            await self.look()


@dataclass
class Reply:
    """A question, what the model was asked and wrote, and the draft in the end."""

    question: Question
    draft: Draft
    seconds: float
    heard: Sequence[Filled[Any] | NoAnswer] = ()
    refused: list[tuple[str, ...]] = field(default_factory=list)
    """Of each answer in its form, the reasons against it; none: it was taken."""
    parts: int = 0
    borne_out: int = 0

    @property
    def filled(self) -> list[Filled[Any]]:
        """The answers that had the form."""
        return [each for each in self.heard if isinstance(each, Filled)]

    @property
    def taken(self) -> bool:
        """The model's words are in the draft."""
        return self.draft.how.startswith("llm:")

    @property
    def right(self) -> bool:
        """The article that answers the question stands behind the reply."""
        return bool(set(self.draft.sources) & set(self.question.expected))


async def grounded(asked: Sequence[Question], settings: Settings) -> list[MessageGrounded]:
    """Return the questions as respond gets them, in their order."""
    without = {"ollama": OllamaSettings(url=""), "openai": OpenaiSettings(url="")}
    messages = [_message(each.text, n) for n, each in enumerate(asked)]
    async with pipeline(settings.model_copy(update=without)) as near:
        await process(near, messages, lambda *_: None, as_they_are=True)
        return [await _grounded(near, message) for message in messages]


def _message(text: str, n: int) -> InboundMessage:
    body: dict[str, Any] = {"channel": "chat", "text": text, "trial": True}
    body |= {"sender": f"essai-{n}", "external_id": f"question-{n}"}
    return InboundMessage.model_validate(body | {"received_at": datetime.now(UTC)})


async def _grounded(near: Neighbours, message: InboundMessage) -> MessageGrounded:
    steps = await near.database.read(roads.trace, str(message.event_id))
    (body,) = [step.body for step in steps if step.topic == MessageGrounded.topic]
    return MessageGrounded.model_validate_json(body)


async def replies(
    models: Watched, asked: Iterable[tuple[Question, MessageGrounded]]
) -> list[Reply]:
    """Have every reply written, one after the other."""
    handle = grounded_messages(models, load_wording(), Sender())
    found = []
    for question, event in asked:
        await models.rested()
        models.heard = []
        began = time.perf_counter()
        ((told,),) = await handle([event])
        assert isinstance(told, ReplyDrafted)  # noqa: S101 - it drafts, whatever comes
        reply = Reply(question, told.draft, time.perf_counter() - began, models.heard)
        _judge(reply, event)
        found.append(reply)
    return found


def _judge(reply: Reply, event: MessageGrounded) -> None:
    """Look at each answer as the desk did, part by part."""
    drafted = printer.draft(event, load_wording(), Sender(), event.occurred_at)
    passages = printer.cited(drafted)
    for filled in reply.filled:
        objections = prompting.refused(filled.value, drafted, passages)
        reply.refused.append(tuple(sorted({each.reason for each in objections})))
        against = {each.sentence for each in objections}
        for part in filled.value.parts:
            reply.parts += 1
            reply.borne_out += not any(sentence in part.text for sentence in against)


# --- tables ----------------------------------------------------------------------------------


def tables(found: Sequence[Reply]) -> Iterator[str]:
    """Yield the lines of the tables."""
    languages = sorted({each.question.language for each in found})
    yield f"| | {' | '.join(languages)} | all |"
    yield f"|---|{'---|' * (len(languages) + 1)}"
    groups = [[each for each in found if each.question.language == one] for one in languages]
    for name, of in ROWS.items():
        yield f"| {name} | {' | '.join(of(group) for group in [*groups, list(found)])} |"
    yield from ("", "| why an answer was not used | times |", "|---|---|")
    for reason, times in _reasons(found).most_common():
        yield f"| {reason} | {times} |"


def _reasons(found: Sequence[Reply]) -> Counter[str]:
    answers = [each for reply in found for each in reply.heard]
    reasons = Counter(str(each) for each in answers if isinstance(each, NoAnswer))
    return reasons + Counter(reason for reply in found for one in reply.refused for reason in one)


def _asked(found: Sequence[Reply]) -> list[Reply]:
    return [each for each in found if each.heard]


def _share(part: int, whole: int) -> str:
    return f"{100 * part / whole:.0f} % of {whole}" if whole else "–"


def _seconds(found: Sequence[Reply], share: float) -> str:
    times = sorted(each.seconds for each in _asked(found))
    return f"{times[min(int(share * len(times)), len(times) - 1)]:.2f} s" if times else "–"


def _speed(found: Sequence[Reply]) -> str:
    filled = [each for reply in found for each in reply.filled if each.answer_tokens]
    speeds = [each.answer_tokens / each.seconds for each in filled]
    return f"{statistics.median(speeds):.1f}" if speeds else "–"


ROWS = {
    "questions": lambda found: str(len(found)),
    "the model was asked": lambda found: _share(len(_asked(found)), len(found)),
    "answers in the form": lambda found: _share(
        sum(len(each.filled) for each in found), sum(len(each.heard) for each in found)
    ),
    "of these taken": lambda found: _share(
        sum(not one for each in found for one in each.refused),
        sum(len(each.refused) for each in found),
    ),
    "sentences that the passages bear out": lambda found: _share(
        sum(each.borne_out for each in found), sum(each.parts for each in found)
    ),
    "replies in the model's words": lambda found: _share(
        sum(each.taken for each in found), len(_asked(found))
    ),
    "right article behind these": lambda found: _share(
        sum(each.right for each in found if each.taken), sum(each.taken for each in found)
    ),
    "right article behind the template's": lambda found: _share(
        sum(each.right for each in _asked(found) if not each.taken),
        sum(not each.taken for each in _asked(found)),
    ),
    "seconds for a reply, p50": lambda found: _seconds(found, 0.5),
    "p95": lambda found: _seconds(found, 0.95),
    "tokens a second, reading included": _speed,
}


# --- the command -----------------------------------------------------------------------------


def server(options: argparse.Namespace) -> Backend:
    """Return the server of the command line."""
    if options.api == "ollama":
        own = OllamaSettings()
        key = own.key.get_secret_value()
        return OllamaServer(options.url, context_tokens=own.context_tokens, key=key)
    key = OpenaiSettings().key.get_secret_value()
    return OpenAIServer(options.url, [options.model] if options.model else [], key=key)


async def measured(options: argparse.Namespace) -> list[str]:
    """Ask the model all questions; return the page.

    Raises
    ------
    NoAnswer
        The server or its model is not there.
    """
    limits = Limits(options.model, remote=options.remote, timeout_s=options.timeout)
    route = Route(server(options), limits, Ledger())
    models = Watched([route])
    try:
        await models.look()
        if route.choice is None:
            raise NoAnswer(_missing(options, route))
        name = route.choice.model.name
        began = time.perf_counter()
        await route.backend.load(route.choice.model)
        loaded_s = time.perf_counter() - began
        chosen = [each for each in questions() if each.split == "report"]
        chosen = (
            chosen[:: max(1, len(chosen) // options.questions)] if options.questions else chosen
        )
        asked = zip(chosen, await grounded(chosen, Settings()), strict=True)
        found = await replies(models, asked)
    finally:
        await models.close()
    head = f"{name} ({route.backend.name}), {len(found)} questions, split `report`"
    return [f"{head}, loaded in {loaded_s:.1f} s", "", *tables(found)]


def _missing(options: argparse.Namespace, route: Route) -> str:
    if options.api == "ollama" and route.answers:
        return f"no such model there: ollama pull {options.model or 'MODEL'}"
    return f"{options.url}: {route.closed}"


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default=OllamaSettings().url)
    parser.add_argument("--model", default="", help="its name; else as the desk chooses")
    parser.add_argument("--api", choices=["ollama", "openai"], default="ollama")
    parser.add_argument("--remote", action="store_true", help="text may leave this machine")
    parser.add_argument("--timeout", type=float, default=300.0, help="seconds for an answer")
    parser.add_argument("--questions", type=int, default=0, help="about so many of them; 0: all")
    options = parser.parse_args()
    try:
        lines = asyncio.run(measured(options))
    except NoAnswer as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(lines))
    return 0


if __name__ == "__main__":
    sys.exit(main())
