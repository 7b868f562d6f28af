"""What search may find and a reply may rest on: an article, or a passage of a document."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from knowledge.articles import Article, Version
from knowledge.chunks import HEADING, rows
from schemas.findings import Passage
from schemas.vocabulary import Language

STEPS, SENTENCE = 15, 2_000
"""Of an article from elsewhere, what is kept: as much as one of ours may have."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One thing that search finds by its `texts`, each with its language.

    `owner`: the article or document that it belongs to. `passages`: as events carry it, by
    language, without a score. `error_codes`: X stands for any character. `approved`: a reply may
    rest on it alone.
    """

    name: str
    owner: str
    texts: tuple[tuple[str, str], ...]
    passages: Mapping[Language, Passage]
    brand: str | None = None
    models: tuple[str, ...] = ()
    error_codes: tuple[str, ...] = ()
    approved: bool = True

    @property
    def kind(self) -> str:
        """Article, document or conversation."""
        return next(iter(self.passages.values())).kind

    def passage(self, language: Language) -> Passage:
        """Return it in a language; in another one where it is not told in that."""
        return self.passages.get(language) or next(iter(self.passages.values()))


class About(NamedTuple):
    """Of an article, what is no language's."""

    name: str
    source: str
    brand: str | None
    models: tuple[str, ...]
    error_codes: tuple[str, ...]


def of_article(article: Article) -> Piece:
    """Return an article as search takes it, found in both languages."""
    codes = article.error_codes
    about = About(article.id, article.source, article.brand, article.models, codes)
    return _article(about, {Language.FR: article.fr, Language.EN: article.en})


def of_document(about: Mapping[str, Any], passage: Mapping[str, Any]) -> Piece:
    """Return a passage of a document, from the record's columns of both."""
    language = Language(about["language"] or Language.FR)
    name = f"{about['document_id']}/{passage['number']}"
    url = about["source"] if about["source"].startswith(("http://", "https://")) else ""
    place = f", p. {passage['page']}" if passage["page"] else ""
    told = Passage(
        article=name,
        language=language,
        title=about["title"],
        brand=about["brand"] or None,
        models=tuple(about["models"] or ()),
        cause="",
        steps=(),
        call_technician="",
        source=f"{about['title']}{place}",
        score=0,
        kind=about["kind"],
        text=passage["text"],
        heading=passage["heading"].removeprefix(about["title"]).removeprefix(HEADING),
        url=url,
    )
    found_by = rows(about["title"], passage["heading"], passage["text"])
    return Piece(
        name,
        about["document_id"],
        tuple((text, language.value) for text in found_by),
        {language: told},
        told.brand,
        told.models,
        approved=about["approved"],
    )


def of_body(name: str, body: str, brand: str = "", model: str = "") -> Piece | None:
    """Return an article of the record; one from elsewhere may lack a language, or be none at all.

    Parameters
    ----------
    name
        Its id in the record.
    body
        Its newest version as JSON: an article of ours, or what an import made of another desk's.
    brand, model
        Of the printer that another desk's is for; empty: what the body says, or any.
    """
    told = json.loads(body)
    if "fr" in told and "en" in told:
        return of_article(Article.model_validate(told))
    versions = {
        language: _version(told[language.value]) for language in Language if language.value in told
    }
    if not versions:
        return None
    source = str(told.get("source") or "")
    models, codes = (tuple(told.get(key) or ()) for key in ("models", "error_codes"))
    about = About(name, source, brand or None, (model,) if model else models, codes)
    return _article(about, versions)


def _version(told: Mapping[str, Any]) -> Version:
    return Version.model_construct(
        title=told["title"],
        symptoms=tuple(told.get("symptoms") or ()),
        cause=str(told.get("cause") or "")[:SENTENCE],
        steps=tuple(str(step)[:SENTENCE] for step in told.get("steps") or ())[:STEPS],
        call_technician="",
        asked_as=(),
    )


def _article(about: About, versions: Mapping[Language, Version]) -> Piece:
    texts = tuple(
        (text, language.value)
        for language, version in versions.items()
        for text in (version.title, *version.symptoms, version.cause, *version.asked_as)
        if text
    )
    passages = {
        language: Passage(
            article=about.name,
            language=language,
            title=version.title,
            brand=about.brand,
            models=about.models,
            cause=version.cause,
            steps=version.steps,
            call_technician=version.call_technician,
            source=about.source,
            score=0,
        )
        for language, version in versions.items()
    }
    codes = about.error_codes
    return Piece(about.name, about.name, texts, passages, about.brand, about.models, codes)
