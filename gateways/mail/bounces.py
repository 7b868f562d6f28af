"""Whom a notice says that a mail did not reach, and whether for good.

flufl.bounce knows what servers write and wrote; around it stand what it leaves to its callers:
which mails are notices at all (a customer may forward one), the classes of status (RFC 3463),
wording that it does not know, and a bound on what is read.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator
from email.message import EmailMessage, Message
from email.parser import BytesParser
from typing import cast

from flufl.bounce import all_failures

from gateways.html import text_of
from gateways.mail.charsets import decoded
from gateways.mail.parts import Part, safely
from schemas.bounce import Bounce

logging.getLogger("flufl.bounce").setLevel(logging.CRITICAL)

MAX_BYTES = 2**17
"""Of a notice that are read; it stands before the mail that is returned."""
MAX_LINE = 1_000
MAX_LINES = 150
MAX_BOUNCES = 50
MAX_ADDRESS = 320
NEAR = 12
"""Lines below the sentence that says so, in which addresses stand."""

ROBOT = re.compile(
    r"^(mailer-?daemon|mdaemon|post-?master|mail-?admin|mail-?delivery|bounces?)\b|"
    r"^(mail\.)?delivery[._-](system|subsystem)\b",
    re.IGNORECASE,
)
FAILED = re.compile(
    r"undeliver|not (be )?deliver|deliver\w* (status|notification|report|fail|warning|delay|problem"
    r"|incomplete)|non.?deliver|fail(ed|ure) (mail|notice|delivery)|mail (delivery )?(failed|error"
    r"|system error)|return(ed|ing) (mail|message|to sender)|(delayed|rejected|bounced) (mail|mess)"
    r"|message (was )?(delayed|rejected|not delivered)|couldn.t be delivered|processing error"
    r"|non.?(remis|distribu|d[ée]livr)"
    r"|n.a pas (pu )?([êe]tre|[ée]t[ée])? ?(remis|distribu|d[ée]livr|transmis|envoyé)"
    r"|(échec|erreur|retard) (de|dans|lors de) ?(la |l.)?(remise|distribution|livraison|envoi)"
    r"|adresse introuvable"
    r"|notification d.état de (la )?remise|remise (retardée|impossible|échouée)"
    r"|unzustellbar|nicht zugestellt|zustell\w* fehl|no se pudo entregar|no entregado"
    r"|mancato recapito|mancata consegna|onbestelbaar|não (foi )?entregue",
    re.IGNORECASE,
)
"""How the subject or the text of a notice says that a mail did not arrive."""
LATER = re.compile(
    r"will (re)?try|will be retried|will continue|still being retried|delayed|retard|temporar"
    r"|not yet been delivered|nouvelle tentative|tentera (à nouveau|encore)|wird erneut",
    re.IGNORECASE,
)
RETURNED = re.compile(
    r"original message|returned message|copy of (the|your) message|message (d.origine|retourné)"
    r"|^(received|return-path):",
    re.IGNORECASE,
)
STATUS = re.compile(r"(?<![\d.])([45])\.\d{1,3}\.\d{1,3}(?![\d.])")
ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,8}")


def bounces_of(mail: Part, raw: bytes) -> tuple[Bounce, ...]:
    """Return the addresses that a notice of non-delivery is about; none for any other mail."""
    if not _may_be_notice(mail):
        return ()
    lines = (line[:MAX_LINE] for line in raw[:MAX_BYTES].split(b"\n"))
    notice = safely(lambda: BytesParser().parsebytes(b"\n".join(lines)), None)
    if notice is None:
        return ()
    nothing: dict[str, str] = {}
    reported = safely(lambda: dict(_reported(notice)), nothing)
    if reported and not any(reported.values()):
        return ()  # delivered, relayed, expanded: a receipt
    found = _of_header(notice) or _of_flufl(notice) or _of_words(notice)
    text = _words(notice)
    return tuple(
        Bounce(address=address, permanent=_is_permanent(reported.get(address, ""), text, known))
        for address, known in list(found.items())[:MAX_BOUNCES]
        if ADDRESS.fullmatch(address) and len(address) <= MAX_ADDRESS
    )


def _may_be_notice(mail: Part) -> bool:
    """Say whether a server may have written it: a customer who forwards a notice is a customer."""
    heads = {name.lower(): str(value) for name, value in mail.head.raw_items()}
    if mail.kind == "multipart/report":
        kind = mail.parameter("report-type") or "delivery-status"
        rejected = kind == "disposition-notification" and FAILED.search(_subject(mail.head))
        return kind == "delivery-status" or bool(rejected)
    sender = ADDRESS.search(heads.get("from", "")[:MAX_LINE])
    if "x-failed-recipients" in heads or heads.get("return-path", "").strip() == "<>":
        return True
    if ROBOT.match(sender[0] if sender else heads.get("from", "").strip('"< ')):
        return True
    if {"in-reply-to", "references"} & heads.keys():
        return False
    return bool(FAILED.search(_subject(mail.head))) or heads.get("from", "").rstrip().endswith("<>")


def _subject(mail: EmailMessage) -> str:
    return safely(lambda: str(mail["subject"] or ""), "")[:MAX_LINE]


def _reported(notice: Message) -> Iterator[tuple[str, str]]:
    """Return the recipients of a status report (RFC 3464) with their status, if they failed."""
    for part in notice.walk():
        if part.get_content_type() != "message/delivery-status" or not part.is_multipart():
            continue
        for block in _parts(part):
            said = str(block.get("final-recipient") or block.get("original-recipient") or "")
            address = ADDRESS.search(said)
            if address:
                action = str(block.get("action") or "failed").lower()
                done = action.startswith(("delivered", "relayed", "expanded"))
                status = STATUS.search(str(block.get("status") or ""))
                late = action.startswith("delayed")
                yield (
                    address[0].lower(),
                    "" if done else "4" if late else status[1] if status else "?",
                )


def _parts(part: Message) -> list[Message]:
    return cast("list[Message]", part.get_payload())


def _of_header(notice: Message) -> dict[str, bool]:
    said = str(notice.get("x-failed-recipients") or "")[:MAX_LINE]
    return {address.lower(): True for address in ADDRESS.findall(said)}


def _of_flufl(notice: Message) -> dict[str, bool]:
    nobody: tuple[frozenset[bytes], frozenset[bytes]] = (frozenset(), frozenset())
    for_now, for_good = safely(lambda: all_failures(notice), nobody)
    known = dict.fromkeys(sorted(for_now), False) | dict.fromkeys(sorted(for_good), True)
    return {decoded(each).strip().lower(): permanent for each, permanent in known.items()}


def _of_words(notice: Message) -> dict[str, bool]:
    """Return the addresses near a sentence that says so, else whom the returned mail was for."""
    text = _words(notice)
    lines = text.split("\n")
    ours = {
        each.lower() for name in ("to", "from") for each in ADDRESS.findall(_head(notice, name))
    }
    said = next((number for number, line in enumerate(lines) if FAILED.search(line)), None)
    if said is None and not FAILED.search(_head(notice, "subject")):
        return {}
    near = "\n".join(lines[said or 0 : (said or 0) + NEAR])
    found = [each.lower() for each in ADDRESS.findall(near) if each.lower() not in ours]
    if not found:
        found = [each.lower() for each in _recipients(notice)]
        found = found if len(found) == 1 else []
    return dict.fromkeys(found, not LATER.search(text))


def _recipients(notice: Message) -> list[str]:
    for part in notice.walk():
        if part.get_content_type() == "message/rfc822" and part.is_multipart():
            return ADDRESS.findall(_head(_parts(part)[0], "to"))
        if part.get_content_type() == "text/rfc822-headers":
            found = re.search(r"^to:(.*)$", decoded(_bytes(part)), re.IGNORECASE | re.MULTILINE)
            return ADDRESS.findall(found[1][:MAX_LINE]) if found else []
    return []


def _words(notice: Message) -> str:
    """Return what the server itself wrote: the first text, down to the mail that it returns."""
    for part in notice.walk():
        if part.get_content_maintype() != "text":
            continue
        text = decoded(_bytes(part), str(part.get_content_charset("utf-8")))
        if part.get_content_subtype() == "html":
            text = text_of(text)
        lines = [line[:MAX_LINE] for line in text.splitlines()[:MAX_LINES]]
        end = next((n for n, line in enumerate(lines) if RETURNED.search(line)), len(lines))
        if any(line.strip() for line in lines[:end]):
            return "\n".join(lines[:end])
    return ""


def _bytes(part: Message) -> bytes:
    data = safely(lambda: part.get_payload(decode=True), None)
    return data if isinstance(data, bytes) else b""


def _head(notice: Message, name: str) -> str:
    return str(notice.get(name) or "")[:MAX_LINE]


def _is_permanent(status: str, text: str, known: bool) -> bool:  # noqa: FBT001
    """Judge by the report's class of status, else by the codes in the text, else by the words."""
    if status in {"4", "5"}:
        return status == "5"
    classes = set(STATUS.findall(text))
    return known and classes != {"4"}
