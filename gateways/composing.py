"""From a letter to a mail: its headers, so that answers find back and machines keep silent."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP, EmailPolicy
from email.utils import format_datetime, formataddr, parseaddr

from gateways.outbound import Letter
from schemas.errors import Rejected
from schemas.printer import EMAIL
from schemas.tags import tagged

SHORT_ID = re.compile(r"<[!-;=?-~]{1,250}>")
"""A Message-ID that goes into a header: ASCII, without blanks; a customer may claim any."""
UNFOLDED = frozenset({"message-id", "in-reply-to", "references", "to", "reply-to"})
MAX_SUBJECT = 250
_LINK = re.compile(r"https?://[\w.:/?=&;%~+#-]*[\w/=]")
"""In a text as HTML; marks that end a sentence are none of it."""


@dataclass(frozen=True)
class Sender:
    """Who our mails are from.

    `sender` may have a name before its address; `reply_to` is where answers come in, empty for
    the same; `secret` signs the tag that is added to that, empty for none.
    """

    sender: str
    reply_to: str = ""
    secret: str = ""

    @property
    def address(self) -> str:
        """The address alone."""
        return parseaddr(self.sender)[1]

    @property
    def name(self) -> str:
        """The name alone."""
        return parseaddr(self.sender)[0]

    @property
    def domain(self) -> str:
        """What our Message-IDs end with."""
        return self.address.rpartition("@")[2]

    def answers_to(self, letter: Letter) -> str:
        """Return the address at which an answer to this letter is expected."""
        return tagged(self.reply_to or self.address, letter.conversation_id, self.secret)


class _Wire(EmailPolicy):
    """As it goes over the wire; ids and addresses stay whole.

    The standard policy encodes a Message-ID that is longer than a line (`=?utf-8?q?…`), after
    which nobody recognises it.
    """

    def fold(self, name: str, value: str) -> str:
        return self._whole(name, value) or super().fold(name, value)

    def fold_binary(self, name: str, value: str) -> bytes:
        whole = self._whole(name, value)
        return whole.encode("ascii") if whole else super().fold_binary(name, value)

    def _whole(self, name: str, value: str) -> str:
        if name.lower() not in UNFOLDED:
            return ""
        return f"{name}: " + f"{self.linesep} ".join(str(value).split()) + self.linesep


WIRE = _Wire(linesep=SMTP.linesep, cte_type="7bit")


def recipient_of(letter: Letter) -> str:
    """Return the address as mail servers take it: a domain with accents in its ASCII form.

    Raises
    ------
    Rejected
        It is none, or one that only few servers would take.
    """
    local, _, domain = letter.address.strip().rpartition("@")
    try:
        address = f"{local}@{domain.encode('idna').decode()}"
    except UnicodeError:
        address = ""
    if not (EMAIL.fullmatch(address) and address.isascii() and address.isprintable()):
        msg = "the address is not one that mail servers take"
        raise Rejected(msg)
    return address


def headers_of(letter: Letter) -> dict[str, str]:
    """Return the headers that thread an answer and keep machines from answering it.

    Our own id is among the references too: some who carry mails give them another Message-ID.
    """
    own = SHORT_ID.fullmatch(letter.mail_id)
    answered = SHORT_ID.fullmatch(letter.in_reply_to)
    before = [one for one in letter.references if SHORT_ID.fullmatch(one)]
    known = dict.fromkeys([*before, *([own[0]] if own else [])])
    found = {
        "Message-ID": own[0] if own else "",
        "In-Reply-To": answered[0] if answered else "",
        "References": " ".join(known),
        # What is no part of a conversation was not asked for: an alarm.
        "Auto-Submitted": "auto-replied" if letter.conversation_id else "auto-generated",
        "X-Auto-Response-Suppress": "All",
    }
    return {name: value for name, value in found.items() if value}


def subject_of(letter: Letter) -> str:
    """Return the subject as one line of printable characters."""
    line = "".join(one if one.isprintable() else " " for one in letter.subject)
    return " ".join(line.split())[:MAX_SUBJECT] or "Re:"


def page_of(text: str) -> str:
    """Return a text as HTML: paragraphs and lines, everything else as it was written."""
    return f"<!doctype html><html><body>{''.join(_paragraphs(text))}</body></html>"


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", text.strip()):
        safe = _LINK.sub(r'<a href="\g<0>">\g<0></a>', html.escape(paragraph))
        yield f"<p>{safe.replace(chr(10), '<br>')}</p>"


def mail_of(letter: Letter, sender: Sender) -> EmailMessage:
    """Compose a mail.

    Raises
    ------
    Rejected
        The letter's address is none.
    """
    mail = EmailMessage(policy=WIRE)
    mail["From"] = formataddr((sender.name, sender.address))
    mail["To"] = recipient_of(letter)
    mail["Reply-To"] = sender.answers_to(letter)
    mail["Subject"] = subject_of(letter)
    mail["Date"] = format_datetime(datetime.now(UTC))
    for name, value in headers_of(letter).items():
        mail[name] = value
    mail.set_content(letter.text, cte="quoted-printable")
    mail.add_alternative(page_of(letter.text), subtype="html", cte="quoted-printable")
    return mail
