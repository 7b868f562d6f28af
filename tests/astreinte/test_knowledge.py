"""`astreinte knowledge`, as it is typed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import Result
from typer.testing import CliRunner

from ai.embeddings import Embedder
from ai.passages import SEARCHES
from astreinte.cli import app
from services.neighbours import Neighbours
from tests.flows.conftest import settle_in
from tests.knowing import FILTER, OZONE
from tests.printed import pdf

GUIDE = f"# Entretien du Kyocera TASKalfa 2554ci\n\n## Filtre à ozone\n\n{FILTER}\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, embedder: Embedder) -> Path:
    """A folder in which no desk runs, with the cache of vectors, and the model at hand."""
    settle_in(tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(Neighbours, "embedder", embedder)
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner(env={"NO_COLOR": "1", "COLUMNS": "200"}).invoke(app, ["knowledge", *words])


def told(*words: str) -> Any:
    answer = run(*words, "--json")
    assert answer.exit_code == 0, answer.output
    return json.loads(answer.stdout)


def test_a_folder_is_imported_once_searched_shown_and_removed(folder: Path) -> None:
    guides = folder / "guides"
    (guides / "below").mkdir(parents=True)
    (guides / "guide.md").write_text(GUIDE, "utf-8")
    (guides / "below" / "manual.pdf").write_bytes(
        pdf([[("Reading the counter", 16), "Press the Menu key twice to read the page counter."]])
    )
    (guides / "photo.jpg").write_bytes(b"no knowledge")
    found = told("import", "guides")
    assert [(one["outcome"], one["passages"], one["pages"]) for one in found] == [
        ("new", 1, 1),
        ("new", 1, 0),
    ]
    assert [one["outcome"] for one in told("import", "guides")] == ["unchanged"] * 2
    (listed, other) = sorted(told("list"), key=lambda row: row["language"], reverse=True)
    assert (listed["brand"], listed["models"], listed["language"]) == (
        "Kyocera",
        ["TASKalfa 2554ci"],
        "fr",
    )
    assert (other["title"], other["brand"], other["language"]) == (
        "Reading the counter",
        "",
        "en",
    )

    (first, *_) = told("search", OZONE, "--brand", "Kyocera", "--model", "TASKalfa 2554ci")
    assert (first["id"], first["near_enough"]) == (f"{listed['id']}/1", True)
    assert first["title"] == "Entretien du Kyocera TASKalfa 2554ci › Filtre à ozone"
    assert first["evidence"].keys() == set(SEARCHES)
    for wish in (("--model", "TASKalfa 3554ci"), ("--brand", "HP", "--language", "en")):
        assert listed["id"] not in str(told("search", OZONE, *wish)), wish

    assert [one["text"] for one in told("show", listed["id"])] == [FILTER]
    assert run("remove", listed["id"]).exit_code == 0
    again = run("remove", listed["id"], "paper-jam")
    assert again.exit_code == 1
    assert f"{listed['id']}: is not known" in again.stderr
    assert "paper-jam: ships: write an article of that id instead" in again.stderr
    assert listed["id"] not in str(told("search", OZONE))
    assert told("import", "guides")[1]["outcome"] == "updated", "what was removed may come back"


def test_an_article_is_exported_changed_and_imported_in_place_of_the_one_that_ships(
    folder: Path,
) -> None:
    article = yaml.safe_load(run("export", "paper-jam").stdout)
    article["source"] = "Notre atelier"
    Path("paper-jam.yaml").write_text(yaml.safe_dump(article, allow_unicode=True), "utf-8")
    assert told("import", "paper-jam.yaml")[0]["outcome"] == "new"
    assert told("import", "paper-jam.yaml")[0]["outcome"] == "unchanged"
    assert {one["source"] for one in told("show", "paper-jam")} == {"Notre atelier"}
    assert yaml.safe_load(run("export", "paper-jam").stdout) == article


def test_what_an_old_desk_knew_is_searched_too_for_its_printer_only(folder: Path) -> None:
    article = {
        "kb_id": "7",
        "model_id": "3",
        "problem_title": "Le filtre à ozone est usé",
        "problem_description": "Le copieur sent l'ozone et demande de remplacer le filtre à ozone",
        "cause": "Le filtre à ozone dure 100 000 pages.",
        "solution_steps": ["Ouvrez le capot arrière.", "Changez le filtre."],
    }
    model = {"model_id": "3", "manufacturer": "Sharp", "model_name": "MX-2651"}
    Path("old.json").write_text(
        json.dumps({"knowledge_base": [article], "printer_models": [model]}), "utf-8"
    )
    answer = CliRunner().invoke(app, ["import", "old.json"])
    assert answer.exit_code == 0, answer.output
    (row,) = told("list")
    assert (row["kind"], row["title"]) == ("article", "Le filtre à ozone est usé")
    (first, *_) = told("search", OZONE, "--brand", "Sharp", "--model", "MX-2651")
    assert (first["id"], first["near_enough"]) == (row["id"], True)
    assert row["id"] not in str(told("search", OZONE, "--brand", "HP"))
    exported = run("export", row["id"])
    assert "astreinte: it has no en: write that too" in exported.stderr
    assert yaml.safe_load(exported.stdout)["fr"]["steps"] == article["solution_steps"]


def test_what_cannot_be_read_is_named_and_the_rest_is_imported(folder: Path) -> None:
    Path("broken.yaml").write_text("id: broken\nsource: x\nfr: {}\n", "utf-8")
    Path("empty.pdf").touch()
    Path("guide.md").write_text(GUIDE, "utf-8")
    answer = run("import", "broken.yaml", "empty.pdf", "nowhere.pdf", "ftp://x/y.pdf", "guide.md")
    assert answer.exit_code == 1
    assert "1 nouveau(s), 4 écarté(s)" in answer.stdout
    assert "broken.yaml:3: fr.title: Field required" in answer.stderr
    assert "empty.pdf: is empty" in answer.stderr
    assert "nowhere.pdf: cannot be read (No such file or directory)" in answer.stderr
    assert "ftp://x/y.pdf: cannot be read (No such file or directory)" in answer.stderr


def test_a_page_that_cannot_be_read_is_named_and_the_other_pages_are_found(folder: Path) -> None:
    whole = pdf([["Étape une."], [FILTER[:60], FILTER[60:]]])
    Path("manual.pdf").write_bytes(whole.replace(b"Tm", b"Tm\n<<", 1))
    answer = run("import", "manual.pdf")
    assert answer.exit_code == 1
    assert "manual.pdf: page 1 cannot be read (" in answer.stderr
    assert "1 passage(s), 2 page(s)" in answer.stdout


def test_what_is_said_of_a_document_counts_more_than_what_is_recognised(folder: Path) -> None:
    Path("guide.md").write_text(GUIDE, "utf-8")
    said = ("--brand", "any", "--model", "MX-1", "--language", "en", "--title", "Our guide")
    assert told("import", "guide.md", *said)[0]["outcome"] == "new"
    (row,) = told("list")
    assert (row["brand"], row["models"], row["language"], row["title"]) == (
        "",
        ["MX-1"],
        "en",
        "Our guide",
    )
    assert told("import", "guide.md")[0]["outcome"] == "updated"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("show", "nothing"), "nothing is known under nothing"),
        (("export", "nothing"), "no article is known under nothing"),
        (("import", "empty"), "there is nothing in these folders that could be read"),
        (("import", "a.md", "b.md", "--title", "x"), "--title is for one document, these are 2"),
    ],
)
def test_what_is_not_there_is_said_in_a_sentence(
    folder: Path, words: tuple[str, ...], why: str
) -> None:
    Path("empty").mkdir()
    answer = run(*words)
    assert answer.exit_code == 1
    assert answer.stderr == f"astreinte: {why}\n"
