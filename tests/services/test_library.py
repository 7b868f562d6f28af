"""What search knows follows the record, in every process, without being built again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from ai.embeddings import Embedder, Vectors
from ai.passages import Filters
from knowledge.pieces import Piece
from schemas.event import Event
from schemas.knowledge import KnowledgeChanged, changed
from services.embedding import embed_missing
from services.library import Library
from storage import documents
from storage.database import Database
from tests.events import articles
from tests.knowing import FILTER, OZONE, document, passage, shipped

NOW = datetime.now(UTC)
LONG_AGO = NOW - timedelta(days=30)


class Other(Embedder):
    """Another model: the same, under another fingerprint."""

    def __init__(self, like: Embedder) -> None:
        vars(self).update(vars(like))
        self.fingerprint = "0" * 16


@pytest.fixture
async def library(database: Database, embedder: Embedder) -> AsyncIterator[Library]:
    found = Library(database, embedder, *shipped(embedder))
    yield found
    await found.stop()


async def best(library: Library, embedder: Embedder, question: str = OZONE, **wanted: str) -> str:
    vectors = await embedder.embed([question])
    filters = [Filters(**wanted)]
    ((first, *_),) = library.index.search_many([question], vectors, 3, filters)
    return first.name


async def embedded(database: Database, embedder: Embedder, *pieces: Piece) -> None:
    await embed_missing(database, embedder, [t for p in pieces for t, _ in p.texts], 32)


async def test_a_new_document_is_found_once_its_texts_are_embedded(
    library: Library, database: Database, embedder: Embedder
) -> None:
    assert await best(library, embedder) != "d1/1"
    await database.write(documents.put, document(), [passage()], NOW)
    await library.catch_up()
    assert library.waiting == 1
    await library.learn_one()
    assert library.waiting == 0
    assert await best(library, embedder) == "d1/1"
    told = library.pieces["d1/1"].passages
    assert [(p.kind, p.text, p.heading, p.source) for p in told.values()] == [
        ("document", FILTER, "Entretien › Filtre à ozone", "Guide d'entretien, p. 2")
    ]


async def test_what_another_process_has_embedded_is_found_at_once(
    library: Library, database: Database, embedder: Embedder
) -> None:
    await database.write(documents.put, document(), [passage()], NOW)
    other = Library(database, embedder, *shipped(embedder))
    await other.catch_up()
    await other.learn_one()
    await library.catch_up()
    assert library.waiting == 0
    assert await best(library, embedder) == "d1/1"


async def test_a_document_that_was_changed_is_found_by_its_new_words_only(
    library: Library, database: Database, embedder: Embedder
) -> None:
    await database.write(documents.put, document(), [passage(), passage("Rien de plus.")], NOW)
    await library.catch_up()
    await library.learn_one()
    words = "Le bac de récupération se vide tous les mois, à la main et avec des gants."
    await database.write(documents.put, document(), [passage(words, "Bac de récupération")], NOW)
    await library.catch_up()
    assert await best(library, embedder) == "d1/1", "the old words, until the new ones are embedded"
    await library.learn_one()
    assert library.pieces.keys() & {"d1/1", "d1/2"} == {"d1/1"}
    assert await best(library, embedder, "bac de récupération") == "d1/1"


async def test_what_was_removed_is_found_no_longer(
    library: Library, database: Database, embedder: Embedder
) -> None:
    await database.write(documents.put, document(), [passage()], NOW)
    await library.catch_up()
    await library.learn_one()
    await database.write(documents.remove, "d1", NOW)
    await library.catch_up()
    assert await best(library, embedder) != "d1/1"
    assert not [name for name in library.pieces if name.startswith("d1")]


async def test_an_article_of_the_record_replaces_one_that_ships_until_it_is_removed(
    library: Library, database: Database, embedder: Embedder
) -> None:
    own = articles()["paper-jam"].model_copy(update={"source": "Notre atelier"})
    row = {"article_id": own.id, "title": own.fr.title, "source": own.source}
    await database.write(documents.put_article, row, own.model_dump_json(), "léa", NOW)
    await library.catch_up()
    while library.waiting:
        await library.learn_one()
    assert [p.source for p in library.pieces["paper-jam"].passages.values()] == 2 * [
        "Notre atelier"
    ]
    await database.write(documents.remove, "paper-jam", NOW)
    await library.catch_up()
    shipped_source = articles()["paper-jam"].source
    assert [p.source for p in library.pieces["paper-jam"].passages.values()] == 2 * [shipped_source]
    question = "bourrage papier, impossible de sortir la feuille"
    assert await best(library, embedder, question) == "paper-jam"


async def test_a_document_for_another_make_is_not_found(
    library: Library, database: Database, embedder: Embedder
) -> None:
    await database.write(documents.put, document(brand="Kyocera"), [passage()], NOW)
    await library.catch_up()
    await library.learn_one()
    assert await best(library, embedder, brand="kyocera") == "d1/1"
    assert await best(library, embedder, brand="HP") != "d1/1"


async def test_a_change_is_heard_and_taken_in(
    library: Library, database: Database, embedder: Embedder
) -> None:
    library.start()
    change = await database.write(documents.put, document(), [passage()], LONG_AGO)
    library.hear(changed(change.name, change.kind, change.revision, NOW))
    await until_found(library, "d1/1")
    gone = await database.write(documents.remove, "d1", LONG_AGO)
    assert gone
    library.hear(changed(gone.name, gone.kind, gone.revision, NOW, removed=True))
    await until_found(library, "d1/1", there=False)


async def test_a_change_that_nobody_told_is_seen_all_the_same(
    library: Library, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.library.EVERY_S", 0.05)
    library.start()
    await until_found(library, "paper-jam")
    await database.write(documents.put, document(), [passage()], datetime.now(UTC))
    await until_found(library, "d1/1")


async def test_another_embedding_model_makes_its_own_vectors(
    library: Library, database: Database, embedder: Embedder
) -> None:
    await database.write(documents.put, document(), [passage()], NOW)
    await library.catch_up()
    await library.learn_one()
    other = Other(embedder)
    second = Library(database, other, *shipped(embedder))
    await second.catch_up()
    assert second.waiting == 1, "vectors of another model are never taken"
    await second.learn_one()
    assert "d1/1" in second.index


async def test_an_import_that_was_cut_short_goes_on_where_it_was(
    database: Database, embedder: Embedder
) -> None:
    texts = [f"Étape {number} de l'entretien annuel." for number in range(10)]
    done: list[int] = []

    def cut_short(more: int) -> None:
        done.append(more)
        if sum(done) >= 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await embed_missing(database, embedder, texts, 2, cut_short)
    left: list[int] = []
    await embed_missing(database, embedder, texts, 2, left.append)
    assert (sum(done), left[0], sum(left)) == (4, 4, 10)


async def test_one_document_that_cannot_be_embedded_does_not_hold_up_the_others(
    library: Library, database: Database, embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("d1", "d2"):
        words = f"{FILTER} ({name})"
        await database.write(documents.put, document(name), [passage(words)], NOW)
    await library.catch_up()
    embed = embedder.embed

    async def choke(texts: Sequence[str]) -> Vectors:
        if any("(d1)" in text for text in texts):
            raise RuntimeError
        return await embed(texts)

    monkeypatch.setattr(embedder, "embed", choke)
    with pytest.raises(RuntimeError):
        await library.learn_one()
    await library.learn_one()
    assert ("d1/1" in library.index, "d2/1" in library.index) == (False, True)


async def test_an_article_of_the_record_that_is_none_is_left_out_and_the_rest_is_found(
    library: Library, database: Database, embedder: Embedder
) -> None:
    for name, body in (("a1", "[]"), ("a2", '{"fr": {}}'), ("a3", "{"), ("a4", "{}")):
        row = {"article_id": name, "title": name}
        await database.write(documents.put_article, row, body, "léa", NOW)
    await database.write(documents.put, document(), [passage()], NOW)
    await library.catch_up()
    await library.learn_one()
    assert await best(library, embedder) == "d1/1"


async def until_found(library: Library, name: str, *, there: bool = True) -> None:
    async with asyncio.timeout(5):
        while (name in library.pieces and name in library.index) is not there:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


def test_an_event_of_a_change_is_the_same_for_the_same_change() -> None:
    first = changed("d1", "document", 2, NOW)
    assert first.event_id == changed("d1", "document", 2, LONG_AGO).event_id
    assert first.event_id != changed("d1", "document", 3, NOW).event_id
    assert first.event_id != changed("d1", "document", 2, NOW, removed=True).event_id
    assert isinstance(first, Event)
    assert KnowledgeChanged.read(first.model_dump_json().encode()) == first
    assert first.key == "d1"
