"""What somebody wrote now, and what their mail program put beneath it. Pure, line by line.

A mail program quotes in one of two ways: with `>` before each line, under a line that says who
wrote when; or plainly, under a rule or a head like « De : … Envoyé : … ». After the second kind all
is quoted. After the first, what stands without `>` was written now: answers between quoted lines
are the reply, and then nothing is cut.

A forwarded mail is no quotation: it is what its sender wants to be read.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from gateways.mail import marks
from gateways.mail.introductions import Mark, marks_in
from gateways.mail.signatures import is_quoted, unsigned

LONG = 60
"""Characters of a quoted line that a program may have broken, and lost the `>` of its end."""
COMMENT = 400
"""Characters of a text that says where the answers are."""
_INVISIBLE = re.compile("[\u00ad\u200b-\u200f\u202a-\u202e\u2060\ufeff]")
_BLANKS = str.maketrans("\xa0\u202f", "  ")


@dataclass(frozen=True)
class Split:
    """The two parts of a mail's text; `reply` is empty only where the text is."""

    reply: str
    quoted: str


def split(text: str, *, forwarded: bool = False, desk: str = "") -> Split:
    """Tell what was written now from what is quoted; in doubt it was written now.

    Of a `forwarded` mail, what is forwarded is read as well, down to what is quoted in it, unless
    it comes from the `desk`, by its address.
    """
    text = _INVISIBLE.sub("", text).translate(_BLANKS)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    mail = _Mail(lines)
    if forwarded and mail.marks and not mail.is_from(desk):
        kept = mail.forwarded()
        for number in kept:  # some programs sign what they forward as if it were quoted
            lines[number] = lines[number].removeprefix(">").removeprefix(" ")
    else:
        kept = mail.kept()
    if not any(lines[number].strip() for number in kept):
        kept = list(range(len(lines)))
    left = set(kept)
    quoted = [line for number, line in enumerate(lines) if number not in left]
    return Split(_joined([lines[number] for number in kept]), _joined(quoted))


def _joined(lines: list[str]) -> str:
    # Blank lines at the ends say nothing; an indented first line keeps its place.
    return "\n".join(lines).strip("\n").rstrip()


class _Mail:
    """The lines of a mail, and the marks of quotations among them."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.marks = marks_in(lines)
        self.all = list(range(len(lines)))

    def kept(self) -> list[int]:
        """Return the numbers of the lines that were written now."""
        if not self.marks:
            return self._without_last_quotation()
        mark = self.marks[0]
        above = unsigned(self.lines, 0, self._top(mark))
        if not self._filled(above):
            return self._beneath(mark)
        if self._announces_answers(above):
            return self.all
        if self._is_signed(mark) and self._filled(self._answers(0)):
            return unsigned(self.lines, 0, len(self.lines))
        return above

    def forwarded(self) -> list[int]:
        """Return the numbers of the lines above a forwarded mail, and of its own."""
        end = Mark(len(self.lines), len(self.lines))
        kept = unsigned(self.lines, 0, self._top(self.marks[0]))
        for mark, after in pairwise([*self.marks, end]):
            its = unsigned(self.lines, mark.end, max(mark.end, self._top(after)))
            if self._filled(its):  # else it was forwarded more than once
                return [*kept, *its]
        return kept

    def is_from(self, address: str) -> bool:
        """Say whether the first mail beneath comes from an address, or is one of its threads."""
        name, _, domain = address.strip(" <>").rpartition("@")
        if not name:
            return False
        local = re.escape(name.partition("+")[0])
        of_desk = re.compile(
            rf"(?<![\w.]){local}(?:\+[\w.=-]+)?@{re.escape(domain)}", re.IGNORECASE
        )
        mark = self.marks[0]
        heads = (line[: marks.MAX_MARK] for line in self.lines[mark.start : mark.end])
        said = ((line, marks.HEAD.match(line)) for line in heads)
        return any(
            of_desk.search(line)
            for line, head in said
            if (head and head.lastgroup == "from") or marks.says_wrote(line)
        )

    def _beneath(self, mark: Mark) -> list[int]:
        """Return what was written beneath a quotation that opens the mail."""
        end = len(self.lines)
        if not self._is_signed(mark):  # forwarded without a word, or quoted without a sign
            after = self.marks[1] if len(self.marks) > 1 else None
            if after and not (self._is_signed(after) and self._filled(self._answers(1))):
                end = after.start
            return unsigned(self.lines, mark.end, end)
        answers = self._answers(0)
        first = next((number for number in answers if self.lines[number].strip()), end)
        if any(map(is_quoted, self.lines[first:])):  # answers, one by one
            return unsigned(self.lines, 0, end)
        return [number for number in answers if number >= first]

    def _answers(self, at: int) -> list[int]:
        """Return the lines without `>` beneath a mark, down to one without signs."""
        marked = set[int]()
        end = len(self.lines)
        for mark in self.marks[at + 1 :]:
            if not self._is_signed(mark):
                end = mark.start
                break
            marked.update(range(mark.start, mark.end))
        inside = unsigned(self.lines, self.marks[at].end, end)
        return [n for n in inside if n not in marked and not self._is_quoted(n)]

    def _without_last_quotation(self) -> list[int]:
        """Return the lines without a quotation at the end, for which no mark stands."""
        end = len(unsigned(self.lines, 0, len(self.lines)))
        while end and (not self.lines[end - 1].strip() or is_quoted(self.lines[end - 1])):
            end -= 1
        return unsigned(self.lines, 0, end)

    def _top(self, mark: Mark) -> int:
        """Return the first line of a mark; « > Message du 13/01/26 » stands above « > De : »."""
        top = mark.start
        if top == len(self.lines):
            return top
        while top and is_quoted(self.lines[mark.start]) and is_quoted(self.lines[top - 1]):
            top -= 1
        return top

    def _is_signed(self, mark: Mark) -> bool:
        """Say whether the lines beneath a mark are quoted with `>`."""
        if is_quoted(self.lines[mark.start]):
            return True
        beneath = (self.lines[number] for number in range(mark.end, len(self.lines)))
        return next((is_quoted(line) for line in beneath if line.strip()), False)

    def _is_quoted(self, number: int) -> bool:
        """Say whether a line is quoted, be it the end of a quoted one that was too long."""
        line = self.lines[number].lstrip()
        if line.startswith(">") or not 0 < number < len(self.lines) - 1:
            return line.startswith(">")
        above, below = self.lines[number - 1].rstrip(), self.lines[number + 1]
        broken = is_quoted(above) and len(above) >= LONG and above[-1].isalnum()
        return broken and is_quoted(below) and line[:1].islower()

    def _filled(self, numbers: list[int]) -> bool:
        return any(self.lines[number].strip() for number in numbers)

    def _announces_answers(self, above: list[int]) -> bool:
        """Say whether the text above a quotation says that the answers are within it."""
        text = "\n".join(self.lines[number][:COMMENT] for number in above[:20])
        return len(text) <= COMMENT and bool(marks.INLINE.search(text))
