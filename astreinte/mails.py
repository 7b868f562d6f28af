"""`astreinte mail`: what the desk makes of a mail, by the functions that its road calls."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any

import typer
from pydantic import ValidationError

from ai.language import LanguageDetector
from astreinte import output
from astreinte.columns import Unusable, fields_from
from astreinte.options import JsonOption, app
from gateways.mail.bodies import written_now
from gateways.mail.reply import split
from schemas.errors import Rejected, reason_of
from schemas.printer import InboundMessage
from schemas.tags import tag_in
from schemas.vocabulary import Channel, Language
from services.classify.printer import text_to_classify
from services.ingest.printer import Arrival, arrive, clean, receive

mail_app = typer.Typer(help="Mails: what the desk makes of them.", no_args_is_help=True)
app.add_typer(mail_app, name="mail")

MAX_BYTES = 30 * 2**20
"""What mail providers hand on at most."""
NO_MAIL = 2
HEAD_BYTES = 65_536
HEAD = re.compile(
    rb"^(from|to|subject|date|message-id|received|return-path|delivered-to|mime-version"
    rb"|content-type|x-[\w-]+):",
    re.IGNORECASE | re.MULTILINE,
)
OUTLOOK = b"\xd0\xcf\x11\xe0"
"""How a file of Windows' compound format begins; .msg is one."""


@dataclass(frozen=True)
class Understood:
    """What the desk makes of a mail; names and shape are those of `--json`."""

    reply_text: str
    full_text: str
    quoted: str
    language: str
    thread_ids: tuple[str, ...]
    auto_reply: bool
    reason: str | None
    bounce: dict[str, Any] | None
    attachments: tuple[dict[str, Any], ...]


@mail_app.command(name="read")
def read(
    file: Annotated[Path, typer.Argument(help="A mail, as a mail program saves it (.eml).")],
    json_: JsonOption = False,
) -> None:
    """Show what the desk makes of a mail: what was written now, what is quoted, and the rest."""
    try:
        found = understood(_bytes_of(file), datetime.now(UTC))
    except (Unusable, Rejected) as error:
        output.err.print(f"astreinte: {file}: {error}", style="red", markup=False)
        raise typer.Exit(NO_MAIL) from None
    if json_:
        output.as_json(asdict(found))
    else:
        _show(found)


def understood(raw: bytes, now: datetime) -> Understood:
    """Return what ingest would make of a mail that comes now.

    Raises
    ------
    Unusable
        It cannot be read, or says nothing.
    Rejected
        It says that it comes from the future.
    """
    fields = {"received_at": now} | fields_from(raw, Channel.EMAIL)
    if not fields.get("sender"):
        fields.setdefault("customer_ref", "?")
    try:
        message = InboundMessage.model_validate(fields)
    except ValidationError as error:
        raise Unusable(reason_of(error)) from None
    arrival = arrive(message, written_now(message), now)
    (told,) = receive(arrival, "?", now, new_customer=True, new_conversation=True)
    language, _ = _languages().detect(text_to_classify(told))
    return _told(arrival, language)


@cache
def _languages() -> LanguageDetector:
    return LanguageDetector()


def _told(arrival: Arrival, language: Language) -> Understood:
    message = arrival.inbound
    bounces = message.bounces
    return Understood(
        reply_text=arrival.text,
        full_text=clean(message.text),
        quoted=clean(split(message.text).quoted),
        language=language.value,
        thread_ids=tuple(
            name for name in (tag_in(message.to or ""), *arrival.ties.answers_to) if name
        ),
        auto_reply=arrival.automatic is not None,
        reason=arrival.automatic,
        bounce={
            "address": ", ".join(each.address for each in bounces),
            "permanent": all(each.permanent for each in bounces),
        }
        if bounces
        else None,
        attachments=tuple(
            each.model_dump(include={"name", "content_type", "size_bytes"})
            for each in message.attachments
        ),
    )


def _bytes_of(file: Path) -> bytes:
    """Return the bytes of a mail. Raises `Unusable` for what is none."""
    try:
        if not file.is_file():
            msg = "this is a folder, not a mail" if file.is_dir() else "there is no such file"
            raise Unusable(msg)
        if (size := file.stat().st_size) > MAX_BYTES:
            msg = f"a mail has {MAX_BYTES // 2**20} MB at most, this file {size / 2**20:.1f}"
            raise Unusable(msg)
        raw = file.read_bytes()
    except OSError as error:
        msg = f"it cannot be read: {error.strerror or type(error).__name__}"
        raise Unusable(msg) from None
    if raw.startswith(OUTLOOK):
        msg = "this is Outlook's own format (.msg), save the mail as .eml"
        raise Unusable(msg)
    if not HEAD.search(raw[:HEAD_BYTES]):
        msg = "this is no mail: it has no line like « From: » or « Subject: »"
        raise Unusable(msg)
    return raw


def _show(found: Understood) -> None:
    say = output.out.print
    say("[bold]Ce que le client a écrit[/]" if found.reply_text else "[bold]Rien d'écrit[/]")
    say(_indented(found.reply_text), markup=False)
    if found.quoted:
        say("\n[bold]Ce que le bureau laisse de côté[/] (citation, signature, mentions)")
        say(_indented(found.quoted), markup=False)
    say("")
    say(f"langue       {'français' if found.language == 'fr' else 'anglais'}")
    say(
        f"fil          {', '.join(found.thread_ids) or 'aucun : nouvelle conversation'}",
        markup=False,
    )
    answer = f"non : {found.reason}" if found.auto_reply else "oui"
    say(f"réponse      {answer}", markup=False)
    if found.bounce:
        kind = "définitif" if found.bounce["permanent"] else "provisoire"
        say(f"non-remise   {found.bounce['address']} ({kind})", markup=False)
    for each in found.attachments:
        what = f"{each['name']} ({each['content_type']}, {each['size_bytes']} octets)"
        say(f"pièce jointe {what}", markup=False)


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" for line in text.split("\n"))
