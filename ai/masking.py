"""Hides personal data in a text that leaves this machine, and puts it back into the answer.

What a checksum or a library of numbers knows is found by rule: e-mail addresses, telephone
numbers, IBANs, payment cards, SIREN and SIRET numbers. Names are those that the caller gives,
from headers or a signature. The same words get the same placeholder, so that the answer can speak
of them. A placeholder that nobody gave is an invention: the answer is not used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import phonenumbers

from ai.llm import Ask, Prompt, Shape

PLACEHOLDER = re.compile(r"⟦\s*([A-Za-z]+_\d+)\s*⟧")
_BRACKETS = str.maketrans("⟦⟧", "[]")
_MAIL = re.compile(r"[\w.+'-]{1,64}@[\w-]+(?:\.[\w-]+)+")
_IBAN = re.compile(r"\b[A-Z]{2}\d{2}(?:[ \u00a0-]?[A-Z0-9]{2,4}){3,10}\b", re.IGNORECASE)
_DIGITS = re.compile(r"(?<![\w.,])\d(?:[ \u00a0\u202f.-]?\d){8,18}(?!\w)")
_STREET = re.compile(
    r"\b\d{1,4}(?: ?(?:bis|ter))?,? (?:rue|avenue|av\.|boulevard|bd|place|impasse|chemin"
    r"|route|all[ée]e|quai|cours|square)\b[^\n,;.!?]{2,60}(?:,? \d{5}\b[^\n,;.!?]{0,40})?"
    r"|\b\d{1,5} (?:[A-Z][a-z]+ ){1,3}(?:Street|St|Avenue|Ave|Road|Rd|Lane|Drive)\b",
    re.IGNORECASE,
)
SIREN, SIRET = 9, 14
CARD = range(13, 20)
REGION = "FR"
"""Of numbers without a country."""

Found = tuple[int, int, str]


class InventedError(ValueError):
    """The answer holds a placeholder that stands for nothing."""


class Mask:
    """One question's placeholders.

    Parameters
    ----------
    names
        People's names to hide, each as a whole and by its parts.
    """

    def __init__(self, names: Sequence[str] = ()) -> None:
        given = sorted({part for name in names for part in _parts(name)}, key=len)
        self._names = re.compile(
            r"\b(?:" + "|".join(re.escape(name) for name in reversed(given)) + r")\b", re.IGNORECASE
        )
        self._has_names = bool(given)
        self._known: dict[str, str] = {}
        self._words: dict[str, str] = {}

    def hide(self, text: str) -> str:
        """Return the text with placeholders; brackets like theirs are plain ones afterwards."""
        made, end = [], 0
        text = text.translate(_BRACKETS)
        for start, stop, kind in self._found(text):
            made += [text[end:start], self._placeholder(kind, text[start:stop])]
            end = stop
        return "".join([*made, text[end:]])

    def show(self, text: str) -> str:
        """Return the text with its words again.

        Raises
        ------
        InventedError
            A placeholder was not given.
        """

        def word(match: re.Match[str]) -> str:
            try:
                return self._words[match[1].upper()]
            except KeyError:
                msg = "a placeholder that stands for nothing"
                raise InventedError(msg) from None

        return PLACEHOLDER.sub(word, text)

    def shown(self, value: Shape) -> Shape:
        """Return an answer with the words again in all its parts; InventedError as `show`."""
        return type(value).model_validate(_mapped(value.model_dump(mode="json"), self.show))

    def _placeholder(self, kind: str, word: str) -> str:
        key = f"{kind} {word.casefold()}"
        if key not in self._known:
            count = sum(name.startswith(f"{kind}_") for name in self._words) + 1
            self._known[key] = f"{kind}_{count}"
            self._words[self._known[key]] = word
        return f"⟦{self._known[key]}⟧"

    def _found(self, text: str) -> list[Found]:
        """Return what is personal, in order; where two overlap, the one that was tried first."""
        taken: list[Found] = []
        for start, stop, kind in self._candidates(text):
            if all(stop <= a or start >= b for a, b, _ in taken):
                taken.append((start, stop, kind))
        return sorted(taken)

    def _candidates(self, text: str) -> Iterator[Found]:
        yield from ((*match.span(), "MAIL") for match in _MAIL.finditer(text))
        yield from _ibans(text)
        for match in _DIGITS.finditer(text):
            if kind := kind_of(re.sub(r"\D", "", match[0])):
                yield *match.span(), kind
        yield from _phones(text)
        yield from ((*match.span(), "ADDRESS") for match in _STREET.finditer(text))
        if self._has_names:
            yield from ((*match.span(), "NAME") for match in self._names.finditer(text))


def _parts(name: str) -> Iterator[str]:
    """Yield a name, and those of its parts that are long enough to be one."""
    whole = " ".join(name.split())
    yield from (part for part in whole.split(" ") if len(part) > 2)  # noqa: PLR2004
    if len(whole) > 1:
        yield whole


def _ibans(text: str) -> Iterator[Found]:
    """Yield IBANs; words that follow one look like more of it."""
    for match in _IBAN.finditer(text):
        ends = [gap.start() for gap in re.finditer(r"\W|$", match[0])]
        if end := next((end for end in reversed(ends) if is_iban(match[0][:end])), 0):
            yield match.start(), match.start() + end, "IBAN"


def _phones(text: str) -> Iterator[Found]:
    """Yield telephone numbers, of no subscriber too: whoever mistypes his own is still masked.

    Without a first 0 or +, an invoice's number (2026-00412) is as possible a one.
    """
    possible = phonenumbers.Leniency.POSSIBLE
    for phone in phonenumbers.PhoneNumberMatcher(text, REGION, possible):
        if re.match(r"[+(0].{8}", phone.raw_string):
            yield phone.start, phone.end, "PHONE"


def masked(
    ask: Ask[Any], schema: dict[str, Any] | None, *, leaves: bool
) -> tuple[Mask | None, Prompt]:
    """Return what a server is given; where it leaves it is masked, and the mask undoes that."""
    mask = Mask(ask.names) if leaves and ask.personal else None
    system, user = (mask.hide(text) if mask else text for text in (ask.system, ask.user))
    return mask, Prompt(system, user, schema, ask.max_tokens)


def _mapped(node: object, change: Callable[[str], str]) -> object:
    if isinstance(node, str):
        return change(node)
    if isinstance(node, list):
        return [_mapped(each, change) for each in node]
    if isinstance(node, dict):
        return {key: _mapped(value, change) for key, value in node.items()}
    return node


def is_iban(text: str) -> bool:
    """Tell whether an IBAN's check digits hold (ISO 7064, mod 97-10)."""
    plain = re.sub(r"[\s-]", "", text).upper()
    if not (15 <= len(plain) <= 34 and plain.isascii() and plain.isalnum()):  # noqa: PLR2004
        return False
    digits = "".join(str(int(letter, 36)) for letter in plain[4:] + plain[:4])
    return int(digits) % 97 == 1


def luhn(digits: str) -> bool:
    """Tell whether a number's last digit is its check (ISO/IEC 7812)."""
    doubled = [int(digit) * (2 - place % 2) for place, digit in enumerate(reversed(digits), 1)]
    return sum(value - 9 if value > 9 else value for value in doubled) % 10 == 0  # noqa: PLR2004


def kind_of(digits: str) -> str:
    """Return what a run of digits is: CARD, SIRET, SIREN, or nothing known."""
    if not luhn(digits) or len(set(digits)) == 1:
        return ""
    if len(digits) == SIREN:
        return "SIREN"
    if len(digits) == SIRET:
        return "SIRET"
    return "CARD" if len(digits) in CARD else ""
