"""Search over passages: found, replaced, removed, filtered, kept on disk."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from ai import passages
from ai.embeddings import Embedder
from ai.many_texts import ManyTexts
from ai.passages import SEARCHES, Filters, Hit, NoIndex, OtherModel, PassageIndex, Row
from ai.texts import FewTexts

TEXTS = {
    "jam": ("bourrage papier", "paper jam", "retirez la feuille coincée"),
    "offline": ("imprimante hors ligne", "printer is offline", "introuvable"),
    "toner": ("toner vide", "toner is empty", "la cartouche est vide"),
}
ROWS = [
    Row(10 * n + m, owner, text)
    for n, (owner, texts) in enumerate(TEXTS.items(), start=1)
    for m, text in enumerate(texts)
]


def made(embedder: Embedder, rows: list[Row]) -> PassageIndex:
    index = PassageIndex(embedder.name, embedder.dimension, embedder.fingerprint)
    index.add(rows, embedder.compute([row.text for row in rows]))
    return index


@pytest.fixture(scope="module", params=["few", "many"], autouse=True)
def size(request: pytest.FixtureRequest) -> Iterator[str]:
    """What holds for a few passages, of which all are compared, holds for many, too."""
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "many":
            patch.setattr(passages, "FEW", 0)
        yield request.param


@pytest.fixture(scope="module")
def index(embedder: Embedder, size: str) -> PassageIndex:
    made_now = made(embedder, ROWS)
    assert isinstance(made_now._texts, FewTexts if size == "few" else ManyTexts)
    return made_now


def search(
    index: PassageIndex,
    embedder: Embedder,
    query: str,
    limit: int = 5,
    filters: Filters | None = None,
) -> list[Hit]:
    return index.search_many([query], embedder.compute([query]), limit, filters)[0]


def names(hits: list[Hit]) -> list[str]:
    return [hit.name for hit in hits]


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("bourrage papier", "jam"),
        ("bourage papié", "jam"),
        ("my printer went offline", "offline"),
        ("le toner est vide", "toner"),
        ("INTROUVABLE", "offline"),
    ],
)
def test_the_right_owner_comes_first(
    index: PassageIndex, embedder: Embedder, query: str, name: str
) -> None:
    assert search(index, embedder, query)[0].name == name


def test_hits_come_best_first_with_probabilities_evidence_and_the_nearest_row(
    index: PassageIndex, embedder: Embedder
) -> None:
    hits = search(index, embedder, "toner is empty")
    scores = [hit.score for hit in hits]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)
    assert tuple(hits[0].evidence) == SEARCHES
    assert hits[0].evidence["dense"] == pytest.approx(1, abs=0.01)
    assert hits[0].row == 31


def test_questions_asked_together_are_answered_as_when_asked_alone(
    index: PassageIndex, embedder: Embedder
) -> None:
    queries = ["bourrage", "toner vide", "hors ligne"]
    together = index.search_many(queries, embedder.compute(queries))
    for query, hits in zip(queries, together, strict=True):
        alone = search(index, embedder, query)
        assert names(alone) == names(hits)
        assert [h.score for h in alone] == pytest.approx([h.score for h in hits], abs=1e-3)


@pytest.mark.parametrize(
    "query",
    ["", " ", "zzz qqq", "🖨️", "的", "\x00\n", "QUJD" * 50_000, "le la les", "a" * 200_000],
)
def test_strange_words_and_no_words_are_near_nothing(
    index: PassageIndex, embedder: Embedder, query: str
) -> None:
    assert search(index, embedder, query)[0].score < 0.35


def test_an_index_without_rows_finds_nothing(embedder: Embedder) -> None:
    index = PassageIndex(embedder.name, embedder.dimension)
    assert search(index, embedder, "bourrage") == []
    index.add([], np.zeros((0, embedder.dimension), np.float32))
    index.remove(["nobody"])
    assert len(index) == 0


def test_what_is_added_is_found_at_once_and_what_is_removed_no_more(embedder: Embedder) -> None:
    index = made(embedder, ROWS)
    fresh = [Row(99, "fuser", "le four ne chauffe plus"), Row(98, "fuser", "fuser is cold")]
    index.add(fresh, embedder.compute([row.text for row in fresh]))
    assert search(index, embedder, "mon four ne chauffe plus")[0].name == "fuser"
    assert len(index) == 4
    index.remove(["fuser", "jam"])
    assert set(names(search(index, embedder, "bourrage papier"))) == {"offline", "toner"}
    assert "jam" not in index
    assert "toner" in index


def test_an_owner_that_is_added_again_is_replaced(embedder: Embedder) -> None:
    index = made(embedder, ROWS)
    changed = [Row(77, "jam", "agrafes coincées dans le module de finition")]
    index.add(changed, embedder.compute([changed[0].text]))
    assert len(index) == 3
    assert search(index, embedder, "agrafes coincées")[0].row == 77
    assert search(index, embedder, "paper jam")[0].score < 0.35


def test_adding_and_removing_leads_where_adding_alone_does(embedder: Embedder) -> None:
    index = made(embedder, ROWS)
    index.remove(["toner"])
    search(index, embedder, "x")
    toner = [row for row in ROWS if row.owner == "toner"]
    index.add(toner, embedder.compute([row.text for row in toner]))
    expected = search(made(embedder, ROWS), embedder, "la cartouche de toner")
    got = search(index, embedder, "la cartouche de toner")
    assert [(h.name, h.row) for h in got] == [(h.name, h.row) for h in expected]
    assert [h.score for h in got] == pytest.approx([h.score for h in expected], abs=1e-3)


MAKES = [
    Row(1, "any", "écran noir"),
    Row(2, "hp", "écran noir", brand="HP"),
    Row(3, "c750", "écran noir", brand="Lexmark", models=("C750", "C752")),
    Row(4, "english", "écran noir", language="en"),
    Row(5, "both", "écran noir", language="en"),
    Row(6, "both", "écran éteint", language="fr"),
]


@pytest.mark.parametrize(
    ("filters", "found"),
    [
        (None, {"any", "hp", "c750", "english", "both"}),
        (Filters(), {"any", "hp", "c750", "english", "both"}),
        (Filters(brand="hp"), {"any", "hp", "english", "both"}),
        (Filters(brand="Lexmark", model="c750"), {"any", "c750", "english", "both"}),
        (Filters(brand="Lexmark", model="T640"), {"any", "english", "both"}),
        (Filters(brand="Canon", language="fr"), {"any", "both"}),
    ],
)
def test_filters_leave_what_is_for_this_printer_and_reader_or_for_any(
    embedder: Embedder, filters: Filters | None, found: set[str]
) -> None:
    index = made(embedder, MAKES)
    assert set(names(search(index, embedder, "écran noir", filters=filters))) == found


def test_each_question_may_have_its_own_filter(embedder: Embedder) -> None:
    index = made(embedder, MAKES)
    vectors = embedder.compute(["écran noir"] * 3)
    hits = index.search_many(
        ["écran noir"] * 3, vectors, filters=[Filters(brand="HP"), None, Filters(language="fr")]
    )
    assert [len(each) for each in hits] == [4, 5, 4]


def test_an_index_is_the_same_after_it_was_kept(embedder: Embedder, tmp_path: Path) -> None:
    index = made(embedder, MAKES)
    index.remove(["hp"])
    index.save(tmp_path / "index")
    index.save(tmp_path / "index")
    loaded = PassageIndex.load(tmp_path / "index", embedder)
    assert len(list((tmp_path / "index").iterdir())) == 2
    for filters in (None, Filters(brand="Canon"), Filters(language="fr")):
        before = search(index, embedder, "écran noir", filters=filters)
        assert search(loaded, embedder, "écran noir", filters=filters) == before
    fresh = [Row(9, "hp", "scanner bloqué")]
    loaded.add(fresh, embedder.compute(["scanner bloqué"]))
    assert search(loaded, embedder, "scanner bloqué")[0].row == 9


def test_an_index_of_another_model_is_refused_with_what_to_do(
    index: PassageIndex, embedder: Embedder, tmp_path: Path
) -> None:
    index.save(tmp_path)
    for other in (
        SimpleNamespace(name="e5", fingerprint="0", dimension=384),
        SimpleNamespace(name=embedder.name, fingerprint="0", dimension=384),
    ):
        with pytest.raises(OtherModel, match=r"all-MiniLM-L6-v2.*astreinte knowledge index"):
            PassageIndex.load(tmp_path, other)


def test_a_save_that_fails_leaves_the_old_one(
    index: PassageIndex, embedder: Embedder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    index.save(tmp_path)

    def full(_: Path) -> None:
        raise OSError(28, "no space left")

    broken = made(embedder, MAKES)
    monkeypatch.setattr(broken._texts, "save", full)
    with pytest.raises(OSError, match="no space"):
        broken.save(tmp_path)
    assert len(PassageIndex.load(tmp_path, embedder)) == 3


@pytest.mark.parametrize("damage", ["current", "index.json", "vectors.faiss", "owners.npz"])
def test_a_damaged_index_is_refused(
    index: PassageIndex, embedder: Embedder, tmp_path: Path, damage: str
) -> None:
    index.save(tmp_path)
    next(tmp_path.rglob(damage)).write_bytes(b"{")
    with pytest.raises(NoIndex, match="no index that can be read"):
        PassageIndex.load(tmp_path, embedder)


def test_readers_and_a_writer_do_not_meet(embedder: Embedder) -> None:
    index = made(embedder, ROWS)
    vector = embedder.compute(["toner vide"])
    extra = [Row(n, f"extra-{n}", "le scanner ne répond plus") for n in range(40)]
    vectors = embedder.compute([row.text for row in extra])
    failures: list[str] = []

    def read() -> None:
        firsts = [index.search_many(["toner vide"], vector)[0][0].name for _ in range(60)]
        failures.extend(name for name in firsts if name != "toner")

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    for place, row in enumerate(extra):
        index.add([row], vectors[place : place + 1])
        if place % 3 == 0:
            index.remove([row.owner])
    for reader in readers:
        reader.join()
    assert not failures
    assert len(index) == 3 + 26
