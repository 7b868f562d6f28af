"""Articles: one YAML file each, both languages in it, checked with file and line."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from schemas.vocabulary import Language

SHIPPED = Path(__file__).parent / "printers"
MAX_FILE_BYTES = 262_144
"""Of an article: ten times the longest that ships."""

Sentence = Annotated[str, StringConstraints(min_length=1, max_length=2_000, strip_whitespace=True)]
Word = Annotated[str, StringConstraints(min_length=1, max_length=80, strip_whitespace=True)]


class InvalidArticle(ValueError):  # noqa: N818 - a verdict on somebody's file
    """An article that cannot be used; the text names file, line and what is wrong."""


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Version(_Strict):
    """An article in one language."""

    title: Annotated[Sentence, Field(max_length=90)]
    symptoms: tuple[Sentence, ...] = Field(min_length=1, max_length=12)
    cause: Sentence
    steps: tuple[Sentence, ...] = Field(min_length=1, max_length=15)
    call_technician: Sentence
    asked_as: tuple[Sentence, ...] = Field(
        min_length=5, max_length=200, description="how customers put it; search uses it"
    )


class Article(_Strict):
    """One problem and what to do about it; `brand` and `models` empty: any printer."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", max_length=80)]
    brand: Word | None = None
    models: tuple[Word, ...] = ()
    error_codes: tuple[Word, ...] = ()
    tags: tuple[Word, ...] = ()
    source: Sentence
    fr: Version
    en: Version

    def version(self, language: Language) -> Version:
        """Return the article in `language`."""
        return self.fr if language is Language.FR else self.en


def load_articles(*folders: Path) -> list[Article]:
    """Read every `*.yaml` of the folders, sorted by id; a later folder's id replaces an earlier's.

    Raises
    ------
    InvalidArticle
        A file is no article. The message begins with `file:line:`.
    """
    found: dict[str, Article] = {}
    for folder in folders:
        paths = sorted(folder.glob("*.yaml"))
        if not paths:
            msg = f"{folder}: no articles (*.yaml) here"
            raise InvalidArticle(msg)
        for path in paths:
            article = load_article(path)
            found[article.id] = article
    return [found[name] for name in sorted(found)]


def load_article(path: Path) -> Article:
    """Read one file. Raises as `load_articles`."""
    if path.stat().st_size > MAX_FILE_BYTES:
        msg = f"{path}:1: larger than {MAX_FILE_BYTES} bytes"
        raise InvalidArticle(msg)
    try:
        text = path.read_text("utf-8")
        node = yaml.compose(text, Loader=yaml.CSafeLoader)
        data = yaml.load(text, Loader=yaml.CSafeLoader)
    except UnicodeDecodeError as error:
        line = path.read_bytes()[: error.start].count(b"\n") + 1
        msg = f"{path}:{line}: not UTF-8"
        raise InvalidArticle(msg) from None
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        msg = f"{path}:{line}: {error.problem}"
        raise InvalidArticle(msg) from None
    except (yaml.YAMLError, ValueError) as error:  # « 2024-13-45 » is a date to YAML, and none
        msg = f"{path}:1: {error}"
        raise InvalidArticle(msg) from None
    try:
        article = Article.model_validate(data)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(map(str, first["loc"]))
        msg = f"{path}:{_line(node, first['loc'])}: {where or 'article'}: {first['msg']}"
        raise InvalidArticle(msg) from None
    if article.id != path.stem:
        msg = f"{path}:{_line(node, ('id',))}: id {article.id!r} is not the file's name"
        raise InvalidArticle(msg)
    return article


def _line(node: Any, place: tuple[int | str, ...]) -> int:
    """Return the line, from 1, of a place in the document, or of what encloses it."""
    line = 1
    for step in place:
        if isinstance(node, yaml.MappingNode):
            pair = next((pair for pair in node.value if pair[0].value == step), None)
            if pair is None:
                return line
            line, node = pair[0].start_mark.line + 1, pair[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            node = node.value[step]
            line = node.start_mark.line + 1
    return line


def search_rows(article: Article) -> tuple[str, ...]:
    """Return the short texts by which an article is found, both languages."""
    return tuple(
        text
        for version in (article.fr, article.en)
        for text in (version.title, *version.symptoms, version.cause, *version.asked_as)
    )
