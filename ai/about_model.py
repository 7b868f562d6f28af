"""What an embedding model wants done to texts and to what it makes of them."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SAID_IN = (
    "1_Pooling/config.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
)
"""Files of sentence-transformers, in the model's folder or the one above."""
MAX_TOKENS, MOST_TOKENS = 256, 512
"""Where a model says nothing; and whatever it says: time grows with the square."""
E5 = re.compile(r"(?:^|[-_/\\])e5(?:$|[-_])", re.IGNORECASE)


@dataclass(frozen=True)
class AboutModel:
    """`pooling`: how token vectors become one, `mean` or `cls`; `prefix` goes before each text."""

    name: str
    max_tokens: int = MAX_TOKENS
    pooling: str = "mean"
    prefix: str = ""
    languages: tuple[str, ...] = ()
    """That it has read; empty: nobody says."""


def about_model(folder: Path, name: str) -> AboutModel:
    """Read `model.json`, or else what sentence-transformers keeps beside its models.

    The E5 family wants `query: ` before each text of a pair that is alike; nothing in its files
    says so. Questions and phrasings are such pairs, and one prefix lets all stages share vectors.
    """
    own = _read(folder / "model.json")
    pooling, limits, prompts = (
        _read(folder / path) or _read(folder.parent / path) for path in SAID_IN
    )
    prompt = prompts.get("prompts", {}).get("query") or ("query: " if E5.search(name) else "")
    tokens = int(own.get("max_tokens") or limits.get("max_seq_length") or MAX_TOKENS)
    return AboutModel(
        str(own.get("name", name)),
        min(tokens, MOST_TOKENS),
        str(own.get("pooling") or ("cls" if pooling.get("pooling_mode_cls_token") else "mean")),
        str(own.get("prefix", prompt)),
        tuple(own.get("languages", ())),
    )


def _read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text("utf-8"))) if path.is_file() else {}
