"""What a message asks: one thing or several, and whether it answers a question of ours. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from knowledge.wording import load_wording
from schemas.findings import Turn
from schemas.printer import MessageExtracted, MessageGrounded
from schemas.vocabulary import Action, Intent, Language
from services.sentences import content, fold, pieces, words

AT_MOST = 4
"""Questions of one message that are told apart; the last takes what follows."""
FEW = 2
"""Content words that a question of its own has at least."""
VAGUE = 2
"""Content words up to which a fault is not described: « elle ne marche plus depuis hier »."""
CLOSE = 0.8
"""Articles of other printers whose score is at least this share of the best one's may be meant."""
OURS = 0.5
"""How likely a message is for this desk at least, before it is asked back for more."""
CHARACTERS = 1_500

_ITEM = re.compile(r"(?m)^[ \t]*(?:[-*•·]|\(?\d{1,2}[.)])[ \t]+(?=\S)")
_NEXT = re.compile(
    r"autre (?:question|chose|souci|probleme)|(?:deuxieme|seconde) (?:question|chose)|"
    r"par ailleurs|d'autre part|de plus|egalement|deuxiemement|ensuite,|enfin,|sinon|et aussi|"
    r"another (?:question|thing|problem)|also\b|besides|secondly|second question|"
    r"on top of that|and also|finally,"
)
_PRINTER = re.compile(
    r"\b(?:imprim|impress|print|copie|copy|scan|toner|cartouche|cartridge|papier|paper|encre|ink\b|"
    r"fax|tambour|drum|multifonction)"
)
_CODE = re.compile(r"\b(?:codes?|erreurs?|errors?)\b")
_OPEN = (Intent.FAULT, Intent.HOW_TO, Intent.INSTALLATION, Intent.GREETING)
"""Intents behind which there is something to ask back for."""


def split(text: str, language: Language) -> tuple[str, ...]:
    """Return the questions of a message, each with what leads to it; most have one."""
    text = text[:CHARACTERS]
    parts = _items(text) or _sentences(text)
    kept: list[str] = []
    for part in parts:
        if kept and (len(content(part, language)) < FEW or len(kept) == AT_MOST):
            kept[-1] = f"{kept[-1]} {part}"
        else:
            kept.append(part)
    if len(kept) > 1 and len(content(kept[0], language)) < FEW:
        kept[:2] = [f"{kept[0]} {kept[1]}"]
    return tuple(kept) if len(kept) > 1 else (text,)


def _items(text: str) -> list[str]:
    """Return the items of a list, where the message is one."""
    starts = [found.start() for found in _ITEM.finditer(text)]
    if len(starts) < 2:  # noqa: PLR2004 - one item is no list
        return []
    items = [text[start:end].strip() for start, end in pairwise([*starts, len(text)])]
    lead = text[: starts[0]].strip()
    return [_ITEM.sub("", f"{lead}\n{items[0]}" if lead else items[0]), *(
        _ITEM.sub("", item) for item in items[1:]
    )]  # fmt: skip


def _sentences(text: str) -> list[str]:
    """Return the sentences up to each question mark, and from each « autre question » on.

    What follows the last question mark is no question: a greeting, a name, some more about it.
    """
    found: list[str] = []
    begins = True
    for piece in pieces(text):
        if _NEXT.match(fold(piece.text)) or (begins and (not found or "?" in text[piece.start :])):
            found.append(piece.text)
        else:
            found[-1] = f"{found[-1]} {piece.text}"
        begins = piece.text.endswith("?")
    return found


def asked(earlier: Sequence[Turn]) -> bool:
    """Say whether the desk asked something back, in these turns."""
    wording = load_wording()
    return any(wording.asks(turn.text) for turn in earlier if turn.who == "desk")


def answers_ours(earlier: Sequence[Turn]) -> bool:
    """Say whether the last that the desk said is a question that is now answered."""
    desk = [turn for turn in earlier if turn.who == "desk"]
    return bool(desk) and asked(desk[-1:])


def searched(event: MessageExtracted) -> tuple[str, ...]:
    """Return what is searched for: each question of the message, with its subject.

    The answer to a question of ours is searched together with what was asked first.
    """
    message = event.message
    subject = message.subject.strip()
    text = message.text if not subject or subject in message.text else f"{subject}\n{message.text}"
    if answers_ours(event.earlier):
        first = [turn.text for turn in event.earlier if turn.who == "customer"][-1:]
        return ("\n".join([*first, text])[:CHARACTERS],)
    parts = split(text, event.classification.language)
    return (text[:CHARACTERS],) if len(parts) == 1 else parts


def follow_up(event: MessageGrounded, action: Action, reason: str) -> str | None:
    """Return what to ask back, if that would decide: a reason, or nothing.

    Once in a conversation, and never instead of a person who was asked for.
    """
    seen = event.classification
    ours = seen.intent in _OPEN and (seen.scope is None or seen.scope >= OURS)
    if asked(event.earlier) or not ours:
        return None
    lost = action is Action.HANDOFF and reason == "no_passage"
    if not lost and action is not Action.REPLY:
        return None
    code, text = event.first("error_code"), fold(event.message.text)
    named = event.first("brand") or event.first("model") or event.device
    if lost and not code and _CODE.search(text) and (named or _PRINTER.search(text)):
        return "ask_code"
    if not named:
        if action is Action.REPLY and _makes_compete(event):
            return "ask_model"
        if lost and code:
            return "ask_model"
    stated = content(event.message.text, seen.language)
    return "ask_details" if lost and len(stated) <= VAGUE and words(text) else None


def _makes_compete(event: MessageGrounded) -> bool:
    """Say whether sheets of several makes or models are about equally near."""
    best = event.passages[0].score
    near = [one for one in event.passages if one.score >= CLOSE * best]
    return bool(near[0].brand) and len({(one.brand, one.models) for one in near if one.brand}) > 1
