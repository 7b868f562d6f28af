"""Articles: those that ship, and files that are none."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from knowledge.articles import (
    MAX_FILE_BYTES,
    SHIPPED,
    InvalidArticle,
    Version,
    load_article,
    load_articles,
    search_rows,
)
from knowledge.catalogue import load_catalogue
from knowledge.pieces import of_article
from schemas.vocabulary import Language
from tests.events import articles

NAMES = sorted(articles())
each_article = pytest.mark.parametrize("name", NAMES)

ARTICLE = """\
id: essai
brand: HP
source: "un guide"
fr:
  title: "Un titre"
  symptoms: ["un signe"]
  cause: "une cause"
  steps: ["un pas"]
  call_technician: "sinon appelez"
  asked_as: [a, b, c, d, e]
en:
  title: "A title"
  symptoms: ["a sign"]
  cause: "a cause"
  steps: ["a step"]
  call_technician: "else call"
  asked_as: [a, b, c, d, e]
"""


def written(folder: Path, text: str | bytes, name: str = "essai.yaml") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


# --- what ships ------------------------------------------------------------------------------


def test_the_lexmark_cases_and_forty_general_articles_ship() -> None:
    lexmark = {f"lexmark-c750-{number:02}" for number in range(1, 18)}
    assert lexmark <= set(NAMES)
    assert len([name for name in NAMES if not articles()[name].brand]) >= 40


@each_article
def test_ids_are_the_names_of_the_files(name: str) -> None:
    assert (SHIPPED / f"{name}.yaml").is_file()
    assert articles()[name].id == name


@each_article
def test_an_article_is_complete_in_both_languages(name: str) -> None:
    for language in Language:
        version = articles()[name].version(language)
        assert len(set(version.asked_as)) >= 5
        assert 1 <= len(version.steps) <= 15
        assert re.search(r"[.!?…]$", version.cause)
        assert re.search(r"[.!?…]$", version.call_technician)
    assert articles()[name].fr.title != articles()[name].en.title


@each_article
def test_an_article_is_in_our_words_and_free_of_placeholders(name: str) -> None:
    text = articles()[name].model_dump_json(exclude={"source"})
    assert not re.search(r"TODO|TBD|lorem|\{\w*\}", text)
    assert "http" not in text


def test_codes_and_models_belong_to_a_make_that_the_catalogue_knows() -> None:
    known = set(load_catalogue().spellings.values())
    for article in articles().values():
        assert article.brand is None or article.brand in known
        if article.models:
            assert article.brand


@each_article
def test_codes_look_like_codes(name: str) -> None:
    for code in articles()[name].error_codes:
        assert re.fullmatch(r"[\w.-]+( [\w.-]+){0,2}", code), code


def test_no_phrase_is_claimed_by_two_articles_of_one_make() -> None:
    owners: dict[tuple[str, str | None], set[str]] = {}
    for article in articles().values():
        for version in (article.fr, article.en):
            for phrase in version.asked_as:
                owners.setdefault((phrase.lower(), article.brand), set()).add(article.id)
    assert {phrase: names for phrase, names in owners.items() if len(names) > 1} == {}


def test_search_sees_both_languages_and_the_desk_searches_what_is_measured() -> None:
    for article in articles().values():
        rows = search_rows(article)
        assert article.fr.title in rows
        assert article.en.asked_as[0] in rows
        assert tuple(text for text, _ in of_article(article).texts) == rows


# --- what a file may hold --------------------------------------------------------------------


def test_a_good_file_is_read(tmp_path: Path) -> None:
    article = load_article(written(tmp_path, ARTICLE))
    assert (article.id, article.brand, article.models) == ("essai", "HP", ())
    assert isinstance(article.version(Language.EN), Version)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (ARTICLE.replace('  cause: "une cause"\n', ""), ":4: fr.cause: Field required"),
        (ARTICLE.replace('source: "un guide"\n', ""), ":1: source: Field required"),
        (ARTICLE.replace("brand: HP", "brand: [HP]"), ":2: brand: Input should be a valid string"),
        (ARTICLE.replace('steps: ["un pas"]', "steps: un pas"), ":8: fr.steps: "),
        (ARTICLE.replace('["a step"]', "[7]"), ":15: en.steps.0: Input should be a valid string"),
        (ARTICLE.replace("[a, b, c, d, e]", "[a, b]", 1), ":10: fr.asked_as: "),
        (ARTICLE.replace("brand: HP", "make: HP"), ":2: make: Extra inputs are not permitted"),
        (ARTICLE.replace('  title: "A title"', '  title: ""'), ":12: en.title: "),
        (ARTICLE.replace("id: essai", "id: Essai!"), ":1: id: "),
        (ARTICLE.replace("id: essai", "id: autre"), ":1: id 'autre' is not the file's name"),
        (ARTICLE.replace('  cause: "une', 'cause: "une'), ":8: "),
        (ARTICLE.replace('"un guide"', '"un guide'), ":5: "),
        (ARTICLE.replace("brand: HP", "brand:\tHP: x"), ":2: "),
        (ARTICLE.replace("brand: HP", "brand: 2024-13-45"), ":1: month must be in 1..12"),
        (ARTICLE.replace("brand: HP", "brand: *nobody"), ":2: "),
        (ARTICLE.replace("brand: HP", "brand: !!python/object:os.system x"), ":2: "),
        (ARTICLE + ARTICLE.replace("id", "---\nid", 1), ":"),
        ("", ":1: article: "),
        ("just a word", ":1: article: "),
        ("- a\n- b\n", ":1: article: "),
        (b"id: essai\nsource: \xe9t\xe9\n", ":2: not UTF-8"),
        (b"id: \x07\n", ":1: "),
        (b"# " + b"x" * MAX_FILE_BYTES, f":1: larger than {MAX_FILE_BYTES} bytes"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_article_is_refused_with_file_and_line(
    tmp_path: Path, text: str | bytes, said: str
) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InvalidArticle) as caught:
        load_article(path)
    assert str(caught.value).startswith(f"{path}{said}")


def test_a_later_folder_replaces_an_article_of_the_same_id(tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    for folder in (mine, theirs):
        folder.mkdir()
    written(theirs, ARTICLE)
    written(theirs, ARTICLE.replace("essai", "zebre"), "zebre.yaml")
    written(mine, ARTICLE.replace("Un titre", "Mon titre"))
    found = load_articles(theirs, mine)
    assert [(article.id, article.fr.title) for article in found] == [
        ("essai", "Mon titre"),
        ("zebre", "Un titre"),
    ]


def test_a_folder_without_articles_is_said_to_be_empty(tmp_path: Path) -> None:
    with pytest.raises(InvalidArticle, match="no articles"):
        load_articles(tmp_path)
    with pytest.raises(InvalidArticle, match="no articles"):
        load_articles(tmp_path / "nowhere")
