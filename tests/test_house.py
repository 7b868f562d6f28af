"""The rules of the house that a program can check."""

from __future__ import annotations

import ast
import importlib
import inspect
import pkgutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from schemas.topics import FRIGO, PRINTER, STAGES, TOPICS

ROOT = Path(__file__).parent.parent
PACKAGES = (
    "schemas",
    "knowledge",
    "storage",
    "gateways",
    "ai",
    "services",
    "console",
    "simulation",
    "astreinte",
)
SIX_FILES = {"__init__.py", "__main__.py", "app.py", "handlers.py", "printer.py", "frigo.py"}
MAX_FILE_LINES = 250
MAX_FUNCTION_LINES = 50
MEANINGLESS = {
    "utils",
    "util",
    "helpers",
    "helper",
    "common",
    "misc",
    "core",
    "manager",
    "platform",
}


def sources() -> Iterator[Path]:
    for package in PACKAGES:
        yield from sorted((ROOT / package).rglob("*.py"))


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_has_the_same_files(stage: str) -> None:
    found = {path.name for path in (ROOT / "services" / stage).glob("*.py")}
    assert found == SIX_FILES


@pytest.mark.parametrize("stage", STAGES)
def test_every_stage_says_what_it_consumes_and_publishes(stage: str) -> None:
    says = importlib.import_module(f"services.{stage}").__doc__ or ""
    place = STAGES.index(stage)
    for flow in (PRINTER, FRIGO):
        assert flow[place].topic in says
        assert flow[place + 1].topic in says


def test_files_are_small() -> None:
    long = {
        str(p.relative_to(ROOT)): n
        for p in sources()
        if (n := len(p.read_text().splitlines())) > MAX_FILE_LINES
    }
    assert long == {}


def test_functions_are_small() -> None:
    long = {}
    for path in sources():
        if path.parent.name == "versions":  # steps of the schema: lists of columns, written once
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                if lines > MAX_FUNCTION_LINES:
                    long[f"{path.relative_to(ROOT)}:{node.name}"] = lines
    assert long == {}


def test_names_mean_something() -> None:
    assert [path for path in sources() if path.stem in MEANINGLESS] == []


def test_every_public_name_has_a_docstring() -> None:
    silent = []
    for package in PACKAGES:
        root = importlib.import_module(package)
        for module in [
            package,
            *(m.name for m in pkgutil.walk_packages(root.__path__, f"{package}.")),
        ]:
            if module.endswith(("__main__", "migrations.env")):  # run, not imported
                continue
            loaded = importlib.import_module(module)
            assert loaded.__doc__, f"{module} says nothing of itself"
            for name, member in vars(loaded).items():
                own = getattr(member, "__module__", "") == module and not name.startswith("_")
                if (
                    own
                    and (inspect.isclass(member) or inspect.isfunction(member))
                    and not member.__doc__
                ):
                    silent.append(f"{module}.{name}")
    assert silent == []


def test_rules_are_plain_functions() -> None:
    """No rule waits: an `async def` in a rule file would be a door."""
    for stage in STAGES:
        for flow in ("printer.py", "frigo.py"):
            tree = ast.parse((ROOT / "services" / stage / flow).read_text())
            assert not [
                node
                for node in ast.walk(tree)
                if isinstance(node, ast.AsyncFunctionDef | ast.Await)
            ]


def test_importing_the_rules_loads_nothing_heavy() -> None:
    rules = "; ".join(
        f"import services.{stage}.{flow}" for stage in STAGES for flow in ("printer", "frigo")
    )
    heavy = "{'faiss', 'onnxruntime', 'sklearn', 'torch', 'sqlalchemy', 'aiokafka', 'fastapi'}"
    probe = f"import sys; {rules}; found = {heavy} & set(sys.modules); assert not found, found"
    subprocess.run([sys.executable, "-c", probe], check=True, cwd=ROOT, timeout=60)


IMPORTS = """
import os, socket, sys
def refuse(*_): raise AssertionError("connected at import")
socket.socket.connect = refuse
os.environ["ASTREINTE_HTTP_PORT"] = "not a number"
import astreinte.cli, services.serve, console.app
print(*sys.modules)
import services.classify.app, services.rag.app
print(*sys.modules)
"""


@pytest.fixture(scope="module")
def loaded() -> list[set[str]]:
    """What a process has loaded that may connect to nothing and whose environment is wrong."""
    command = [sys.executable, "-c", IMPORTS]
    told = subprocess.run(
        command, check=True, cwd=ROOT, timeout=60, stdout=subprocess.PIPE, text=True
    )
    return [set(line.split()) for line in told.stdout.splitlines()]


def test_importing_reads_no_environment_and_connects_nothing(loaded: list[set[str]]) -> None:
    assert all("astreinte.cli" in modules for modules in loaded)


def test_a_command_loads_nothing_that_takes_long_and_that_few_need(
    loaded: list[set[str]],
) -> None:
    slow = {"aiogram", "faiss", "opentelemetry.sdk", "scipy", "sklearn"}
    assert slow & loaded[0] == set()


def test_the_services_need_no_torch(loaded: list[set[str]]) -> None:
    assert "sklearn" in loaded[1]
    assert "torch" not in loaded[1]


def test_topics_are_one_table_with_one_word_each() -> None:
    names = [topic.name for topic in TOPICS]
    assert len(names) == len(set(names))
    assert {event.topic for event in (*PRINTER, *FRIGO)} <= set(names)
    assert {f"dead.{stage}" for stage in STAGES} <= set(names)
