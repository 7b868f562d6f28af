"""The words of a reply, with the place of all that rests on a passage or on the record. Pure.

No model is needed for any of it: this is what is sent where none is there, or none can be trusted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from knowledge.segments import ADVISED, in_plain_letters
from knowledge.wording import Wording, Words
from schemas.findings import Citation, DeviceCard, Passage
from schemas.printer import MessageGrounded
from schemas.vocabulary import TOLD_KINDS, Channel, Language, kind_label
from services.promises import told
from services.sentences import content

SMS_STEPS = 3
BRIEF = (Channel.SMS, Channel.CALL)
"""Channels whose answers are text messages; calls are answered by one too."""
SENTENCES, QUOTED = 4, 700
"""Of a document: how many of its sentences are quoted, and characters of them."""
RECORD = "record"


@dataclass(frozen=True)
class Sender:
    """Who signs, and how a person is reached."""

    signature: str = "Astreinte"
    contact: str = ""

    @property
    def reached(self) -> str:
        """The contact as it stands in sentences."""
        return f" ({self.contact})" if self.contact else ""


@dataclass
class Text:
    """A text that grows, and remembers which part of it rests on what."""

    said: str = ""
    citations: list[Citation] = field(default_factory=list)

    def add(self, words: str, source: str = "", *, apart: str = "\n\n") -> None:
        """Add words, after a gap; `source`: what they rest on."""
        if not words:
            return
        self.said += (apart if self.said else "") + words
        if source:
            start = len(self.said) - len(words)
            self.citations.append(Citation(start=start, end=len(self.said), source=source))

    @property
    def sources(self) -> tuple[str, ...]:
        """What it rests on, each once."""
        return tuple(dict.fromkeys(one.source for one in self.citations))


def reply(
    event: MessageGrounded,
    answers: Sequence[Passage | None],
    wording: Wording,
    sender: Sender,
) -> Text:
    """Answer each question by its passage; one without a passage is handed over, and says so.

    Questions are named by their numbers: a reply repeats no words of a stranger.
    """
    words = wording.of(event.classification.language)
    if event.message.channel in BRIEF:
        return _brief(event, answers, words, sender)
    text = Text()
    text.add("" if event.earlier else words.greeting)
    for number, passage in enumerate(answers, 1):
        if passage is None:
            text.add(words.handed.format(number=number))
            continue
        if len(answers) > 1:
            text.add(words.question.format(number=number))
        _add(text, event, passage, words)
    close(text, [passage for passage in answers if passage], words, sender)
    return text


def close(text: Text, passages: Sequence[Passage], words: Words, sender: Sender) -> None:
    """Add how a person is reached, the sources and the signature."""
    text.add(words.reach.format(contact=sender.reached))
    sources = dict.fromkeys(" ".join(filter(None, [one.source, one.url])) for one in passages)
    text.add(words.sources.format(sources="; ".join(sources)) if any(sources) else "")
    text.add(words.signed.format(signature=sender.signature))


def _add(text: Text, event: MessageGrounded, passage: Passage, words: Words) -> None:
    if passage.kind != "article":
        place = ", ".join(filter(None, [passage.title, passage.heading]))
        text.add(words.document.format(place=place))
        for sentence in quoted(passage, event.message.text):
            text.add(sentence, passage.article, apart="\n")
        if passage.language is not event.classification.language:
            text.add(words.foreign, apart="\n")
        return
    text.add(_about(event, passage, words))
    text.add(passage.cause, passage.article, apart="\n")
    if passage.steps:
        text.add(words.try_)
    for number, step in enumerate(passage.steps, 1):
        text.add(f"{number}. {step}", passage.article, apart="\n")
    if passage.call_technician:
        otherwise = words.otherwise.format(call_technician=passage.call_technician)
        text.add(otherwise, passage.article)


def quoted(passage: Passage, question: str) -> list[str]:
    """Return the sentences of a document that have most to do with a question, in their order.

    Not those that promise or ask: others wrote them, and a reply would say them in our name.
    """
    asked = content(question, passage.language)
    found = [
        (len(asked & content(one, passage.language)), -place, one)
        for place, one in enumerate(told(passage.text))
    ]
    kept: list[tuple[int, str]] = []
    for _, place, sentence in sorted(found, reverse=True)[:SENTENCES]:
        if sum(len(each) for _, each in kept) + len(sentence) <= QUOTED:
            kept.append((-place, sentence))
    return [sentence for _, sentence in sorted(kept)]


def _brief(
    event: MessageGrounded,
    answers: Sequence[Passage | None],
    words: Words,
    sender: Sender,
) -> Text:
    """Put the first answer into a text message: two steps, and a third one where it fits."""
    passage = next(passage for passage in answers if passage)
    handed = None in answers
    steps = list(passage.steps) or quoted(passage, event.message.text)
    text = Text()
    for count in range(SMS_STEPS, 0, -1):
        body = " ".join(f"{n}) {step}" for n, step in enumerate(steps[:count], 1))
        said = words.sms.format(
            title=passage.title, steps=body, contact=sender.reached, signature=sender.signature
        )
        text = Text(f"{words.sms_handed} {said}" if handed else said)
        start = text.said.index(body)
        rests = Citation(start=start, end=start + len(body), source=passage.article)
        text.citations.append(rests)
        if len(in_plain_letters(text.said)) <= ADVISED:
            break
    return text


def _about(event: MessageGrounded, passage: Passage, words: Words) -> str:
    """Introduce the article; one for a make that the customer did not name says so."""
    own = event.first("brand") or (event.device.brand if event.device else "")
    if passage.brand and own != passage.brand:
        models = " ".join([passage.brand, *passage.models[:1]])
        return words.about_model.format(models=models, title=passage.title)
    return words.about.format(title=passage.title)


def ask(event: MessageGrounded, reason: str, wording: Wording, sender: Sender) -> str:
    """Ask back what would decide."""
    words = wording.of(event.classification.language)
    if event.message.channel in BRIEF:
        return f"{words.asks[reason]} {words.signed.format(signature=sender.signature)}"
    parts = ["" if event.earlier else words.greeting, words.asks[reason]]
    parts += [words.reach.format(contact=sender.reached)]
    return "\n\n".join(filter(None, [*parts, words.signed.format(signature=sender.signature)]))


def warranty(event: MessageGrounded, device: DeviceCard, wording: Wording, sender: Sender) -> Text:
    """Say until when a device of the customer is, or was, under warranty."""
    language = event.classification.language
    words, until = wording.of(language), device.warranty_until
    name = " ".join(filter(None, [device.brand, device.model]))
    said = words.warranty["yes" if device.under_warranty else "no"].format(
        device=name, until=f"{until:%d/%m/%Y}" if language is Language.FR else f"{until:%d %B %Y}"
    )
    text = Text()
    if event.message.channel not in BRIEF:
        text.add("" if event.earlier else words.greeting)
    text.add(said, RECORD)
    text.add(words.reach.format(contact=sender.reached), apart=" ")
    text.add(words.signed.format(signature=sender.signature))
    return text


def handed_over(event: MessageGrounded, reason: str, wording: Wording, sender: Sender) -> str:
    """Tell the customer that a person takes over, and what was understood."""
    language = event.classification.language
    words = wording.of(language)
    body = words.handoff.get(reason, words.handoff["default"])
    if event.message.channel in BRIEF:
        return f"{body} ({sender.signature})"
    found = ", ".join(
        f"{kind_label(finding.kind, language)} {finding.value}"
        for finding in event.findings
        if finding.kind in TOLD_KINDS
    )
    parts = [words.greeting, body]
    if found:
        parts.append(words.gathered.format(found=found))
    return "\n\n".join([*parts, words.signed.format(signature=sender.signature)])
