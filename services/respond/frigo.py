"""The alert, in the lengths that channels take; a model may only put it into other words. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, Field

from schemas.frigo import AlertDrafted, AlertGrounded
from schemas.vocabulary import Change, Fault, Language, Severity
from services.grounding import Evidence, objections

SHORT = 320
STEPS = 5
CAUSES = 3
GSM = frozenset(
    "@£$¥èéùìòÇ\nØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
"""What a text message of 160 characters may hold; with any other it has 70."""
PLAIN = str.maketrans(
    {"’": "'", "«": '"', "»": '"', "–": "-", "−": "-", "—": "-", "•": "-", "…": "...", "°": None}
    | {"œ": "oe", "\u00a0": " ", "\u202f": " ", "³": "3"}
)

WORDS = {
    Language.FR: {
        "level": "Gravité : {level}.",
        "causes": "Causes probables : {causes}.",
        "do": "À faire :",
        "test": "Test qui tranche : {test}",
        "before": "Déjà vu sur cette unité :",
        "state": "état inconnu",
    },
    Language.EN: {
        "level": "Severity: {level}.",
        "causes": "Likely causes: {causes}.",
        "do": "What to do:",
        "test": "Test that decides: {test}",
        "before": "Seen on this unit before:",
        "state": "unknown state",
    },
}


def draft(event: AlertGrounded, now: datetime) -> AlertDrafted:
    """Put an alert into words, by template."""
    language = event.unit.language if event.unit else Language.FR
    name = event.unit.name if event.unit else event.unit_id
    title = f"{name} : {label(event.fault, language)}"
    facts = [fact.fr if language is Language.FR else fact.en for fact in event.facts]
    return AlertDrafted.after(
        event,
        now,
        why=event.why,
        language=language,
        title=title,
        short_text=short(title, event.severity, facts, language),
        text="\n".join([*_found(event, facts, language), *_advice(event, language)]),
    )


def label(fault: str, language: Language) -> str:
    """Return what a fault is called."""
    found = Fault._value2member_map_.get(fault)
    return found.label(language) if isinstance(found, Fault) else fault


def short(title: str, severity: Severity, facts: Sequence[str], language: Language) -> str:
    """Return at most 320 characters that every text message carries."""
    text = gsm(f"{title} ({severity.label(language)}).")
    for fact in map(gsm, facts):
        if len(text) + 1 + len(fact) > SHORT:
            break
        text += f" {fact}"
    return text[:SHORT]


def gsm(text: str) -> str:
    """Return a text in the letters of text messages; an accent that they lack is left out."""
    found = []
    for letter in text.translate(PLAIN):
        if letter in GSM:
            found.append(letter)
        else:
            bare = unicodedata.normalize("NFKD", letter).encode("ascii", "ignore").decode()
            found.append(bare)
    return "".join(found)


def _found(event: AlertGrounded, facts: Sequence[str], language: Language) -> list[str]:
    words = WORDS[language]
    lines = [words["level"].format(level=event.severity.label(language)), *facts]
    if len(event.causes) > 1 or (event.causes and event.causes[0].probability < 1):
        likely = ", ".join(
            f"{label(cause.fault, language)} {percent(cause.probability)} %"
            for cause in event.causes[:CAUSES]
        )
        lines.append(words["causes"].format(causes=likely))
    return lines


def percent(probability: float) -> int:
    """Return a probability in per cent; one that is not certain is never shown as 100."""
    return min(max(round(probability * 100), 1), 99) if probability < 1 else 100


def _advice(event: AlertGrounded, language: Language) -> list[str]:
    words, lines = WORDS[language], []
    if event.sheets:
        lines.append(words["do"])
        lines += [f"{n}. {step}" for n, step in enumerate(event.sheets[0].steps[:STEPS], 1)]
    if event.next_test:
        test = event.next_test.fr if language is Language.FR else event.next_test.en
        lines.append(words["test"].format(test=test))
    if event.past_episodes:
        lines += [words["before"], *(f"• {each}" for each in event.past_episodes)]
    return lines


# --- the language model ----------------------------------------------------------------------

MAX_CHARACTERS = 1_200


class Written(BaseModel):
    """What a model answers."""

    reply: str = Field(max_length=MAX_CHARACTERS)


def may_be_reworded(event: AlertDrafted) -> bool:
    """Say whether there is time and matter for a model: what is critical waits for nobody."""
    return (
        event.severity is not Severity.CRITICAL
        and event.change is not Change.CLEARED
        and len(event.facts) > 1
    )


def prompt(event: AlertDrafted) -> tuple[str, str]:
    """Return (system, user) for a model that may only put the facts into a paragraph."""
    language = "français" if event.language is Language.FR else "English"
    system = (
        f"You write for a refrigeration technician on call, in {language}. Put the FACTS into one "
        "plain paragraph of at most 90 words. Use only these facts, keep every number exactly as "
        "it is written, name the fault as it is named, and add no cause, no advice, no number. "
        'Answer as JSON: {"reply": "…"}'
    )
    return system, f"{event.title}\nFACTS\n{ground(event)}"


def ground(event: AlertDrafted) -> str:
    """Return what a model may draw on: the template without its advice."""
    facts = [fact.fr if event.language is Language.FR else fact.en for fact in event.facts]
    return "\n".join(_found(event, facts, event.language))


def objection(text: str, event: AlertDrafted) -> str | None:
    """Return why a model's text may not be sent, or nothing."""
    if not text.strip() or len(text) > MAX_CHARACTERS:
        return "empty or too long"
    allowed, said = f"{event.title}\n{ground(event)}", text.casefold()
    name = label(event.fault, event.language)
    if name.casefold() not in said:
        return "it does not name the fault"
    named = allowed.casefold()
    others = (label(fault.value, event.language).casefold() for fault in Fault)
    if any(other in said and other not in named for other in others):
        return "it names another fault"
    if found := objections(text, Evidence(allowed, event.language)):
        return found[0].reason
    sure = f"{percent(event.causes[0].probability)} %" if event.causes else ""
    spaced = text.replace("\u202f", " ").replace("\u00a0", " ")
    return "it leaves the probability out" if sure in allowed and sure not in spaced else None


def reworded(event: AlertDrafted, text: str, model: str) -> AlertDrafted:
    """Return the alert in the model's words; advice stays as it is."""
    advice = _advice(event, event.language)
    why = f"{event.why} (llm:{model})"
    return event.model_copy(update={"text": "\n".join([text.strip(), *advice]), "why": why})
