"""Where quotations begin among the lines of a mail. Pure, and linear.

Each line is looked at a bounded number of times, and only if it is as short as a mark.
"""

from __future__ import annotations

from dataclasses import dataclass

from gateways.mail import marks
from gateways.mail.signatures import is_quoted

MAX_LINES = 5_000
"""Among which marks are looked for: what stands beneath is kept, or goes with the mark above."""
ABOVE = 5
"""Lines that a mark may be broken over, before its last."""
HEAD_LINES = 14
MIN_HEAD = 3
MAX_WRAPPED = 2
"""Lines of a long subject or list of recipients, or blank ones, between two lines of a head."""
MAX_NAME = 40
"""Characters before the colon of a line of a head."""
ENDS = (":", "：")


@dataclass(frozen=True)
class Mark:
    """Where a quotation begins: the first line of what introduces it, and the first after that."""

    start: int
    end: int


def marks_in(lines: list[str]) -> list[Mark]:
    """Return the marks of quotations, from the first on."""
    return _Finder(lines[:MAX_LINES]).all()


class _Finder:
    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.heads = [_head_of(line) for line in lines]

    def all(self) -> list[Mark]:
        found: list[Mark] = []
        number = start = 0
        while number < len(self.lines):
            mark = self._at(start, number)
            if mark:
                found.append(mark)
                start = mark.end
            number = mark.end if mark else number + 1
        return found

    def _at(self, start: int, number: int) -> Mark | None:
        """Return the mark that a line ends, or a head that begins with it."""
        line = self.lines[number]
        bare = line.lstrip(" \t>*|\xa0").rstrip(" \t*|\xa0")
        if not bare or len(line) > marks.MAX_MARK:
            return None
        if _is_mark(bare):
            return Mark(number, self._head_end(number + 1) or number + 1)
        if self.heads[number] and (end := self._head_end(number)):
            ruled = number > start and marks.RULE.match(self.lines[number - 1])
            return Mark(number - 1 if ruled else number, end)
        return self._attribution(start, number) if marks.MAY_END.search(bare) else None

    def _head_end(self, number: int) -> int | None:
        """Return the line after a quoted mail's head that begins here, if one does."""
        while number < len(self.lines) and not self.lines[number].strip():
            number += 1
        names, count, end, others = set[str](), 0, number, 0
        for place in range(number, min(number + HEAD_LINES, len(self.lines))):
            if name := self.heads[place]:
                names.add(name)
                count, end, others = count + 1, place + 1, 0
            elif not names or others >= MAX_WRAPPED or (others and not self.lines[place].strip()):
                break
            else:
                others += 1
        whose = "from" in names and (names & {"date", "subject"})
        return end if whose and count >= MIN_HEAD else None

    def _attribution(self, start: int, number: int) -> Mark | None:
        """Return the mark « Le … a écrit : » that ends here; it may begin some lines above."""
        weaker: int | None = None
        joined, blanks = "", 0
        for top in range(number, max(start, number - ABOVE) - 1, -1):
            line = self.lines[top].strip()
            blanks += not line
            joined = f"{line} {joined}".strip(" *_") if line else joined
            if blanks > 1 or len(joined) > marks.MAX_MARK:
                break
            if not line or not self._introduces(joined, number):
                continue
            if marks.OPENER.match(line) and marks.DATE.search(joined):
                return Mark(top, number + 1)
            weaker = top if weaker is None else weaker
        return Mark(weaker, number + 1) if weaker is not None else None

    def _introduces(self, text: str, number: int) -> bool:
        """Say whether a text says that somebody wrote what follows."""
        text = marks.MAILTO.sub("", text.lstrip("> "))
        if marks.SENTENCE.search(text) or marks.TO_ME.search(text):
            return False
        opens = marks.DATE.search(text) and marks.OPENER.match(text)
        if (opens or marks.QUOTING.match(text)) and marks.IN_BRACKETS.search(text):
            return True
        if not marks.says_wrote(text):
            return False
        below = (line for line in self.lines[number + 1 : number + 4] if line.strip())
        whose = marks.ADDRESS.search(text) or (opens and marks.is_named(text))
        return bool(whose) or is_quoted(next(below, ""))


def _head_of(line: str) -> str:
    """Return what a line of a quoted mail's head says: from, date, to, subject; else nothing."""
    before = line[:MAX_NAME]
    if ":" not in before and "：" not in before:
        return ""
    found = marks.HEAD.match(line[: marks.MAX_MARK])
    return found.lastgroup or "" if found else ""


def _is_mark(line: str) -> bool:
    """Say whether a line is a mark by itself."""
    if line[0] in marks.DASHES:
        return bool(marks.RULED.match(line) or marks.ZOHO.match(line) or marks.ABOVE.match(line))
    if line.endswith(ENDS):
        return bool(marks.BARE.match(line))
    if line[0].isdigit() and (found := marks.DATED.match(line)):
        return "GMT" in line or bool(marks.IN_BRACKETS.search(found["who"]))
    return bool(marks.ABOVE.match(line)) if "lign" in line or "line" in line else False
