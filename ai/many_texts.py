"""The words of what is searched when there is too much to compare all: tantivy names the likely.

Tantivy keeps the texts on disk and finds those that may answer: by stemmed words and, for words
that no text has, by three letters in a row. These, and those near in meaning, are then compared
with the question exactly as few texts are.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import tantivy
from tantivy import Occur, Query, TextAnalyzerBuilder, Tokenizer

from ai.pages import Lexicon, Pages, Weighed
from ai.terms import fold, numbers_of, words
from ai.texts import Found, Kinds, Numbers, Owner

FOLDER, LEXICON = "texts", "lexicon.npz"
LIKELY = 40
"""Texts that each of the searches names: by words, by letters."""
MOST_WORDS, MOST_GRAMS = 24, 12
"""Of a question, the rarest first; common ones say little and have millions of places."""
COMMON, NEEDED = 20, 3
"""A term that one text of so many has names nobody, where there are rarer ones."""
AT_ONCE = 2_000
"""Owners counted together: some megabytes."""
UNKNOWN = 100_000
"""A word that fewer than one text of so many has is taken for misspelt."""
HEAP = 50_000_000
"""Bytes that tantivy gathers before it writes a segment."""


class ManyTexts:
    """Texts on disk; only the likely ones are compared."""

    def __init__(self, saved: Path | None = None) -> None:
        self._folder = TemporaryDirectory(prefix="astreinte-texts-")
        self._lexicon = Lexicon()
        if saved:
            shutil.copytree(
                saved / FOLDER, self._folder.name, dirs_exist_ok=True, copy_function=_linked
            )
            self._lexicon = Lexicon.load(saved / LEXICON)
        self._schema = _schema()
        self._index = tantivy.Index(self._schema, path=self._folder.name)
        self._index.register_tokenizer("stems", TextAnalyzerBuilder(Tokenizer.whitespace()).build())
        self._index.register_tokenizer("grams", TextAnalyzerBuilder(Tokenizer.ngram(3, 3)).build())
        self._writer = self._index.writer(HEAP, 1)
        self._searcher = self._index.searcher()

    def __len__(self) -> int:
        return int(self._searcher.num_docs)

    def put(self, owners: Sequence[Owner]) -> None:
        """Add owners: number, kind and the texts of the rows of each."""
        for start in range(0, len(owners), AT_ONCE):
            part = owners[start : start + AT_ONCE]
            folded = [fold("\n".join(texts)) for _, _, texts in part]
            self._lexicon.add(Pages.of(folded))
            for (number, kind, _), text in zip(part, folded, strict=True):
                self._writer.add_document(_document(number, kind, text))
        self._commit()

    def drop(self, numbers: Numbers) -> None:
        """Remove owners."""
        for start in range(0, len(numbers), AT_ONCE):
            part = self._numbered(numbers[start : start + AT_ONCE])
            gone = self._read(part, None, AT_ONCE)
            if gone:
                self._lexicon.add(Pages.of(list(gone.values())), -1)
            self._writer.delete_documents_by_query(part)  # by term, numbers are never met
        self._commit()

    def evidence(
        self, queries: Sequence[str], kinds: Sequence[Kinds], near: Sequence[Numbers]
    ) -> list[Found]:
        """Return for each question the likely owners of its kinds, those `near` it among them."""
        return [self._one(*asked) for asked in zip(queries, kinds, near, strict=True)]

    def save(self, folder: Path) -> None:
        """Write to a folder."""
        self._commit()
        leave = shutil.ignore_patterns("*.lock")
        shutil.copytree(self._folder.name, folder / FOLDER, ignore=leave, copy_function=_linked)
        self._lexicon.save(folder / LEXICON)

    @staticmethod
    def kept(folder: Path) -> bool:
        """Say whether a folder was written by `save`."""
        return (folder / FOLDER).is_dir()

    @classmethod
    def load(cls, folder: Path) -> ManyTexts:
        """Read what `save` wrote."""
        return cls(folder)

    def _one(self, query: str, kinds: Kinds, near: Numbers) -> Found:
        folded = fold(query)
        likely = [self._by_words(folded), self._by_grams(folded), self._numbered(near)]
        texts: dict[int, str] = {}
        for searched in likely:
            if searched is not None:
                texts.update(self._read(searched, kinds, LIKELY))
        numbers = sorted(texts)
        if not numbers:
            return Found(np.zeros(0, np.int64), np.zeros((0, 2)))
        weighed = Weighed(Pages.of([texts[number] for number in numbers]), self._lexicon)
        return Found(np.array(numbers), weighed.scores([query])[0])

    def _numbered(self, numbers: Numbers) -> Query:
        return Query.term_set_query(self._schema, "number", [int(number) for number in numbers])

    def _by_words(self, folded: str) -> Query | None:
        return self._any("words", list(dict.fromkeys(words(folded))), MOST_WORDS)

    def _by_grams(self, folded: str) -> Query | None:
        said = words(folded)
        present = self._lexicon.words.present[numbers_of(said)].tolist()
        odd = [word for word, n in zip(said, present, strict=True) if n * UNKNOWN < len(self)]
        padded = [f" {word}" for word in odd]  # a stem: where it ends is not known
        grams = {word[at : at + 3] for word in padded for at in range(len(word) - 2)}
        return self._any("grams", sorted(grams), MOST_GRAMS)

    def _any(self, field: str, terms: Sequence[str], most: int) -> Query | None:
        """Return a search for any of the rarest terms."""
        counted = sorted((self._searcher.doc_freq(field, term), term) for term in terms)
        rarest = [(count, term) for count, term in counted if count][:most]
        telling = [
            term
            for place, (count, term) in enumerate(rarest)
            if place < NEEDED or count * COMMON <= len(self)
        ]
        parts = [(Occur.Should, Query.term_query(self._schema, field, t, "freq")) for t in telling]
        return Query.boolean_query(parts) if parts else None

    def _read(self, query: Query, kinds: Kinds, limit: int) -> dict[int, str]:
        """Return the best texts of a search, by their owners' numbers."""
        if kinds is not None:
            among = Query.term_set_query(self._schema, "kind", list(kinds))
            query = Query.boolean_query([(Occur.Must, query), (Occur.Must, among)])
        hits = self._searcher.search(query, limit, count=False).hits
        found = [self._searcher.doc(address) for _, address in hits]
        return {each["number"][0]: each["text"][0].decode() for each in found}

    def _commit(self) -> None:
        self._writer.commit()
        self._index.reload()
        self._searcher = self._index.searcher()


def _schema() -> tantivy.Schema:
    builder = tantivy.SchemaBuilder()
    builder.add_unsigned_field("number", stored=True, indexed=True)
    builder.add_unsigned_field("kind", indexed=True)
    builder.add_text_field("words", tokenizer_name="stems", index_option="freq")
    builder.add_text_field("grams", tokenizer_name="grams", index_option="freq")
    builder.add_bytes_field("text", stored=True)
    return builder.build()


def _document(number: int, kind: int, text: str) -> tantivy.Document:
    """Return what is kept of an owner: its text, folded."""
    document = tantivy.Document()
    document.add_unsigned("number", number)
    document.add_unsigned("kind", kind)
    document.add_text("words", " ".join(words(text)))
    document.add_text("grams", f" {text} ")
    document.add_bytes("text", text.encode())
    return document


def _linked(source: str, target: str) -> None:
    """Give a file that never changes a second name, or copy it where that cannot be."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
