"""The documentation says what the code says: nothing is missing, nothing is made up."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from pydantic import BaseModel
from pydantic_core import PydanticUndefined
from sqlmodel import SQLModel
from typer.main import get_command

from astreinte.cli import app
from astreinte.columns import ADDRESSES, ALIASES
from astreinte.importing.words import CLOSED
from knowledge import observations, sheets
from knowledge.articles import Article, Version
from refrigeration.measures import BY_ALIAS, plain
from schemas import frigo, printer, vocabulary
from schemas.event import Event, Value
from schemas.topics import DAY_MS, TOPICS
from services.settings import Settings
from storage import outbox, schema

ROOT = Path(__file__).parent.parent
REFERENCE = ROOT / "docs" / "reference"
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").rglob("*.md")])
CODE = re.compile(r"`([^`\n]+)`")
FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\(([^()\s]+)\)")
HEADING = re.compile(r"^#{1,6} (.+)$", re.MULTILINE)


def named(page: Path) -> str:
    return str(page.relative_to(ROOT))


def prose(text: str) -> str:
    """A page without its code blocks."""
    return FENCE.sub("", text)


def sections(text: str) -> dict[str, str]:
    """The parts of a page by their headings, of whatever level."""
    parts = re.split(HEADING, prose(text))
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def rows(text: str) -> list[list[str]]:
    """The rows of all tables, without their heads."""
    lines = [line.strip() for line in text.splitlines()]
    found = []
    for place, line in enumerate(lines):
        is_head = place + 1 < len(lines) and lines[place + 1].startswith("|---")
        if line.startswith("| ") and not is_head:
            found.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return found


def anchors(text: str) -> set[str]:
    """The names under which a page's headings are linked to."""
    return {
        re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")
        for heading in HEADING.findall(prose(text))
    }


# --- topics ----------------------------------------------------------------------------------


def test_every_topic_is_documented_as_it_is_and_no_other():
    text = (REFERENCE / "topics.md").read_text("utf-8")
    told = {}
    for cells in rows(text):
        if re.fullmatch(r"`[a-z]+\.[a-z]+`", cells[0]):
            event = re.sub(r"\[(\w+)\]\(.*\)", r"\1", cells[1])
            told[cells[0].strip("`")] = (event, *cells[2:5])
    assert told == {
        topic.name: (
            topic.event.__name__ if topic.event else "any bytes",
            topic.key,
            str(topic.partitions),
            "for ever" if topic.compacted else f"{topic.retention_ms // DAY_MS} days",
        )
        for topic in TOPICS
    }


# --- the record ------------------------------------------------------------------------------


FIRST_DESK = {
    *("customers", "printer_models", "devices", "knowledge_base", "tickets", "messages"),
    *("attachments", "extractions", "rag_results", "predictions", "responses", "outbound_logs"),
    *("processing_steps", "ticket_history", "automation_metrics"),
}


def test_every_table_of_the_record_is_documented_and_no_other():
    section = sections((REFERENCE / "record.md").read_text("utf-8"))["Tables"]
    told = {cells[0].strip("`"): cells for cells in rows(section)}
    assert told.keys() == SQLModel.metadata.tables.keys()
    assert {cells[2].strip("`") for cells in told.values()} - {"—"} == FIRST_DESK
    topics = {topic.name for topic in TOPICS} | {"dead.*"}
    assert {name for cells in told.values() for name in CODE.findall(cells[4])} <= topics


def test_every_view_of_the_record_is_documented_and_no_other():
    section = sections((REFERENCE / "record.md").read_text("utf-8"))["Views"]
    views = next(step.module.VIEWS for step in schema.steps() if step.revision == "0006")
    assert {cells[0].strip("`") for cells in rows(section)} == views.keys()


def test_every_state_of_a_conversation_is_documented_and_no_other():
    section = sections((REFERENCE / "record.md").read_text("utf-8"))["States"]
    told = {cells[0].strip("`") for cells in rows(section)}
    assert told == {*outbox.STATE_AFTER.values(), "on_the_road", "failed", CLOSED}


# --- settings --------------------------------------------------------------------------------


def settings() -> dict[str, str]:
    """Every setting's name, and its default as text."""
    found = {}
    for field in Settings.model_fields.values():
        part = field.annotation
        assert part
        for name, own in part.model_fields.items():
            default = "" if own.default is None else str(own.default)
            found[f"{part.model_config['env_prefix']}{name.upper()}"] = default
    return found


def test_every_setting_is_documented_with_its_default_and_no_other():
    text = (REFERENCE / "settings.md").read_text("utf-8")
    told = {cells[0].strip("`"): cells[1].strip("`") for cells in rows(text)}
    assert {k: "" if v == "*empty*" else v for k, v in told.items()} == settings()


def test_every_setting_says_what_it_means():
    for cells in rows((REFERENCE / "settings.md").read_text("utf-8")):
        assert len(cells[2]) > 10, cells[0]


def test_the_example_of_an_environment_has_every_setting_with_its_default_and_no_other():
    text = (ROOT / ".env.example").read_text("utf-8")
    assert dict(re.findall(r"^# (ASTREINTE_\w+)=(.*)$", text, re.MULTILINE)) == settings()
    assert not [line for line in text.splitlines() if line and not line.startswith("#")]


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_a_setting_that_a_page_names_exists(page: Path):
    known = {*settings(), "ASTREINTE_KAFKA", "ASTREINTE_MYSQL", "ASTREINTE_CACHE"}
    told = set(re.findall(r"\bASTREINTE_[A-Z_]+\b", page.read_text("utf-8")))
    assert told <= known


# --- events ----------------------------------------------------------------------------------


def shapes() -> Iterator[type[BaseModel]]:
    """Every event, and every value that is a part of one."""
    seen: set[type[BaseModel]] = {Value}
    waiting: list[type[BaseModel]] = [topic.event for topic in TOPICS if topic.event]
    while waiting:
        shape = waiting.pop()
        if shape in seen:
            continue
        seen.add(shape)
        yield shape
        waiting += [base for base in shape.__bases__ if issubclass(base, Value)]
        for field in shape.model_fields.values():
            waiting += [
                part
                for part in (field.annotation, *getattr(field.annotation, "__args__", ()))
                if isinstance(part, type) and issubclass(part, BaseModel)
            ]


def own_fields(shape: type[BaseModel]) -> set[str]:
    """The fields that a shape adds to what it is based on, as JSON has them."""
    above = {name for base in shape.__mro__[1:] for name in getattr(base, "model_fields", {})}
    return {f.alias or name for name, f in shape.model_fields.items() if name not in above}


@pytest.mark.parametrize(
    "shape", sorted(shapes(), key=lambda s: s.__name__), ids=lambda s: s.__name__
)
def test_every_event_is_documented_with_its_fields_and_no_others(shape: type[BaseModel]):
    section = sections((REFERENCE / "events.md").read_text("utf-8"))[shape.__name__]
    assert {cells[0].strip("`") for cells in rows(section)} == own_fields(shape)
    if issubclass(shape, Event) and shape is not Event:
        assert section.strip().startswith(f"`{shape.topic}`")
        base = shape.__bases__[0].__name__
        assert (base == "Event") or f"All fields of {base}, and:" in section


def test_every_section_of_the_events_is_about_something_that_exists():
    text = (REFERENCE / "events.md").read_text("utf-8")
    known = {shape.__name__ for shape in shapes()} | set(dir(vocabulary))
    assert set(re.findall(r"^### (.+)$", text, re.MULTILINE)) <= known


@pytest.mark.parametrize(
    "words",
    [
        vocabulary.Channel,
        vocabulary.Category,
        vocabulary.Intent,
        vocabulary.Priority,
        vocabulary.Severity,
        vocabulary.Fault,
        vocabulary.Change,
        vocabulary.Action,
        vocabulary.SendStatus,
    ],
    ids=lambda words: words.__name__,
)
def test_every_word_of_the_vocabulary_is_documented(words: type[vocabulary.Labelled]):
    section = sections((REFERENCE / "events.md").read_text("utf-8"))[words.__name__]
    told = {cells[0].strip("`"): cells[1:3] for cells in rows(section)}
    assert told == {word.value: [word.fr, word.en] for word in words}


def test_the_example_of_an_inbound_message_is_one():
    text = (REFERENCE / "events.md").read_text("utf-8")
    (example,) = [body for kind, body in FENCE.findall(text) if '"channel"' in body]
    assert printer.InboundMessage.model_validate_json(example).key


def test_the_example_of_a_reading_is_one_and_its_names_are_known():
    text = (REFERENCE / "events.md").read_text("utf-8")
    (example,) = [body for kind, body in FENCE.findall(text) if '"unit_id"' in body]
    found = frigo.InboundReading.model_validate_json(example)
    assert not found.unreadable
    assert all(plain(name) in BY_ALIAS for name in found.measures)


def test_the_units_of_measure_are_said():
    text = (REFERENCE / "events.md").read_text("utf-8")
    units = {
        re.sub(r"^(\w+?_)+?(?=(c|bar|a|v|w|mm_s|pct|m3_h)$)", "_", n)
        for n in frigo.Measures.model_fields
    }
    assert all(f"`{unit}`" in text for unit in units)


# --- the command line ------------------------------------------------------------------------


@cache
def commands(group: Any = None, above: str = "") -> dict[str, click.Command]:
    """Every command by its words, those below others too: `topics`, `topics create`."""
    found = {}
    for name, command in (group or get_command(app)).commands.items():
        found[f"{above}{name}"] = command
        if hasattr(command, "commands"):
            found |= commands(command, f"{above}{name} ")
    return found


def options(command: click.Command) -> set[str]:
    return {
        name
        for parameter in command.params
        for name in (*parameter.opts, *parameter.secondary_opts)
        if parameter.param_type_name == "option"
    }


def test_every_command_is_documented_and_no_other():
    told = sections((REFERENCE / "cli.md").read_text("utf-8"))
    titles = {t.removeprefix("astreinte ") for t in told if t.startswith("astreinte ")}
    assert titles == commands().keys()


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_option_is_documented_and_no_other(name: str):
    section = sections((REFERENCE / "cli.md").read_text("utf-8"))[f"astreinte {name}"]
    first = " ".join(cells[0] for cells in rows(section))
    assert set(re.findall(r"--[a-z-]+", first)) == options(commands()[name])
    arguments = {p.name.upper() for p in commands()[name].params if p.param_type_name == "argument"}
    assert set(re.findall(r"`([A-Z]+)`", first)) == arguments


def test_the_columns_of_a_file_are_documented():
    section = sections((REFERENCE / "cli.md").read_text("utf-8"))["astreinte process"]
    told = {cells[0].strip("`"): cells[1] for cells in rows(section) if cells[0] in FIELDS}
    assert {k: v.replace("_", "").split(", ") for k, v in told.items()} == {"from": ADDRESSES} | {
        name: words.replace("_", "").split() for name, words in ALIASES.items()
    }


FIELDS = {f"`{name}`" for name in (*ALIASES, "from")}


def called(text: str) -> Iterator[list[str]]:
    """The commands that a page shows, each as its words."""
    shown = [body for kind, body in FENCE.findall(text) if kind == "sh"]
    lines = "\n".join(shown).replace("\\\n", " ").splitlines()
    lines += CODE.findall(prose(text))
    for line in lines:
        bare = re.sub(r"^([A-Z_]+=\S+ )+", "", line.strip())
        if re.match(r"(astreinte|make|python -m|scripts/\w+)( |$)", bare):
            try:
                yield shlex.split(bare)
            except ValueError:
                yield bare.split()


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_a_command_that_a_page_shows_exists(page: Path):
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for words in called(page.read_text("utf-8")):
        program, rest = words[0], words[1:]
        if program == "make":
            assert re.search(rf"^{rest[0]}:", makefile, re.MULTILINE), words
        elif program == "python":
            module = ROOT / rest[1].replace(".", "/")
            assert module.with_suffix(".py").exists() or (module / "__main__.py").exists(), words
        elif program.startswith("scripts/"):
            assert (ROOT / program).exists(), words
        elif rest and rest[0] not in {"COMMAND", "--help", "-h"}:
            name = " ".join(rest[:2]) if " ".join(rest[:2]) in commands() else rest[0]
            assert name in commands(), words
            shown = {word for word in rest if word.startswith("--") and word != "--help"}
            assert shown <= options(commands()[name]), words


# --- sheets ----------------------------------------------------------------------------------


def test_every_field_of_a_sheet_and_of_a_next_test_is_documented_and_no_other():
    text = (REFERENCE / "sheets.md").read_text("utf-8")
    whole, below = sections(text)["Maintenance sheets"], sections(text)["The next test"]
    told = [name for cells in rows(whole) for name in CODE.findall(cells[0])]
    assert told == [*sheets.Entry.model_fields, *sheets.Words.model_fields]
    told = [name for cells in rows(below) for name in CODE.findall(cells[0])]
    assert set(told) == observations.Test.model_fields.keys()


# --- articles --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "title"), [(Article, "Of the article"), (Version, "Of each language")]
)
def test_every_field_of_an_article_is_documented_and_no_other(shape: type[BaseModel], title: str):
    section = sections((REFERENCE / "articles.md").read_text("utf-8"))[title]
    told = {cells[0].strip("`"): cells[1] for cells in rows(section)}
    assert told == {
        name: "yes" if field.default is PydanticUndefined else "no"
        for name, field in shape.model_fields.items()
    }


def test_the_example_of_an_article_is_one():
    text = (REFERENCE / "articles.md").read_text("utf-8")
    (example,) = [body for kind, body in FENCE.findall(text) if kind == "yaml"]
    assert Article.model_validate(yaml.safe_load(example)).id == "badge-refuse"


# --- links and files -------------------------------------------------------------------------


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_no_link_is_dead(page: Path):
    for target in LINK.findall(prose(page.read_text("utf-8"))):
        if re.match(r"https?://", target):
            continue
        path, _, anchor = target.partition("#")
        there = (page.parent / path).resolve() if path else page
        assert there.exists(), target
        assert not anchor or anchor in anchors(there.read_text("utf-8")), target


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_a_file_that_a_page_names_exists(page: Path):
    tops = "|".join(sorted(path.name for path in ROOT.iterdir() if path.is_dir()))
    for code in CODE.findall(prose(page.read_text("utf-8"))):
        if re.fullmatch(rf"({tops})/[\w./*-]*", code) and not code.startswith("data/"):
            assert list(ROOT.glob(code.rstrip("/"))), code
        elif re.fullmatch(r"[\w.-]+\.(toml|example)|Makefile", code):
            assert (ROOT / code).exists(), code


def test_every_decision_is_listed_and_complete():
    listed = (ROOT / "docs" / "architecture.md").read_text("utf-8")
    for page in sorted((ROOT / "docs" / "decisions").glob("*.md")):
        assert f"(decisions/{page.name})" in listed
        parts = ["Context", "Decision", "Consequences", "Revisit when"]
        assert list(sections(page.read_text("utf-8")))[1:] == parts, page.name
