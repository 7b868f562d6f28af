"""The catalogue: makes, how their models, panel codes and serial numbers look, known models."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import yaml
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from knowledge.articles import InvalidArticle

SHIPPED = Path(__file__).parent / "catalogue.yaml"
MODELS = Path(__file__).parent / "models.yaml"

LONG = 6
"""Letters of a series' name that may be misspelt and is known all the same."""


class Brand(BaseModel):
    """A make as the file has it; what the fields mean stands there."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str
    spellings: tuple[str, ...]
    misspelt: tuple[str, ...] = ()
    series: tuple[str, ...] = ()
    short: dict[str, str] = {}
    prefixes: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    named: tuple[str, ...] = ()
    style: Literal["plain", "dash", "blank"] = "plain"
    codes: tuple[str, ...] = ()
    sure: tuple[str, ...] = ()
    own: tuple[str, ...] = ()
    serials: tuple[str, ...] = ()


class _File(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")

    brands: tuple[Brand, ...]


class Known(NamedTuple):
    """A model of the table; `number` is its name without the series."""

    brand: str
    series: str
    number: str

    @property
    def name(self) -> str:
        """The name in full."""
        return f"{self.series} {self.number}".strip()


@dataclass(frozen=True)
class Make:
    """A make, compiled: what matches nothing is `NEVER`."""

    name: str
    style: str
    models: re.Pattern[str]
    named: re.Pattern[str]
    codes: re.Pattern[str]
    sure: re.Pattern[str]
    own: re.Pattern[str]
    serials: re.Pattern[str]


@dataclass(frozen=True)
class Catalogue:
    """Everything compiled. Keys are plain letters without blanks and dashes: see `squeeze`.

    Attributes
    ----------
    makes
        By name.
    spellings
        Make by how it is written; `misspelt`: by how it is written wrongly.
    series
        Make by a word that opens the names of its models; `long_series`: those to be guessed.
    prefixes
        Letters that stand before a model's number.
    table
        Known models by their number; `digits`: keys of `table` by the digits in them.
    stems
        Makes by a known number without the letters behind it: `m428` of the M428fdw.
    series_names
        How a word of a series is written, `VersaLink`.
    codes
        Every shape of a panel code of any make; `Make.codes` says whose.
    """

    makes: Mapping[str, Make]
    spellings: Mapping[str, str]
    misspelt: Mapping[str, str]
    series: Mapping[str, str]
    long_series: tuple[str, ...]
    prefixes: frozenset[str]
    table: Mapping[str, tuple[Known, ...]]
    digits: Mapping[str, tuple[str, ...]]
    stems: Mapping[str, frozenset[str]]
    series_names: Mapping[str, str]
    codes: re.Pattern[str]


def load_catalogue(path: Path = SHIPPED, models: Path = MODELS) -> Catalogue:
    """Read and compile the catalogue. Raises `InvalidArticle` with the file's name."""
    brands = _read(path).brands
    known = list(_known(models, {brand.name for brand in brands}))
    table: defaultdict[str, list[Known]] = defaultdict(list)
    for each in known:
        table[squeeze(each.number)].append(each)
    digits: defaultdict[str, list[str]] = defaultdict(list)
    stems: defaultdict[str, set[str]] = defaultdict(set)
    for key, found in table.items():
        digits[re.sub(r"\D", "", key)].append(key)
        if key[0].isalpha():
            stems[key.rstrip("abcdefghijklmnopqrstuvwxyz")] |= {each.brand for each in found}
    words = {word for each in known for word in each.series.split()}
    try:
        return Catalogue(
            makes={brand.name: _compiled(brand) for brand in brands},
            spellings={squeeze(word): b.name for b in brands for word in b.spellings},
            misspelt={squeeze(word): b.name for b in brands for word in b.misspelt},
            series={word: b.name for b in brands for word in (*b.series, *b.short)},
            long_series=tuple(word for b in brands for word in b.series if len(word) >= LONG),
            prefixes=frozenset(word for b in brands for word in b.prefixes),
            table={key: tuple(found) for key, found in table.items()},
            digits={key: tuple(found) for key, found in digits.items()},
            stems={key: frozenset(found) for key, found in stems.items()},
            series_names={squeeze(word): word for word in words}
            | {short: word for b in brands for short, word in b.short.items()},
            codes=_within(shape for b in brands for shape in (*b.sure, *b.own, *b.codes)),
        )
    except re.error as error:
        msg = f"{path}: {error}"
        raise InvalidArticle(msg) from None


def _read(path: Path) -> _File:
    try:
        return _File.model_validate(yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader))
    except (yaml.YAMLError, ValidationError) as error:
        msg = f"{path}: {error}"
        raise InvalidArticle(msg) from None


def _known(path: Path, brands: set[str]) -> Iterator[Known]:
    shape = TypeAdapter(dict[str, dict[str, str]])
    try:
        data = shape.validate_python(yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader))
    except (yaml.YAMLError, ValidationError) as error:
        msg = f"{path}: {error}"
        raise InvalidArticle(msg) from None
    if strange := data.keys() - brands:
        msg = f"{path}: makes that the catalogue does not have: {', '.join(sorted(strange))}"
        raise InvalidArticle(msg)
    for brand, lines in data.items():
        for series, numbers in lines.items():
            for number in dict.fromkeys(numbers.split()):
                yield Known(brand, series, number.replace("_", " "))


def _compiled(brand: Brand) -> Make:
    return Make(
        brand.name,
        brand.style,
        *map(_any, (brand.models, brand.named, brand.codes, brand.sure, brand.own, brand.serials)),
    )


def squeeze(name: str) -> str:
    """Return a name without blanks, dashes and dots, in lower case: how names are compared."""
    return re.sub(r"[\W_]+", "", name).lower()


def _any(shapes: Iterable[str]) -> re.Pattern[str]:
    """Compile shapes for `fullmatch`; of none: one that matches nothing."""
    return re.compile("|".join(f"(?:{shape})" for shape in shapes) or r"(?!)")


def _within(shapes: Iterable[str]) -> re.Pattern[str]:
    """Compile shapes that must not begin or end inside a word or a number."""
    every = "|".join(dict.fromkeys(f"(?:{shape})" for shape in shapes))
    return re.compile(rf"(?<![\w.,-])(?:{every})(?![\w-])(?![.,]\d)")
