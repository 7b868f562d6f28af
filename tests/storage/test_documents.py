"""Documents and articles of the record: versions, what changed since when, vectors."""

from __future__ import annotations

from datetime import timedelta

import pytest

from storage import documents
from storage.database import Database
from storage.documents import Change
from tests.events import NOW
from tests.knowing import document, passage

LATER = NOW + timedelta(hours=1)


async def test_a_document_that_is_written_again_has_its_new_passages_only(
    database: Database,
) -> None:
    many = [passage(f"Passage {n} : é 🖨 « »", "Titre", n) for n in range(1, 40)]
    first = await database.write(documents.put, document(), many, NOW)
    again = await database.write(documents.put, document(digest="1"), many[:2], LATER)
    assert (first.revision, again.revision) == (1, 2)
    ((row, passages),) = await database.read(documents.documents, ["d1", "d2"])
    assert (row.passages, row.changed_at) == (2, LATER)
    assert [(p.number, p.text, p.page) for p in passages] == [
        (n, f"Passage {n} : é 🖨 « »", n) for n in (1, 2)
    ]
    assert await database.read(documents.digests, ["d1"]) == {"d1": "1"}


async def test_what_was_removed_is_told_and_has_no_passages(database: Database) -> None:
    await database.write(documents.put, document(), [passage()], NOW)
    gone = await database.write(documents.remove, "d1", LATER)
    assert gone == Change("d1", "document", 2, removed=True)
    assert await database.write(documents.remove, "d1", LATER) is None
    assert await database.write(documents.remove, "nothing", LATER) is None
    assert await database.read(documents.digests, ["d1"]) == {}
    ((_, passages),) = await database.read(documents.documents, ["d1"])
    assert passages == []
    assert await database.read(documents.everything) == ([], [])
    back = await database.write(documents.put, document(), [passage()], LATER)
    assert back == Change("d1", "document", 3, removed=False)


async def test_an_article_keeps_its_versions_and_is_written_only_when_it_changed(
    database: Database,
) -> None:
    row = {"article_id": "a1", "title": "Un", "source": "x"}
    write = documents.put_article
    assert await database.write(write, row, "{}", "léa", NOW) == Change("a1", "article", 1, False)
    assert await database.write(write, row, "{}", "léa", LATER) is None
    assert await database.write(write, row, "[]", "léa", LATER) == Change("a1", "article", 2, False)
    gone = await database.write(documents.remove, "a1", LATER)
    assert gone == Change("a1", "article", 2, removed=True)
    again = await database.write(write, row, "[]", "léa", LATER)
    assert again == Change("a1", "article", 3, removed=False)
    (told,) = await database.read(documents.articles, ["a1"])
    assert (told.revision, told.body, told.in_use) == (3, "[]", True)


async def test_what_changed_since_is_told_and_what_is_named(database: Database) -> None:
    await database.write(documents.put, document("d1"), [passage()], NOW)
    await database.write(documents.put, document("d2", kind="conversation"), [passage()], LATER)
    await database.write(documents.put_article, {"article_id": "a1", "title": "x"}, "{}", "x", NOW)
    whole = await database.read(documents.changed, None, [])
    assert [(c.name, c.kind) for c in whole] == [
        ("a1", "article"),
        ("d1", "document"),
        ("d2", "conversation"),
    ]
    late = await database.read(documents.changed, LATER, [])
    assert [c.name for c in late] == ["d2"]
    named = await database.read(documents.changed, LATER, ["a1", "d1", "d2"])
    assert [c.name for c in named] == ["a1", "d1", "d2"]


async def test_vectors_are_kept_by_text_and_model(database: Database) -> None:
    names = [f"{n:032x}" for n in range(1_200)]
    made = {name: bytes([n % 256, 0, 255]) for n, name in enumerate(names)}
    await database.write(documents.keep_vectors, "m1", made)
    await database.write(documents.keep_vectors, "m1", {names[0]: b"another"})  # the first stays
    await database.write(documents.keep_vectors, "m2", {names[0]: b"2"})
    assert await database.read(documents.vectors, "m1", [*names, "f" * 32]) == made
    assert await database.read(documents.vectors, "m2", names) == {names[0]: b"2"}
    await database.write(documents.forget_vectors, names[:600])
    assert len(await database.read(documents.vectors, "m1", names)) == 600
    assert await database.read(documents.vectors, "m2", names) == {}


@pytest.mark.parametrize("count", [0, 1])
async def test_a_document_without_passages_is_one_all_the_same(
    database: Database, count: int
) -> None:
    await database.write(documents.put, document(), [passage()] * count, NOW)
    ((row, passages),) = await database.read(documents.documents, ["d1"])
    assert (row.passages, len(passages)) == (count, count)
