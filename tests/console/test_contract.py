"""The contract of the topics, as the console shows it."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from httpx import ASGITransport, AsyncClient

from console.app import STATIC, create_app
from services import contract
from tests.console.record import database_in


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[AsyncClient]:
    async with database_in(tmp_path) as database:
        transport = ASGITransport(create_app(database, list))
        async with AsyncClient(transport=transport, base_url="http://desk") as made:
            yield made


async def test_the_document_is_the_one_that_the_code_makes(client: AsyncClient) -> None:
    answer = await client.get("/asyncapi.json")
    assert answer.json() == contract.document()


async def test_the_page_loads_nothing_from_elsewhere(client: AsyncClient) -> None:
    page = (await client.get("/asyncapi")).text
    loaded = re.findall(r'(?:src|href)="([^"]+)"', page)
    assert loaded
    for path in loaded:
        assert path.startswith("/")
        assert (await client.get(path)).status_code == 200, path


def test_every_word_of_the_page_exists_in_both_languages() -> None:
    words = (STATIC / "words.js").read_text("utf-8")
    script = (STATIC / "contract.js").read_text("utf-8")
    html = (STATIC / "contract.html").read_text("utf-8")
    shapes = json.dumps(contract.document()["components"]["schemas"])
    kinds = set(re.findall(r'"(?:type|format)": "([\w-]+)"', shapes)) - {"array"}
    used = set(re.findall(r'"(contract(?:\.\w+)*)"', script)) | {
        f"contract.type.{k}" for k in kinds
    }
    for key in used | set(re.findall(r'data-t="([^"]+)"', html)):
        assert re.search(rf'^  "{re.escape(key)}": \["[^"]', words, re.MULTILINE), key
